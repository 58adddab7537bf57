/* handleapi.h */

static const HANDLE INVALID_HANDLE_VALUE;

BOOL CloseHandle(HANDLE hObject);
