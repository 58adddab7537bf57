/* fileapi.h: kinds of drives, and folders with a security descriptor. */

BOOL CreateDirectoryW(LPCWSTR lpPathName, LPSECURITY_ATTRIBUTES lpSecurityAttributes);
UINT GetDriveTypeW(LPCWSTR lpRootPathName);
