/* The functions that Windows calls and Python implements (ffi.def_extern).
   Windows may call them on any thread. */

/* LPSERVICE_MAIN_FUNCTIONW */
extern "Python" void WINAPI winsvc_service_main(DWORD dwNumServicesArgs,
                                                LPWSTR *lpServiceArgVectors);

/* LPHANDLER_FUNCTION_EX */
extern "Python" DWORD WINAPI winsvc_control_handler(DWORD dwControl, DWORD dwEventType,
                                                    LPVOID lpEventData, LPVOID lpContext);

/* PFN_SC_NOTIFY_CALLBACK, for NotifyServiceStatusChangeW */
extern "Python" void WINAPI winsvc_status_changed(PVOID pParameter);

/* PSC_NOTIFICATION_CALLBACK, for SubscribeServiceChangeNotifications */
extern "Python" void WINAPI winsvc_service_changed(DWORD dwNotify, PVOID pCallbackContext);

/* NAMEENUMPROCW, for EnumWindowStationsW and EnumDesktopsW */
extern "Python" BOOL WINAPI winsvc_enum_name(LPWSTR lpszName, LPARAM lParam);

/* WNDENUMPROC, for EnumDesktopWindows */
extern "Python" BOOL WINAPI winsvc_enum_window(HWND hwnd, LPARAM lParam);
