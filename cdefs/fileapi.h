/* fileapi.h: what kind of drive it is, and folders with rights of their own. */

BOOL CreateDirectoryW(LPCWSTR lpPathName, LPSECURITY_ATTRIBUTES lpSecurityAttributes);
UINT GetDriveTypeW(LPCWSTR lpRootPathName);
