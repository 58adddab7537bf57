/* winreg.h: closing the key that GetServiceRegistryStateKey opens. */

LONG RegCloseKey(HKEY hKey);
