/* Our own, from the files in c/. */

/* What pywin32 calls ERROR_SERVICE_SPECIFIC_ERROR. */
#define SERVICE_SPECIFIC_ERROR ...

/* The version of Wine that runs us, NULL on Windows. */
const char *wine_version(void);

/* 1 if this system has the call of that name, else 0; looked up when first read.
   Without it, the call fails with ERROR_CALL_NOT_IMPLEMENTED. */
static const int HAS_ControlServiceExW;
static const int HAS_QueryServiceDynamicInformation;
static const int HAS_SubscribeServiceChangeNotifications;
static const int HAS_WaitServiceState;
static const int HAS_GetServiceRegistryStateKey;
static const int HAS_GetServiceDirectory;
static const int HAS_GetSharedServiceRegistryStateKey;
static const int HAS_GetSharedServiceDirectory;
static const int HAS_CreateDesktopExW;

/* Notifications, received on a thread of ours: see c/notify.c. Errors are returned. */
typedef struct winsvc_waiter *WINSVC_WAITER;

/* NULL: the last error says why. */
WINSVC_WAITER winsvc_open_waiter(void);
void winsvc_close_waiter(WINSVC_WAITER waiter);
/* NotifyServiceStatusChangeW, and SubscribeServiceChangeNotifications for properties. */
DWORD winsvc_arm(WINSVC_WAITER waiter, SC_HANDLE handle, DWORD mask);
DWORD winsvc_subscribe(WINSVC_WAITER waiter, SC_HANDLE handle);
/* Closes the handle: nothing else ends a registration. */
DWORD winsvc_disarm(WINSVC_WAITER waiter, SC_HANDLE handle);
/* WaitForSingleObject, until there is something to take, or winsvc_wake was called. */
DWORD winsvc_wait(WINSVC_WAITER waiter, DWORD milliseconds);
/* FALSE: there is no more. pszServiceNames is to be freed. */
BOOL winsvc_take(WINSVC_WAITER waiter, SC_HANDLE *handle, SERVICE_NOTIFY_2W *notify);
void winsvc_wake(WINSVC_WAITER waiter);
void winsvc_count(DWORD *waiters, DWORD *registrations, DWORD *threads);

/* An enumeration without its pointers: see c/pack.c. In texts each entry has its name
   and its display name, each with its NUL; returned is how many characters they are,
   and where that is more than the room, nothing there is whole. The other arrays have
   room for count: the statuses that are different, which of them each entry has, and
   the entries whose display name is NULL or empty. */
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

/* OpenServiceW, QueryServiceConfigW and CloseServiceHandle for each of the names, which
   stand behind one another. Returned is for how many: fewer than asked for where there
   was no room for the texts of the next. Those are, one behind the other: path, group,
   account, display name, dependencies; where dwError is not 0 there are none. */
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
