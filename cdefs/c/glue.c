/* Functions that some versions of Windows, or Wine, lack. If they were linked, a
   missing function would prevent the module from loading (Windows) or end the process
   (Wine); therefore each is looked up at its first use. Each has its own name here (by
   a macro, so that it does not conflict with the header's declaration), and fails with
   ERROR_CALL_NOT_IMPLEMENTED if it is missing; HAS_... is 1 if it exists. */

/* GCC allows casts of this type to every other function type without a warning. */
typedef void (*winsvc_proc)(void);

typedef struct {
    const char *name;
    const wchar_t *dll;
    /* NULL: not looked up yet. winsvc_absent: looked up and missing. Concurrent threads
       write the same pointer, and the write is atomic. */
    winsvc_proc volatile found;
} winsvc_call;

static void winsvc_absent(void)
{
}

static winsvc_proc winsvc_lookup(const wchar_t *dll, const char *name)
{
    /* This module is linked to each of these DLLs, or to a DLL that loads it. */
    HMODULE module = GetModuleHandleW(dll);

    return module != NULL ? (winsvc_proc)GetProcAddress(module, name) : NULL;
}

static const char *wine_version(void)
{
    typedef const char *(__cdecl *function)(void);
    function get_version = (function)winsvc_lookup(L"ntdll.dll", "wine_get_version");

    return get_version != NULL ? get_version() : NULL;
}

static winsvc_proc winsvc_find(winsvc_call *call)
{
    winsvc_proc found = call->found;

    if (found == NULL) {
        found = winsvc_lookup(call->dll, call->name);
        /* On Windows, advapi32 lacks some functions of sechost. Wine's sechost exports
           stubs that end the process, so it is not used. */
        if (found == NULL && wine_version() == NULL)
            found = winsvc_lookup(L"sechost.dll", call->name);
        if (found == NULL)
            found = winsvc_absent;
        call->found = found;
    }
    return found == winsvc_absent ? NULL : found;
}

#define WINSVC_CALL(function, dll) \
    static winsvc_call winsvc_call_##function = {#function, dll, NULL}
/* Both paste their argument, which the macros at the end of each wrapper must not expand. */
#define WINSVC_FIND(function) winsvc_find(&winsvc_call_##function)
#define WINSVC_HAS(function) (winsvc_find(&winsvc_call_##function) != NULL)

/* For functions that every header declares: check that the type is the same here. */
#ifdef __GNUC__
#define WINSVC_SAME_TYPE(a, b) \
    _Static_assert(__builtin_types_compatible_p(__typeof__(a), b), #a " differs from the header's")
#else
#define WINSVC_SAME_TYPE(a, b) typedef int winsvc_not_checked
#endif

WINSVC_CALL(ControlServiceExW, L"advapi32.dll");
WINSVC_CALL(QueryServiceDynamicInformation, L"advapi32.dll");
WINSVC_CALL(SubscribeServiceChangeNotifications, L"advapi32.dll");
WINSVC_CALL(UnsubscribeServiceChangeNotifications, L"advapi32.dll");
WINSVC_CALL(WaitServiceState, L"advapi32.dll");
WINSVC_CALL(GetServiceRegistryStateKey, L"advapi32.dll");
WINSVC_CALL(GetServiceDirectory, L"advapi32.dll");
WINSVC_CALL(GetSharedServiceRegistryStateKey, L"advapi32.dll");
WINSVC_CALL(GetSharedServiceDirectory, L"advapi32.dll");
WINSVC_CALL(CreateDesktopExW, L"user32.dll");

/* CFFI compiles a constant into a function, and calls it when Python first reads the
   attribute: reading one of these performs the look-up. */
#define HAS_ControlServiceExW WINSVC_HAS(ControlServiceExW)
#define HAS_QueryServiceDynamicInformation WINSVC_HAS(QueryServiceDynamicInformation)
#define HAS_SubscribeServiceChangeNotifications \
    (WINSVC_HAS(SubscribeServiceChangeNotifications) && \
     WINSVC_HAS(UnsubscribeServiceChangeNotifications))
#define HAS_WaitServiceState WINSVC_HAS(WaitServiceState)
#define HAS_GetServiceRegistryStateKey WINSVC_HAS(GetServiceRegistryStateKey)
#define HAS_GetServiceDirectory WINSVC_HAS(GetServiceDirectory)
#define HAS_GetSharedServiceRegistryStateKey WINSVC_HAS(GetSharedServiceRegistryStateKey)
#define HAS_GetSharedServiceDirectory WINSVC_HAS(GetSharedServiceDirectory)
#define HAS_CreateDesktopExW WINSVC_HAS(CreateDesktopExW)

static BOOL winsvc_ControlServiceExW(SC_HANDLE hService, DWORD dwControl, DWORD dwInfoLevel,
                                     PVOID pControlParams)
{
    typedef BOOL (WINAPI *function)(SC_HANDLE, DWORD, DWORD, PVOID);
    WINSVC_SAME_TYPE(&ControlServiceExW, function);
    function call = (function)WINSVC_FIND(ControlServiceExW);

    if (call == NULL) {
        SetLastError(ERROR_CALL_NOT_IMPLEMENTED);
        return FALSE;
    }
    return call(hService, dwControl, dwInfoLevel, pControlParams);
}
#define ControlServiceExW winsvc_ControlServiceExW

static BOOL winsvc_QueryServiceDynamicInformation(SERVICE_STATUS_HANDLE hServiceStatus,
                                                  DWORD dwInfoLevel, PVOID *ppDynamicInfo)
{
    typedef BOOL (WINAPI *function)(SERVICE_STATUS_HANDLE, DWORD, PVOID *);
    function call = (function)WINSVC_FIND(QueryServiceDynamicInformation);

    if (call == NULL) {
        SetLastError(ERROR_CALL_NOT_IMPLEMENTED);
        return FALSE;
    }
    return call(hServiceStatus, dwInfoLevel, ppDynamicInfo);
}
#define QueryServiceDynamicInformation winsvc_QueryServiceDynamicInformation

static DWORD winsvc_SubscribeServiceChangeNotifications(
    SC_HANDLE hService, SC_EVENT_TYPE eEventType, PSC_NOTIFICATION_CALLBACK pCallback,
    PVOID pCallbackContext, PSC_NOTIFICATION_REGISTRATION *pSubscription)
{
    typedef DWORD (WINAPI *function)(SC_HANDLE, SC_EVENT_TYPE, PSC_NOTIFICATION_CALLBACK, PVOID,
                                     PSC_NOTIFICATION_REGISTRATION *);
    function call = (function)WINSVC_FIND(SubscribeServiceChangeNotifications);

    if (call == NULL)
        return ERROR_CALL_NOT_IMPLEMENTED;
    return call(hService, eEventType, pCallback, pCallbackContext, pSubscription);
}
#define SubscribeServiceChangeNotifications winsvc_SubscribeServiceChangeNotifications

static void winsvc_UnsubscribeServiceChangeNotifications(
    PSC_NOTIFICATION_REGISTRATION pSubscription)
{
    typedef VOID (WINAPI *function)(PSC_NOTIFICATION_REGISTRATION);
    function call = (function)WINSVC_FIND(UnsubscribeServiceChangeNotifications);

    if (call != NULL)
        call(pSubscription);
}
#define UnsubscribeServiceChangeNotifications winsvc_UnsubscribeServiceChangeNotifications

static DWORD winsvc_WaitServiceState(SC_HANDLE hService, DWORD dwNotify, DWORD dwTimeout,
                                     HANDLE hCancelEvent)
{
    typedef DWORD (WINAPI *function)(SC_HANDLE, DWORD, DWORD, HANDLE);
    function call = (function)WINSVC_FIND(WaitServiceState);

    if (call == NULL)
        return ERROR_CALL_NOT_IMPLEMENTED;
    return call(hService, dwNotify, dwTimeout, hCancelEvent);
}
#define WaitServiceState winsvc_WaitServiceState

static DWORD winsvc_GetServiceRegistryStateKey(SERVICE_STATUS_HANDLE ServiceStatusHandle,
                                               SERVICE_REGISTRY_STATE_TYPE StateType,
                                               DWORD AccessMask, HKEY *ServiceStateKey)
{
    typedef DWORD (WINAPI *function)(SERVICE_STATUS_HANDLE, SERVICE_REGISTRY_STATE_TYPE, DWORD,
                                     HKEY *);
    function call = (function)WINSVC_FIND(GetServiceRegistryStateKey);

    if (call == NULL)
        return ERROR_CALL_NOT_IMPLEMENTED;
    return call(ServiceStatusHandle, StateType, AccessMask, ServiceStateKey);
}
#define GetServiceRegistryStateKey winsvc_GetServiceRegistryStateKey

static DWORD winsvc_GetServiceDirectory(SERVICE_STATUS_HANDLE hServiceStatus,
                                        SERVICE_DIRECTORY_TYPE eDirectoryType,
                                        PWCHAR lpPathBuffer, DWORD cchPathBufferLength,
                                        DWORD *lpcchRequiredBufferLength)
{
    typedef DWORD (WINAPI *function)(SERVICE_STATUS_HANDLE, SERVICE_DIRECTORY_TYPE, PWCHAR, DWORD,
                                     DWORD *);
    function call = (function)WINSVC_FIND(GetServiceDirectory);

    if (call == NULL)
        return ERROR_CALL_NOT_IMPLEMENTED;
    return call(hServiceStatus, eDirectoryType, lpPathBuffer, cchPathBufferLength,
                lpcchRequiredBufferLength);
}
#define GetServiceDirectory winsvc_GetServiceDirectory

static DWORD winsvc_GetSharedServiceRegistryStateKey(SC_HANDLE ServiceHandle,
                                                     SERVICE_SHARED_REGISTRY_STATE_TYPE StateType,
                                                     DWORD AccessMask, HKEY *ServiceStateKey)
{
    typedef DWORD (WINAPI *function)(SC_HANDLE, SERVICE_SHARED_REGISTRY_STATE_TYPE, DWORD, HKEY *);
    function call = (function)WINSVC_FIND(GetSharedServiceRegistryStateKey);

    if (call == NULL)
        return ERROR_CALL_NOT_IMPLEMENTED;
    return call(ServiceHandle, StateType, AccessMask, ServiceStateKey);
}
#define GetSharedServiceRegistryStateKey winsvc_GetSharedServiceRegistryStateKey

static DWORD winsvc_GetSharedServiceDirectory(SC_HANDLE ServiceHandle,
                                              SERVICE_SHARED_DIRECTORY_TYPE DirectoryType,
                                              PWCHAR PathBuffer, DWORD PathBufferLength,
                                              DWORD *RequiredBufferLength)
{
    typedef DWORD (WINAPI *function)(SC_HANDLE, SERVICE_SHARED_DIRECTORY_TYPE, PWCHAR, DWORD,
                                     DWORD *);
    function call = (function)WINSVC_FIND(GetSharedServiceDirectory);

    if (call == NULL)
        return ERROR_CALL_NOT_IMPLEMENTED;
    return call(ServiceHandle, DirectoryType, PathBuffer, PathBufferLength, RequiredBufferLength);
}
#define GetSharedServiceDirectory winsvc_GetSharedServiceDirectory

static HDESK winsvc_CreateDesktopExW(LPCWSTR lpszDesktop, LPCWSTR lpszDevice, DEVMODEW *pDevmode,
                                     DWORD dwFlags, ACCESS_MASK dwDesiredAccess,
                                     LPSECURITY_ATTRIBUTES lpsa, ULONG ulHeapSize, PVOID pvoid)
{
    typedef HDESK (WINAPI *function)(LPCWSTR, LPCWSTR, DEVMODEW *, DWORD, ACCESS_MASK,
                                     LPSECURITY_ATTRIBUTES, ULONG, PVOID);
    WINSVC_SAME_TYPE(&CreateDesktopExW, function);
    function call = (function)WINSVC_FIND(CreateDesktopExW);

    if (call == NULL) {
        SetLastError(ERROR_CALL_NOT_IMPLEMENTED);
        return NULL;
    }
    return call(lpszDesktop, lpszDevice, pDevmode, dwFlags, dwDesiredAccess, lpsa, ulHeapSize,
                pvoid);
}
#define CreateDesktopExW winsvc_CreateDesktopExW
