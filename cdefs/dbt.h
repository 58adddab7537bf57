/* dbt.h: the data of SERVICE_CONTROL_DEVICEEVENT. */

#define WM_DEVICECHANGE ...

#define DBT_DEVNODES_CHANGED ...
#define DBT_QUERYCHANGECONFIG ...
#define DBT_CONFIGCHANGED ...
#define DBT_CONFIGCHANGECANCELED ...

typedef struct _DEV_BROADCAST_HDR {
    DWORD dbch_size;
    DWORD dbch_devicetype;
    DWORD dbch_reserved;
} DEV_BROADCAST_HDR, *PDEV_BROADCAST_HDR;

#define DBT_DEVICEARRIVAL ...
#define DBT_DEVICEQUERYREMOVE ...
#define DBT_DEVICEQUERYREMOVEFAILED ...
#define DBT_DEVICEREMOVEPENDING ...
#define DBT_DEVICEREMOVECOMPLETE ...
#define DBT_DEVICETYPESPECIFIC ...
#define DBT_CUSTOMEVENT ...

#define DBT_DEVTYP_OEM ...
#define DBT_DEVTYP_DEVNODE ...
#define DBT_DEVTYP_VOLUME ...
#define DBT_DEVTYP_PORT ...
#define DBT_DEVTYP_NET ...
#define DBT_DEVTYP_DEVICEINTERFACE ...
#define DBT_DEVTYP_HANDLE ...

typedef struct _DEV_BROADCAST_OEM {
    DWORD dbco_size;
    DWORD dbco_devicetype;
    DWORD dbco_reserved;
    DWORD dbco_identifier;
    DWORD dbco_suppfunc;
} DEV_BROADCAST_OEM, *PDEV_BROADCAST_OEM;

typedef struct _DEV_BROADCAST_VOLUME {
    DWORD dbcv_size;
    DWORD dbcv_devicetype;
    DWORD dbcv_reserved;
    DWORD dbcv_unitmask;
    WORD dbcv_flags;
} DEV_BROADCAST_VOLUME, *PDEV_BROADCAST_VOLUME;

#define DBTF_MEDIA ...
#define DBTF_NET ...

/* The names at the end of these structures are longer than the declared character. */
typedef struct _DEV_BROADCAST_PORT_W {
    DWORD dbcp_size;
    DWORD dbcp_devicetype;
    DWORD dbcp_reserved;
    wchar_t dbcp_name[1];
} DEV_BROADCAST_PORT_W, *PDEV_BROADCAST_PORT_W;

typedef struct _DEV_BROADCAST_DEVICEINTERFACE_W {
    DWORD dbcc_size;
    DWORD dbcc_devicetype;
    DWORD dbcc_reserved;
    GUID dbcc_classguid;
    wchar_t dbcc_name[1];
} DEV_BROADCAST_DEVICEINTERFACE_W, *PDEV_BROADCAST_DEVICEINTERFACE_W;

typedef struct _DEV_BROADCAST_HANDLE {
    DWORD dbch_size;
    DWORD dbch_devicetype;
    DWORD dbch_reserved;
    HANDLE dbch_handle;
    HDEVNOTIFY dbch_hdevnotify;
    GUID dbch_eventguid;
    LONG dbch_nameoffset;
    BYTE dbch_data[1];
} DEV_BROADCAST_HANDLE, *PDEV_BROADCAST_HANDLE;
