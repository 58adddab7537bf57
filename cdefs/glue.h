/* Our own, from c/glue.c. */

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
