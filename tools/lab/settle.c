/*
 * Wait until the SCM has started all automatic services. Until then it holds the database's lock,
 * and StartService fails with ERROR_SERVICE_DATABASE_LOCKED after some seconds. The call has no
 * other effect, because the service is running already.
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
