/* winreg.h: to close the key that GetServiceRegistryStateKey opens. */

LONG RegCloseKey(HKEY hKey);
