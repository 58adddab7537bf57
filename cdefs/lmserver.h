/* lmserver.h */

BOOL SetServiceBits(SERVICE_STATUS_HANDLE hServiceStatus, DWORD dwServiceBits, BOOL bSetBitsOn,
                    BOOL bUpdateImmediately);
