/* processthreadsapi.h */

HANDLE GetCurrentProcess(void);
DWORD GetCurrentProcessId(void);
HANDLE GetCurrentThread(void);
DWORD GetCurrentThreadId(void);
BOOL OpenProcessToken(HANDLE ProcessHandle, DWORD DesiredAccess, PHANDLE TokenHandle);
HANDLE OpenProcess(DWORD dwDesiredAccess, BOOL bInheritHandle, DWORD dwProcessId);
BOOL ProcessIdToSessionId(DWORD dwProcessId, DWORD *pSessionId);
BOOL GetProcessHandleCount(HANDLE hProcess, PDWORD pdwHandleCount);
