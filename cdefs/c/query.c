/* Frequent queries: sequences of calls without Python code between them. During a call other
   processes use the CPU caches, so that each step in Python is expensive. */

static BOOL winsvc_query_status(ULONG_PTR service, DWORD *numbers)
{
    DWORD needed;

    return QueryServiceStatusEx((SC_HANDLE)service, SC_STATUS_PROCESS_INFO, (BYTE *)numbers,
                                sizeof(SERVICE_STATUS_PROCESS), &needed);
}

typedef struct {
    DWORD dwError;
    DWORD dwServiceType;
    DWORD dwStartType;
    DWORD dwErrorControl;
    DWORD dwTagId;
    DWORD dwNulls;
    DWORD cDependencies;
} WINSVC_CONFIG;

typedef struct {
    wchar_t *texts;
    DWORD room;
    DWORD used; /* may exceed the room: texts that do not fit are not written */
} winsvc_texts;

static void winsvc_add_text(winsvc_texts *texts, const wchar_t *text)
{
    DWORD size = (DWORD)wcslen(text) + 1;

    if (texts->used < texts->room && size <= texts->room - texts->used)
        memcpy(texts->texts + texts->used, text, size * sizeof(*text));
    texts->used += size;
}

static void winsvc_add_config(winsvc_texts *texts, WINSVC_CONFIG *config,
                              const QUERY_SERVICE_CONFIGW *answer)
{
    const wchar_t *single[] = {answer->lpBinaryPathName, answer->lpLoadOrderGroup,
                               answer->lpServiceStartName, answer->lpDisplayName};
    const wchar_t *each = answer->lpDependencies;
    DWORD i;

    config->dwServiceType = answer->dwServiceType;
    config->dwStartType = answer->dwStartType;
    config->dwErrorControl = answer->dwErrorControl;
    config->dwTagId = answer->dwTagId;
    config->dwNulls = each == NULL ? 1u << ARRAYSIZE(single) : 0;
    for (i = 0; i < ARRAYSIZE(single); i++) {
        if (single[i] == NULL)
            config->dwNulls |= 1u << i;
        winsvc_add_text(texts, single[i] != NULL ? single[i] : L"");
    }
    config->cDependencies = 0;
    for (; each != NULL && *each != 0; each += wcslen(each) + 1) {
        winsvc_add_text(texts, each);
        config->cDependencies++;
    }
}

static DWORD winsvc_query_configs(ULONG_PTR manager, const wchar_t *names, DWORD count,
                                  WINSVC_CONFIG *configs, wchar_t *room_for_texts, DWORD room,
                                  DWORD *used)
{
    /* The documented maximum of the result. */
    union {
        QUERY_SERVICE_CONFIGW config;
        BYTE bytes[8 * 1024];
    } answer;
    winsvc_texts texts = {room_for_texts, room, 0};
    DWORD i;

    *used = 0;
    for (i = 0; i < count; i++, names += wcslen(names) + 1) {
        SC_HANDLE service = OpenServiceW((SC_HANDLE)manager, names, SERVICE_QUERY_CONFIG);
        DWORD needed;

        memset(&configs[i], 0, sizeof(configs[i]));
        if (service == NULL) {
            configs[i].dwError = GetLastError();
            continue;
        }
        if (QueryServiceConfigW(service, &answer.config, sizeof(answer), &needed))
            winsvc_add_config(&texts, &configs[i], &answer.config);
        else
            configs[i].dwError = GetLastError();
        CloseServiceHandle(service);
        if (texts.used > room) /* left to the next call */
            break;
        *used = texts.used;
    }
    return i;
}
