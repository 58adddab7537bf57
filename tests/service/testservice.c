/*
 * A service for the tests and the demo. It reports RUNNING immediately, accepts stop, pause and
 * continue, and handles these arguments of StartService, in order:
 *   exit=CODE         stop with this exit code instead of running
 *   specific=CODE     stop with ERROR_SERVICE_SPECIFIC_ERROR and this code
 *   die               end the process without reporting a status
 *   slow=MS           remain in START_PENDING for this time, with check points
 *   log=PATH          append a line for each event (start with arguments, every control)
 */
#include <windows.h>
#include <stdio.h>

static SERVICE_STATUS_HANDLE handle;
static SERVICE_STATUS status = {
    .dwServiceType = SERVICE_WIN32_OWN_PROCESS,
    .dwCurrentState = SERVICE_START_PENDING,
};
static HANDLE stop_event;
static DWORD accepted = SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_PAUSE_CONTINUE
    | SERVICE_ACCEPT_PARAMCHANGE;
static wchar_t log_path[MAX_PATH];

static void note(const wchar_t *what)
{
    FILE *file = log_path[0] ? _wfopen(log_path, L"ab") : NULL;
    char line[1024];

    if (!file)
        return;
    WideCharToMultiByte(CP_UTF8, 0, what, -1, line, sizeof(line), NULL, NULL);
    fprintf(file, "%s\n", line);
    fclose(file);
}

static void report(DWORD state)
{
    status.dwCurrentState = state;
    status.dwControlsAccepted = 0;
    if (state == SERVICE_RUNNING || state == SERVICE_PAUSED)
        status.dwControlsAccepted = accepted;
    SetServiceStatus(handle, &status);
}

static void report_pending(DWORD state, DWORD check_point, DWORD hint)
{
    status.dwCheckPoint = check_point;
    status.dwWaitHint = hint;
    report(state);
    status.dwCheckPoint = status.dwWaitHint = 0;
}

static void stay(DWORD state, DWORD milliseconds)
{
    DWORD i;

    for (i = 1; milliseconds; i++) {
        DWORD nap = milliseconds < 100 ? milliseconds : 100;

        report_pending(state, i, 2000);
        Sleep(nap);
        milliseconds -= nap;
    }
}

static DWORD WINAPI handler(DWORD control, DWORD type, void *data, void *context)
{
    wchar_t line[64];

    (void)type, (void)data, (void)context;
    swprintf(line, 64, L"control %lu", control);
    note(line);
    switch (control) {
    case SERVICE_CONTROL_STOP:
        report_pending(SERVICE_STOP_PENDING, 1, 1000);
        SetEvent(stop_event);
        break;
    case SERVICE_CONTROL_PAUSE:
        report(SERVICE_PAUSED);
        break;
    case SERVICE_CONTROL_CONTINUE:
        report(SERVICE_RUNNING);
        break;
    }
    return NO_ERROR;
}

static void WINAPI service_main(DWORD argc, wchar_t **argv)
{
    DWORD slow = 0, slow_stop = 0, runs = INFINITE, i;
    BOOL ends = FALSE, dies = FALSE;

    handle = RegisterServiceCtrlHandlerExW(argv[0], handler, NULL);
    stop_event = CreateEventW(NULL, TRUE, FALSE, NULL);
    for (i = 1; i < argc; i++) {
        if (!wcsncmp(argv[i], L"exit=", 5)) {
            status.dwWin32ExitCode = wcstoul(argv[i] + 5, NULL, 0);
            ends = TRUE;
        } else if (!wcsncmp(argv[i], L"specific=", 9)) {
            status.dwWin32ExitCode = ERROR_SERVICE_SPECIFIC_ERROR;
            status.dwServiceSpecificExitCode = wcstoul(argv[i] + 9, NULL, 0);
            ends = TRUE;
        } else if (!wcscmp(argv[i], L"die")) {
            dies = TRUE;
        } else if (!wcsncmp(argv[i], L"slow=", 5)) {
            slow = wcstoul(argv[i] + 5, NULL, 0);
        } else if (!wcsncmp(argv[i], L"slow-stop=", 10)) {
            slow_stop = wcstoul(argv[i] + 10, NULL, 0);
        } else if (!wcsncmp(argv[i], L"runs=", 5)) {
            runs = wcstoul(argv[i] + 5, NULL, 0);
        } else if (!wcscmp(argv[i], L"no-pause")) {
            accepted &= ~SERVICE_ACCEPT_PAUSE_CONTINUE;
        } else if (!wcsncmp(argv[i], L"log=", 4)) {
            wcsncpy(log_path, argv[i] + 4, MAX_PATH - 1);
        }
    }
    for (i = 0; i < argc; i++)
        note(argv[i]);
    if (dies)
        ExitProcess(3);
    stay(SERVICE_START_PENDING, slow);
    if (!ends || runs != INFINITE) {
        report(SERVICE_RUNNING);
        if (WaitForSingleObject(stop_event, runs) == WAIT_OBJECT_0)
            stay(SERVICE_STOP_PENDING, slow_stop);
    }
    report(SERVICE_STOPPED);
}

int wmain(void)
{
    SERVICE_TABLE_ENTRYW table[] = {{L"", service_main}, {NULL, NULL}};

    if (!StartServiceCtrlDispatcherW(table))
        return (int)GetLastError();
    /* Under Wine another thread may still send the result of the last control: without it
       ControlService fails with ERROR_BROKEN_PIPE. */
    Sleep(100);
    return 0;
}
