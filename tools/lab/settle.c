/*
 * Returns when the SCM has started what starts by itself. Until then it holds the database's lock,
 * and StartService answers ERROR_SERVICE_DATABASE_LOCKED after some seconds of waiting for it. A
 * service that is running already makes the question harmless.
 */
#include <windows.h>

int main(void)
{
    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
    SC_HANDLE service = OpenServiceW(manager, L"PlugPlay", SERVICE_START);
    int tries = 0;
    DWORD error = 0;

    if (!service)
        return (int)GetLastError();
    do {
        error = StartServiceW(service, 0, NULL) ? 0 : GetLastError();
    } while (error == ERROR_SERVICE_DATABASE_LOCKED && ++tries < 10);
    CloseServiceHandle(service);
    CloseServiceHandle(manager);
    return error == ERROR_SERVICE_ALREADY_RUNNING ? 0 : (int)error;
}
