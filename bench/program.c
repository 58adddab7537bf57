/*
 * The base of the benchmark: the Win32 calls that each job needs, and nothing else.
 *
 * It performs a job for each line, as the Python workers do: it reads a line with a job and its
 * arguments, and prints "ok NANOSECONDS ITEMS" or "error CODE CALL". Buffers are reused, and those of
 * an enumeration have the size of the last result.
 */
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READING (SERVICE_QUERY_STATUS | SERVICE_QUERY_CONFIG)
#define PAGE_LIMIT (256 * 1024)

static SC_HANDLE manager;
static BYTE *page;
static DWORD page_size = 8 * 1024;
static BYTE answer[8 * 1024];
static const char *failed;

static LONGLONG now(void)
{
    static LARGE_INTEGER frequency;
    LARGE_INTEGER ticks;

    if (!frequency.QuadPart)
        QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&ticks);
    return (LONGLONG)((double)ticks.QuadPart * 1e9 / (double)frequency.QuadPart);
}

static BOOL check(BOOL done, const char *call)
{
    if (!done)
        failed = call;
    return done;
}

static SC_HANDLE opened(const wchar_t *name, DWORD access)
{
    SC_HANDLE service = OpenServiceW(manager, name, access);

    check(service != NULL, "OpenServiceW");
    return service;
}

/* ------------------------------------------------------------------------------- listing */

static void resize(DWORD needed)
{
    page_size = needed + needed / 16 + 1024;
    page_size = page_size > 8 * 1024 ? page_size : 8 * 1024;
    free(page);
    page = NULL;
}

/* Called for each entry; NULL if only the list is measured. */
typedef BOOL (*each)(const ENUM_SERVICE_STATUS_PROCESSW *entry, LONG *left);

static volatile DWORD seen; /* the compiler must not remove the reads of the entries */

static LONG list(each visit, LONG limit)
{
    DWORD needed, count, resume = 0, i;
    ULONG_PTR largest;
    LONG total = 0, left = limit;
    BOOL done, whole = TRUE;

    do {
        DWORD from = resume;

        if (!page)
            page = malloc(page_size);
        done = EnumServicesStatusExW(manager, SC_ENUM_PROCESS_INFO, SERVICE_WIN32, SERVICE_STATE_ALL,
                                     page, page_size, &needed, &count, &resume, NULL);
        if (!done && GetLastError() != ERROR_MORE_DATA)
            return check(FALSE, "EnumServicesStatusExW");
        if (!done && !count) {
            /* Wine, with a buffer that is too small; it accepts larger buffers than Windows. */
            resize(page_size + needed);
            resume = from;
            continue;
        }
        largest = (ULONG_PTR)page;
        for (i = 0; i < count; i++) {
            const ENUM_SERVICE_STATUS_PROCESSW *entry = (ENUM_SERVICE_STATUS_PROCESSW *)page + i;
            const wchar_t *name = entry->lpServiceName, *shown = entry->lpDisplayName;
            ULONG_PTR end = (ULONG_PTR)(name + wcslen(name) + 1);

            seen += entry->ServiceStatusProcess.dwCurrentState;
            largest = end > largest ? end : largest;
            end = shown ? (ULONG_PTR)(shown + wcslen(shown) + 1) : 0;
            largest = end > largest ? end : largest;
            if (visit && left > 0 && !visit(entry, &left))
                return 0;
        }
        total += (LONG)count;
        whole = whole && done;
        if (!done)
            resize(PAGE_LIMIT - PAGE_LIMIT / 16);
    } while (!done);
    /* Wine transfers the whole buffer, so it must not remain larger than necessary. */
    if (whole && largest - (ULONG_PTR)page + 4096 < page_size)
        resize((DWORD)(largest - (ULONG_PTR)page));
    return limit ? limit - left : total;
}

static BOOL visit_config(const ENUM_SERVICE_STATUS_PROCESSW *entry, LONG *left)
{
    SC_HANDLE service = opened(entry->lpServiceName, SERVICE_QUERY_CONFIG);
    DWORD needed;
    BOOL done;

    --*left;
    if (!service)
        return FALSE;
    done = QueryServiceConfigW(service, (QUERY_SERVICE_CONFIGW *)answer, sizeof(answer), &needed);
    CloseServiceHandle(service);
    return check(done, "QueryServiceConfigW");
}

static const DWORD levels[] = {
    SERVICE_CONFIG_DESCRIPTION, SERVICE_CONFIG_FAILURE_ACTIONS,
    SERVICE_CONFIG_DELAYED_AUTO_START_INFO, SERVICE_CONFIG_FAILURE_ACTIONS_FLAG,
    SERVICE_CONFIG_SERVICE_SID_INFO, SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO,
    SERVICE_CONFIG_PRESHUTDOWN_INFO, SERVICE_CONFIG_TRIGGER_INFO,
    SERVICE_CONFIG_PREFERRED_NODE, SERVICE_CONFIG_LAUNCH_PROTECTED,
};

/* The content of a snapshot of winsvc; Wine does not support most of the levels. */
static BOOL visit_levels(const ENUM_SERVICE_STATUS_PROCESSW *entry, LONG *left)
{
    SC_HANDLE service = opened(entry->lpServiceName, READING | SERVICE_ENUMERATE_DEPENDENTS
                               | READ_CONTROL);
    SERVICE_STATUS_PROCESS status;
    DWORD needed, count;
    size_t i;
    BOOL done;

    --*left;
    if (!service)
        return FALSE;
    done = QueryServiceStatusEx(service, SC_STATUS_PROCESS_INFO, (BYTE *)&status, sizeof(status),
                                &needed);
    done = done && QueryServiceConfigW(service, (QUERY_SERVICE_CONFIGW *)answer, sizeof(answer),
                                       &needed);
    for (i = 0; i < ARRAYSIZE(levels); i++)
        QueryServiceConfig2W(service, levels[i], answer, 4096, &needed);
    EnumDependentServicesW(service, SERVICE_STATE_ALL, (ENUM_SERVICE_STATUSW *)answer, 4096,
                           &needed, &count);
    QueryServiceObjectSecurity(service, OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION
                               | DACL_SECURITY_INFORMATION, answer, 4096, &needed);
    CloseServiceHandle(service);
    return check(done, "QueryServiceConfigW");
}

/* ------------------------------------------------------------------------------- a service */

static BOOL status_of(SC_HANDLE service)
{
    SERVICE_STATUS_PROCESS status;
    DWORD needed;

    return check(QueryServiceStatusEx(service, SC_STATUS_PROCESS_INFO, (BYTE *)&status,
                                      sizeof(status), &needed), "QueryServiceStatusEx");
}

static LONG query_status(const wchar_t *name, LONG times, LONGLONG *ns)
{
    SC_HANDLE service = opened(name, SERVICE_QUERY_STATUS);
    LONGLONG begun = now();
    LONG i;

    if (!service)
        return 0;
    for (i = 0; i < times && status_of(service); i++)
        ;
    *ns = now() - begun;
    CloseServiceHandle(service);
    return i;
}

static LONG open_each(const wchar_t *name, LONG times)
{
    LONG i;

    for (i = 0; i < times; i++) {
        SC_HANDLE service = opened(name, READING);

        if (!service || !status_of(service))
            return 0;
        CloseServiceHandle(service);
    }
    return i;
}

/* ------------------------------------------------------------------------------- waiting */

static void CALLBACK on_notify(void *parameter)
{
    SERVICE_NOTIFYW *notify = parameter;

    ++*(LONG *)notify->pContext;
}

/* Start or stop a service, and wait with a number of handles until it has the state. */
static LONG change(const wchar_t *name, BOOL start, LONG waits, LONGLONG *ns)
{
    DWORD mask = start ? SERVICE_NOTIFY_RUNNING : SERVICE_NOTIFY_STOPPED;
    SERVICE_NOTIFYW *notifies = calloc((size_t)waits, sizeof(*notifies));
    SC_HANDLE *handles = calloc((size_t)waits, sizeof(*handles));
    SC_HANDLE service = opened(name, SERVICE_START | SERVICE_STOP | SERVICE_QUERY_STATUS);
    SERVICE_STATUS status;
    LONG counted = 0, i;
    LONGLONG begun;
    BOOL done;

    for (i = 0; i < waits; i++) {
        handles[i] = opened(name, SERVICE_QUERY_STATUS);
        notifies[i].dwVersion = SERVICE_NOTIFY_STATUS_CHANGE;
        notifies[i].pfnNotifyCallback = on_notify;
        notifies[i].pContext = &counted;
        if (NotifyServiceStatusChangeW(handles[i], mask, &notifies[i]))
            check(FALSE, "NotifyServiceStatusChangeW");
    }
    begun = now();
    done = start ? StartServiceW(service, 0, NULL) : ControlService(service, SERVICE_CONTROL_STOP,
                                                                    &status);
    check(done, start ? "StartServiceW" : "ControlService");
    while (!failed && counted < waits)
        SleepEx(INFINITE, TRUE);
    *ns = now() - begun;
    for (i = 0; i < waits; i++)
        CloseServiceHandle(handles[i]);
    CloseServiceHandle(service);
    free(notifies);
    free(handles);
    return waits;
}

/* ------------------------------------------------------------------------------- creation */

static LONG create(const wchar_t *prefix, LONG from, LONG to, const wchar_t *program)
{
    LONG i;

    for (i = from; i < to; i++) {
        SERVICE_DESCRIPTIONW description;
        wchar_t name[64], shown[64], text[128];
        SC_HANDLE service;

        swprintf(name, 64, L"%ls-%05ld", prefix, i);
        swprintf(shown, 64, L"Service %ld of the bench", i);
        swprintf(text, 128, L"One of the many services of an ordinary machine: number %ld.", i);
        service = CreateServiceW(manager, name, shown, SERVICE_CHANGE_CONFIG,
                                 SERVICE_WIN32_OWN_PROCESS, SERVICE_DEMAND_START,
                                 SERVICE_ERROR_NORMAL, program, NULL, NULL, L"RpcSs\0", NULL, NULL);
        if (!check(service != NULL, "CreateServiceW"))
            return 0;
        description.lpDescription = text;
        ChangeServiceConfig2W(service, SERVICE_CONFIG_DESCRIPTION, &description);
        CloseServiceHandle(service);
    }
    return to - from;
}

static const wchar_t *doomed;

static BOOL visit_delete(const ENUM_SERVICE_STATUS_PROCESSW *entry, LONG *left)
{
    SERVICE_STATUS status;
    SC_HANDLE service;

    if (wcsncmp(entry->lpServiceName, doomed, wcslen(doomed)))
        return TRUE;
    --*left;
    service = OpenServiceW(manager, entry->lpServiceName, DELETE | SERVICE_STOP);
    if (service) { /* else another process has deleted it */
        if (entry->ServiceStatusProcess.dwCurrentState != SERVICE_STOPPED)
            ControlService(service, SERVICE_CONTROL_STOP, &status);
        DeleteService(service);
        CloseServiceHandle(service);
    }
    return TRUE;
}

/* ------------------------------------------------------------------------------- the jobs */

/* List repeatedly, each time into a new buffer, as a program that keeps the list must do; releasing
   the buffer is not measured, here as in Python. */
static LONG repeat(LONG times, LONGLONG *ns)
{
    LONG items = 0;

    for (; times > 0 && !failed; times--) {
        LONGLONG begun = now();

        items = list(NULL, 0);
        *ns += now() - begun;
        free(page);
        page = NULL;
    }
    return items;
}

static LONG perform(int count, wchar_t **words, LONGLONG *ns)
{
    const wchar_t *job = words[0], *name = count > 1 ? words[1] : L"";
    LONG times = count > 2 ? wcstol(words[2], NULL, 10) : 1;

    if (!wcscmp(job, L"list"))
        return repeat(times, ns);
    if (!wcscmp(job, L"config"))
        return list(visit_config, times);
    if (!wcscmp(job, L"levels"))
        return list(visit_levels, times);
    if (!wcscmp(job, L"status"))
        return query_status(name, times, ns);
    if (!wcscmp(job, L"open"))
        return open_each(name, times);
    if (!wcscmp(job, L"start") || !wcscmp(job, L"stop"))
        return change(name, !wcscmp(job, L"start"), 1, ns);
    if (!wcscmp(job, L"waits"))
        return change(name, TRUE, times, ns);
    if (!wcscmp(job, L"memory"))
        return repeat(2, ns);
    if (!wcscmp(job, L"create") && count == 5)
        return create(name, wcstol(words[2], NULL, 10), wcstol(words[3], NULL, 10), words[4]);
    if (!wcscmp(job, L"delete")) {
        doomed = name;
        return list(visit_delete, 1000000);
    }
    SetLastError(ERROR_INVALID_FUNCTION);
    return check(FALSE, "job");
}

int main(void)
{
    static char line[4096];
    static wchar_t wide[4096];

    manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT | SC_MANAGER_ENUMERATE_SERVICE
                             | SC_MANAGER_CREATE_SERVICE);
    if (!manager)
        return (int)GetLastError();
    while (fgets(line, sizeof(line), stdin)) {
        wchar_t *words[8], *rest = wide;
        int count = 0;
        LONGLONG begun, ns = 0;
        LONG items;

        MultiByteToWideChar(CP_UTF8, 0, line, -1, wide, ARRAYSIZE(wide));
        wide[wcscspn(wide, L"\r\n")] = 0;
        /* Tabs separate the words, because a path may contain spaces. */
        while (count < 8 && rest) {
            words[count++] = rest;
            rest = wcschr(rest, L'\t');
            if (rest)
                *rest++ = 0;
        }
        failed = NULL;
        begun = now();
        items = perform(count, words, &ns);
        if (!ns)
            ns = now() - begun;
        if (!wcscmp(words[0], L"memory"))
            ns = page_size;
        if (failed)
            printf("error\t%lu\t%s\n", GetLastError(), failed);
        else
            printf("ok\t%lld\t%ld\n", ns, items);
        fflush(stdout);
    }
    CloseServiceHandle(manager);
    return 0;
}
