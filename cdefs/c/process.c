/* The process that calls. */

#include <tlhelp32.h>

/* The service control manager is services.exe, and the parent of every service process. Its name
   comes from a snapshot: opening the process would need rights that service accounts lack. */
static BOOL winsvc_parent_is_scm(BOOL *result)
{
    PROCESSENTRY32W entry;
    DWORD own = GetCurrentProcessId(), parent = 0;
    HANDLE snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    int pass;

    *result = FALSE;
    if (snapshot == INVALID_HANDLE_VALUE)
        return FALSE;
    /* First this process, which has the id of its parent; then the parent, which has a name. */
    for (pass = 0; pass < 2; pass++) {
        BOOL more;

        entry.dwSize = sizeof(entry);
        for (more = Process32FirstW(snapshot, &entry); more;
             more = Process32NextW(snapshot, &entry)) {
            if (pass == 0 && entry.th32ProcessID == own) {
                parent = entry.th32ParentProcessID;
                break;
            }
            if (pass == 1 && entry.th32ProcessID == parent) {
                *result = lstrcmpiW(entry.szExeFile, L"services.exe") == 0;
                break;
            }
        }
    }
    CloseHandle(snapshot);
    return TRUE;
}
