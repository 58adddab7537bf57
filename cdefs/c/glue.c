/* Calls that some Windows, or Wine, lacks. Linked in the plain way a missing one
   would stop the module from loading (Windows) or kill the process (Wine), so each
   is looked up when first wanted. Each stands here under its own name (by a macro,
   so that it does not clash with the header's), and fails with
   ERROR_CALL_NOT_IMPLEMENTED where there is none; HAS_... says which there are. */

/* GCC lets this type be cast to every other function type without a warning. */
typedef void (*winsvc_proc)(void);

typedef struct {
    const char *name;
    const wchar_t *dll;
    /* NULL: not looked up yet. winsvc_absent: looked up, and not there. Threads that
       race here all write the same pointer, and a pointer is written whole. */
    winsvc_proc volatile found;
} winsvc_call;

static void winsvc_absent(void)
{
}

static winsvc_proc winsvc_lookup(const wchar_t *dll, const char *name)
{
    /* Each DLL asked for is one that this module is linked to, or that those load. */
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
        /* On Windows advapi32 lacks some that sechost has. Wine's sechost exports
           stubs that end the process, so there it is no evidence. */
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
/* Both paste their argument, which keeps the macros at the end of each wrapper out. */
#define WINSVC_FIND(function) winsvc_find(&winsvc_call_##function)
#define WINSVC_HAS(function) (winsvc_find(&winsvc_call_##function) != NULL)

/* For a call that every header declares: its type is the one written here. */
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

/* CFFI compiles a constant into a function, and runs it when Python first reads the
   attribute: so reading one of these does the look-up. */
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
