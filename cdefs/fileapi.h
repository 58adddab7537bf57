/* fileapi.h: what kind of drive it is. */

UINT GetDriveTypeW(LPCWSTR lpRootPathName);
