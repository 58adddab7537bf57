/* A page of an enumeration without its pointers: splitting a single text and unpacking
   contiguous numbers is much faster in Python than following each pointer. */

typedef struct {
    DWORD cStatuses;
    DWORD cBlanks;
    BOOL fNarrow;
} WINSVC_PACKED;

/* The number of recent different statuses with which each status is compared: most
   services of a machine are stopped and have the same status. */
#define WINSVC_ALIKE 8

/* Write the texts as Latin-1, which covers nearly all of them: the fastest form, in one pass.
   Returns the number of bytes, or 0 if a character or the space does not allow it. */
static DWORD winsvc_narrow_texts(const ENUM_SERVICE_STATUS_PROCESSW *entries, DWORD count,
                                 unsigned char *texts, size_t room)
{
    unsigned char *to = texts, *end = texts + room;
    DWORD i;

    for (i = 0; i < 2 * count; i++) {
        const wchar_t *text = i % 2 ? entries[i / 2].lpDisplayName : entries[i / 2].lpServiceName;
        wchar_t character = 1;

        if (text == NULL)
            text = L"";
        while (character != 0) {
            character = *text++;
            if (character > 0xFF || to == end)
                return 0;
            *to++ = (unsigned char)character;
        }
    }
    return (DWORD)(to - texts);
}

/* Write any texts. Returns the number of characters; if it exceeds the space, the result is
   incomplete. */
static DWORD winsvc_wide_texts(const ENUM_SERVICE_STATUS_PROCESSW *entries, DWORD count,
                               wchar_t *texts, DWORD room)
{
    DWORD used = 0, i;

    for (i = 0; i < 2 * count; i++) {
        const wchar_t *text = i % 2 ? entries[i / 2].lpDisplayName : entries[i / 2].lpServiceName;
        DWORD size = text != NULL ? (DWORD)wcslen(text) + 1 : 1;

        if (used < room && size <= room - used)
            memcpy(texts + used, text != NULL ? text : L"", size * sizeof(*text));
        used += size;
    }
    return used;
}

static DWORD winsvc_pack(const ENUM_SERVICE_STATUS_PROCESSW *entries, DWORD count,
                         wchar_t *texts, DWORD room, SERVICE_STATUS_PROCESS *statuses,
                         DWORD *which, DWORD *blanks, WINSVC_PACKED *packed)
{
    DWORD unlike = 0, nameless = 0, used, i;

    for (i = 0; i < count; i++) {
        const SERVICE_STATUS_PROCESS *status = &entries[i].ServiceStatusProcess;
        const wchar_t *shown = entries[i].lpDisplayName;
        DWORD same = unlike, oldest = unlike > WINSVC_ALIKE ? unlike - WINSVC_ALIKE : 0;

        if (shown == NULL || *shown == 0)
            blanks[nameless++] = i;
        while (same > oldest && memcmp(&statuses[same - 1], status, sizeof(*status)) != 0)
            same--;
        if (same > oldest) {
            which[i] = same - 1;
        } else {
            statuses[unlike] = *status;
            which[i] = unlike++;
        }
    }
    packed->cStatuses = unlike;
    packed->cBlanks = nameless;
    used = winsvc_narrow_texts(entries, count, (unsigned char *)texts, room * sizeof(*texts));
    packed->fNarrow = used != 0;
    return used != 0 ? used : winsvc_wide_texts(entries, count, texts, room);
}
