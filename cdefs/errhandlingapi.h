/* errhandlingapi.h: CFFI saves the last error after each call, per thread, and restores
   it before the next call: these functions use the last error of the last call through CFFI. */

DWORD GetLastError(void);
void SetLastError(DWORD dwErrCode);
