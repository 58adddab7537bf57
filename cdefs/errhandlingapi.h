/* errhandlingapi.h: CFFI keeps the last error of each call per thread and puts it
   back before the next one, so these see what the last call through CFFI left. */

DWORD GetLastError(void);
void SetLastError(DWORD dwErrCode);
