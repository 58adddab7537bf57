/* The functions of the files in c/. */

/* pywin32's name of ERROR_SERVICE_SPECIFIC_ERROR. */
#define SERVICE_SPECIFIC_ERROR ...

/* The version of Wine; NULL on Windows. */
const char *wine_version(void);

/* 1 if this system has the function, else 0; looked up at the first read.
   A missing function fails with ERROR_CALL_NOT_IMPLEMENTED. */
static const int HAS_ControlServiceExW;
static const int HAS_QueryServiceDynamicInformation;
static const int HAS_SubscribeServiceChangeNotifications;
static const int HAS_WaitServiceState;
static const int HAS_GetServiceRegistryStateKey;
static const int HAS_GetServiceDirectory;
static const int HAS_GetSharedServiceRegistryStateKey;
static const int HAS_GetSharedServiceDirectory;
static const int HAS_CreateDesktopExW;

/* Notifications, received on a worker thread: see c/notify.c. Errors are returned. */
typedef struct winsvc_waiter *WINSVC_WAITER;

/* NULL on failure, with the last error set. */
WINSVC_WAITER winsvc_open_waiter(void);
void winsvc_close_waiter(WINSVC_WAITER waiter);
/* NotifyServiceStatusChangeW, and SubscribeServiceChangeNotifications for properties. */
DWORD winsvc_arm(WINSVC_WAITER waiter, SC_HANDLE handle, DWORD mask);
DWORD winsvc_subscribe(WINSVC_WAITER waiter, SC_HANDLE handle);
/* Closes the handle, which is the only way to end a registration. */
DWORD winsvc_disarm(WINSVC_WAITER waiter, SC_HANDLE handle);
/* WaitForSingleObject, until a notification arrives or winsvc_wake is called. */
DWORD winsvc_wait(WINSVC_WAITER waiter, DWORD milliseconds);
/* FALSE: no notification is left. The caller frees pszServiceNames. */
BOOL winsvc_take(WINSVC_WAITER waiter, SC_HANDLE *handle, SERVICE_NOTIFY_2W *notify);
void winsvc_wake(WINSVC_WAITER waiter);
void winsvc_count(DWORD *waiters, DWORD *registrations, DWORD *threads);

/* An enumeration without its pointers: see c/pack.c. The texts are the name and the
   display name of each entry, each with its NUL; the result is the number of characters,
   and if it exceeds the room, the texts are incomplete. The other arrays have room for
   count items: the different statuses, the index of the status of each entry, and the
   indices of the entries whose display name is NULL or empty. */
typedef struct {
    DWORD cStatuses;
    DWORD cBlanks;
    BOOL fNarrow; /* the texts are bytes, in Latin-1 */
} WINSVC_PACKED;

DWORD winsvc_pack(const ENUM_SERVICE_STATUS_PROCESSW *entries, DWORD count, wchar_t *texts,
                  DWORD room, SERVICE_STATUS_PROCESS *statuses, DWORD *which, DWORD *blanks,
                  WINSVC_PACKED *packed);

/* See c/process.c. Whether the parent process is services.exe. */
BOOL winsvc_parent_is_scm(BOOL *result);

/* See c/query.c. QueryServiceStatusEx: the nine numbers of a SERVICE_STATUS_PROCESS. */
BOOL winsvc_query_status(ULONG_PTR service, DWORD *numbers);

/* OpenServiceW, QueryServiceConfigW and CloseServiceHandle for each name of a
   multi-string. The result is the number of processed names: less than count if the
   texts of the next service do not fit. The texts are, in sequence: path, group, account,
   display name, dependencies; a service whose dwError is not 0 has none. */
typedef struct {
    DWORD dwError;
    DWORD dwServiceType;
    DWORD dwStartType;
    DWORD dwErrorControl;
    DWORD dwTagId;
    DWORD dwNulls; /* bits: which of these texts, and the dependencies, are NULL */
    DWORD cDependencies;
} WINSVC_CONFIG;

DWORD winsvc_query_configs(ULONG_PTR manager, const wchar_t *names, DWORD count,
                           WINSVC_CONFIG *configs, wchar_t *texts, DWORD room, DWORD *used);
