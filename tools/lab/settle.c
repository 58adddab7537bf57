/*
 * Wait until the SCM has started all automatic services. Until then it holds the database's lock,
 * and StartService fails with ERROR_SERVICE_DATABASE_LOCKED after some seconds. The call has no
 * other effect, because the service is running already.
 */
#include <string.h>
#include <windows.h>

#define HELD L"winsvc-lab-desktop-held"
#define THREADS 4

static DWORD WINAPI wait_forever(LPVOID parameter)
{
    (void)parameter;
    Sleep(INFINITE);
    return 0;
}

static int hold_desktop(void)
{
    HANDLE held = OpenEventW(EVENT_MODIFY_STATE, FALSE, HELD);
    int number;

    GetDesktopWindow(); /* starts explorer.exe */
    for (number = 0; number < THREADS; number++)
        if (!CreateThread(NULL, 0, wait_forever, NULL, 0, NULL))
            return (int)GetLastError();
    SetEvent(held);
    CloseHandle(held);
    return (int)wait_forever(NULL);
}

static DWORD start_holder(const wchar_t *program)
{
    HANDLE held = CreateEventW(NULL, TRUE, FALSE, HELD);
    STARTUPINFOW startup;
    PROCESS_INFORMATION process;
    wchar_t command[MAX_PATH + 8];
    DWORD result;

    GetStartupInfoW(&startup);
    wsprintfW(command, L"\"%s\" hold", program);
    if (!CreateProcessW(NULL, command, NULL, NULL, FALSE, DETACHED_PROCESS, NULL, NULL, &startup,
                        &process))
        return GetLastError();
    result = WaitForSingleObject(held, 60000);
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
    CloseHandle(held);
    return result;
}

static DWORD wait_for_services(void)
{
    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
    SC_HANDLE service = OpenServiceW(manager, L"PlugPlay", SERVICE_START);
    int tries = 0;
    DWORD error = 0;

    if (!service)
        return GetLastError();
    do {
        error = StartServiceW(service, 0, NULL) ? 0 : GetLastError();
    } while (error == ERROR_SERVICE_DATABASE_LOCKED && ++tries < 10);
    CloseServiceHandle(service);
    CloseServiceHandle(manager);
    return error == ERROR_SERVICE_ALREADY_RUNNING ? 0 : error;
}

int main(int count, char **arguments)
{
    wchar_t program[MAX_PATH];
    DWORD error;

    if (count > 1 && !strcmp(arguments[1], "hold"))
        return hold_desktop();
    error = wait_for_services();
    if (!error && !GetModuleFileNameW(NULL, program, MAX_PATH))
        error = GetLastError();
    return (int)(error ? error : start_holder(program));
}
