/* The Windows headers, and the declarations that they lack.

   Microsoft's SDK (10.0.17763 and later) contains all declarations of cdefs/ except
   for a few constants. mingw-w64's headers, including version 15, lack several
   structures, enumerations and GUIDs of winsvc.h; older versions lack more constants.

   A missing constant is defined under #ifndef, so that a definition in a header has
   precedence. The preprocessor cannot test for a type: for mingw-w64 the type is
   defined with another name, and a macro after all headers maps the documented name
   to it. This also works with a mingw-w64 that declares the type. */

#ifndef WINSVC_COMPAT_H
#define WINSVC_COMPAT_H

/* Defined by build_ffi.py, because <Python.h>, which comes first, may define another value. */
#if !defined(_WIN32_WINNT) || _WIN32_WINNT < 0x0A00
#error "compile with -D_WIN32_WINNT=0x0A00"
#endif

/* Each kind of handle is a separate type. */
#ifndef STRICT
#define STRICT 1
#endif

#include <windows.h>
#include <winsvc.h>
#include <lmcons.h>
#include <lmserver.h>
#include <sddl.h>
#include <dbt.h>

/* ---- winerror.h ------------------------------------------------------------ */

#ifndef ERROR_INVALID_IMAGE_HASH
#define ERROR_INVALID_IMAGE_HASH 577L
#endif
#ifndef ERROR_ELEVATION_REQUIRED
#define ERROR_ELEVATION_REQUIRED 740L
#endif
#ifndef ERROR_SHUTDOWN_IS_SCHEDULED
#define ERROR_SHUTDOWN_IS_SCHEDULED 1190L
#endif
#ifndef ERROR_INCOMPATIBLE_SERVICE_SID_TYPE
#define ERROR_INCOMPATIBLE_SERVICE_SID_TYPE 1290L
#endif
#ifndef ERROR_DRIVER_PROCESS_TERMINATED
#define ERROR_DRIVER_PROCESS_TERMINATED 1291L
#endif
#ifndef ERROR_IMPLEMENTATION_LIMIT
#define ERROR_IMPLEMENTATION_LIMIT 1292L
#endif
#ifndef ERROR_PROCESS_IS_PROTECTED
#define ERROR_PROCESS_IS_PROTECTED 1293L
#endif
#ifndef ERROR_SERVICE_NOTIFY_CLIENT_LAGGING
#define ERROR_SERVICE_NOTIFY_CLIENT_LAGGING 1294L
#endif
#ifndef ERROR_DISK_QUOTA_EXCEEDED
#define ERROR_DISK_QUOTA_EXCEEDED 1295L
#endif
#ifndef ERROR_CONTENT_BLOCKED
#define ERROR_CONTENT_BLOCKED 1296L
#endif
#ifndef ERROR_INCOMPATIBLE_SERVICE_PRIVILEGE
#define ERROR_INCOMPATIBLE_SERVICE_PRIVILEGE 1297L
#endif
#ifndef ERROR_INVALID_LABEL
#define ERROR_INVALID_LABEL 1299L
#endif

/* ---- winnt.h --------------------------------------------------------------- */

#ifndef PROCESS_TRUST_LABEL_SECURITY_INFORMATION
#define PROCESS_TRUST_LABEL_SECURITY_INFORMATION 0x00000080L
#endif
#ifndef SERVICE_USER_SERVICE
#define SERVICE_USER_SERVICE 0x00000040
#endif
#ifndef SERVICE_USERSERVICE_INSTANCE
#define SERVICE_USERSERVICE_INSTANCE 0x00000080
#endif
#ifndef SERVICE_USER_SHARE_PROCESS
#define SERVICE_USER_SHARE_PROCESS (SERVICE_USER_SERVICE | SERVICE_WIN32_SHARE_PROCESS)
#endif
#ifndef SERVICE_USER_OWN_PROCESS
#define SERVICE_USER_OWN_PROCESS (SERVICE_USER_SERVICE | SERVICE_WIN32_OWN_PROCESS)
#endif
#ifndef SERVICE_PKG_SERVICE
#define SERVICE_PKG_SERVICE 0x00000200
#endif
#ifdef __MINGW32__
/* mingw-w64's SERVICE_TYPE_ALL does not include the three types above. */
#undef SERVICE_TYPE_ALL
#define SERVICE_TYPE_ALL (SERVICE_WIN32 | SERVICE_ADAPTER | SERVICE_DRIVER | \
    SERVICE_INTERACTIVE_PROCESS | SERVICE_USER_SERVICE | SERVICE_USERSERVICE_INSTANCE | \
    SERVICE_PKG_SERVICE)
#endif

/* ---- winsvc.h -------------------------------------------------------------- */

#ifndef SERVICE_CONTROL_USER_LOGOFF /* a comment in Microsoft's header */
#define SERVICE_CONTROL_USER_LOGOFF 0x00000011
#endif
#ifndef SERVICE_TRIGGER_ACTION_SERVICE_START
#define SERVICE_TRIGGER_ACTION_SERVICE_START 1
#endif
#ifndef SERVICE_TRIGGER_ACTION_SERVICE_STOP
#define SERVICE_TRIGGER_ACTION_SERVICE_STOP 2
#endif
#ifndef SERVICE_TRIGGER_STARTED_ARGUMENT
#define SERVICE_TRIGGER_STARTED_ARGUMENT L"TriggerStarted"
#endif

/* pywin32's name; no header of Microsoft contains it */
#ifndef SERVICE_SPECIFIC_ERROR
#define SERVICE_SPECIFIC_ERROR ERROR_SERVICE_SPECIFIC_ERROR
#endif

/* An enumerator in newer headers, which #ifndef does not find; the value is the same. */
#define SC_ACTION_OWN_RESTART 4

#ifdef __MINGW32__

/* mingw-w64's SERVICE_NOTIFYW is Microsoft's SERVICE_NOTIFY_2W with the older name. */
#define SERVICE_NOTIFY_2W SERVICE_NOTIFYW
#define PSERVICE_NOTIFY_2W PSERVICE_NOTIFYW

typedef struct winsvc_trigger_specific_data_item {
    DWORD dwDataType;
    DWORD cbData;
    PBYTE pData;
} winsvc_trigger_specific_data_item;
#define SERVICE_TRIGGER_SPECIFIC_DATA_ITEM winsvc_trigger_specific_data_item
#define PSERVICE_TRIGGER_SPECIFIC_DATA_ITEM winsvc_trigger_specific_data_item *

typedef struct winsvc_trigger {
    DWORD dwTriggerType;
    DWORD dwAction;
    GUID *pTriggerSubtype;
    DWORD cDataItems;
    winsvc_trigger_specific_data_item *pDataItems;
} winsvc_trigger;
#define SERVICE_TRIGGER winsvc_trigger
#define PSERVICE_TRIGGER winsvc_trigger *

typedef struct winsvc_trigger_info {
    DWORD cTriggers;
    winsvc_trigger *pTriggers;
    PBYTE pReserved;
} winsvc_trigger_info;
#define SERVICE_TRIGGER_INFO winsvc_trigger_info
#define PSERVICE_TRIGGER_INFO winsvc_trigger_info *

typedef struct winsvc_preferred_node_info {
    USHORT usPreferredNode;
    BOOLEAN fDelete;
} winsvc_preferred_node_info;
#define SERVICE_PREFERRED_NODE_INFO winsvc_preferred_node_info
#define LPSERVICE_PREFERRED_NODE_INFO winsvc_preferred_node_info *

typedef struct winsvc_timechange_info {
    LARGE_INTEGER liNewTime;
    LARGE_INTEGER liOldTime;
} winsvc_timechange_info;
#define SERVICE_TIMECHANGE_INFO winsvc_timechange_info
#define PSERVICE_TIMECHANGE_INFO winsvc_timechange_info *

typedef struct winsvc_launch_protected_info {
    DWORD dwLaunchProtected;
} winsvc_launch_protected_info;
#define SERVICE_LAUNCH_PROTECTED_INFO winsvc_launch_protected_info
#define PSERVICE_LAUNCH_PROTECTED_INFO winsvc_launch_protected_info *

typedef struct winsvc_start_reason {
    DWORD dwReason;
} winsvc_start_reason;
#define SERVICE_START_REASON winsvc_start_reason
#define PSERVICE_START_REASON winsvc_start_reason *

typedef enum winsvc_event_type {
    winsvc_event_database_change,
    winsvc_event_property_change,
    winsvc_event_status_change
} winsvc_event_type;
#define SC_EVENT_TYPE winsvc_event_type
#define SC_EVENT_DATABASE_CHANGE winsvc_event_database_change
#define SC_EVENT_PROPERTY_CHANGE winsvc_event_property_change
#define SC_EVENT_STATUS_CHANGE winsvc_event_status_change

typedef VOID (CALLBACK *winsvc_notification_callback)(DWORD dwNotify, PVOID pCallbackContext);
#define PSC_NOTIFICATION_CALLBACK winsvc_notification_callback
struct _SC_NOTIFICATION_REGISTRATION;
#define PSC_NOTIFICATION_REGISTRATION struct _SC_NOTIFICATION_REGISTRATION *

#endif /* __MINGW32__ */

/* Microsoft's header declares these, but no library defines them. */
static const GUID winsvc_first_ip_address_arrival = {
    0x4f27f2de, 0x14e2, 0x430b, {0xa5, 0x49, 0x7c, 0xd4, 0x8c, 0xbc, 0x82, 0x45}};
static const GUID winsvc_last_ip_address_removal = {
    0xcc4ba62a, 0x162e, 0x4648, {0x84, 0x7a, 0xb6, 0xbd, 0xf9, 0x93, 0xe3, 0x35}};
static const GUID winsvc_domain_join = {
    0x1ce20aba, 0x9851, 0x4421, {0x94, 0x30, 0x1d, 0xde, 0xb7, 0x66, 0xe8, 0x09}};
static const GUID winsvc_domain_leave = {
    0xddaf516e, 0x58c2, 0x4866, {0x95, 0x74, 0xc3, 0xb6, 0x15, 0xd4, 0x2e, 0xa1}};
static const GUID winsvc_firewall_port_open = {
    0xb7569e07, 0x8421, 0x4ee0, {0xad, 0x10, 0x86, 0x91, 0x5a, 0xfd, 0xad, 0x09}};
static const GUID winsvc_firewall_port_close = {
    0xa144ed38, 0x8e12, 0x4de4, {0x9d, 0x96, 0xe6, 0x47, 0x40, 0xb1, 0xa5, 0x24}};
static const GUID winsvc_machine_policy_present = {
    0x659fcae6, 0x5bdb, 0x4da9, {0xb1, 0xff, 0xca, 0x2a, 0x17, 0x8d, 0x46, 0xe0}};
static const GUID winsvc_user_policy_present = {
    0x54fb46c8, 0xf089, 0x464c, {0xb1, 0xfd, 0x59, 0xd1, 0xb6, 0x2c, 0x3b, 0x50}};
static const GUID winsvc_rpc_interface_event = {
    0xbc90d167, 0x9470, 0x4139, {0xa9, 0xba, 0xbe, 0x0b, 0xbb, 0xf5, 0xb7, 0x4d}};
static const GUID winsvc_named_pipe_event = {
    0x1f81d131, 0x3fac, 0x4537, {0x9e, 0x0c, 0x7e, 0x7b, 0x0c, 0x2f, 0x4b, 0x55}};
static const GUID winsvc_custom_system_state_change_event = {
    0x2d7a2816, 0x0c5e, 0x45fc, {0x9c, 0xe7, 0x57, 0x0e, 0x5e, 0xcd, 0xe9, 0xc9}};
#define NETWORK_MANAGER_FIRST_IP_ADDRESS_ARRIVAL_GUID winsvc_first_ip_address_arrival
#define NETWORK_MANAGER_LAST_IP_ADDRESS_REMOVAL_GUID winsvc_last_ip_address_removal
#define DOMAIN_JOIN_GUID winsvc_domain_join
#define DOMAIN_LEAVE_GUID winsvc_domain_leave
#define FIREWALL_PORT_OPEN_GUID winsvc_firewall_port_open
#define FIREWALL_PORT_CLOSE_GUID winsvc_firewall_port_close
#define MACHINE_POLICY_PRESENT_GUID winsvc_machine_policy_present
#define USER_POLICY_PRESENT_GUID winsvc_user_policy_present
#define RPC_INTERFACE_EVENT_GUID winsvc_rpc_interface_event
#define NAMED_PIPE_EVENT_GUID winsvc_named_pipe_event
#define CUSTOM_SYSTEM_STATE_CHANGE_EVENT_GUID winsvc_custom_system_state_change_event

#if defined(__MINGW32__) || NTDDI_VERSION < 0x0A000005 /* NTDDI_WIN10_RS4 */
typedef enum winsvc_registry_state_type {
    winsvc_registry_state_parameters = 0,
    winsvc_registry_state_persistent = 1
} winsvc_registry_state_type;
#define SERVICE_REGISTRY_STATE_TYPE winsvc_registry_state_type
#define ServiceRegistryStateParameters winsvc_registry_state_parameters
#define ServiceRegistryStatePersistent winsvc_registry_state_persistent
#endif

#if defined(__MINGW32__) || NTDDI_VERSION < 0x0A000006 /* NTDDI_WIN10_RS5 */
typedef enum winsvc_directory_type {
    winsvc_directory_persistent_state = 0
} winsvc_directory_type;
#define SERVICE_DIRECTORY_TYPE winsvc_directory_type
#define ServiceDirectoryPersistentState winsvc_directory_persistent_state
#endif

#if defined(__MINGW32__) || NTDDI_VERSION < 0x0A000009 /* NTDDI_WIN10_MN */
typedef enum winsvc_shared_registry_state_type {
    winsvc_shared_registry_persistent_state = 0
} winsvc_shared_registry_state_type;
#define SERVICE_SHARED_REGISTRY_STATE_TYPE winsvc_shared_registry_state_type
#define ServiceSharedRegistryPersistentState winsvc_shared_registry_persistent_state

typedef enum winsvc_shared_directory_type {
    winsvc_shared_directory_persistent_state = 0
} winsvc_shared_directory_type;
#define SERVICE_SHARED_DIRECTORY_TYPE winsvc_shared_directory_type
#define ServiceSharedDirectoryPersistentState winsvc_shared_directory_persistent_state
#endif

#endif /* WINSVC_COMPAT_H */
