/* minwindef.h: the basic Win32 types. Declared instead of taken from CFFI's list (which
   exists on Windows only), so that every OS generates the same C. */

typedef int BOOL;
typedef int INT;
typedef unsigned int UINT;
typedef unsigned char BYTE;
typedef unsigned short WORD;
typedef unsigned long DWORD;
typedef unsigned char UCHAR;
typedef unsigned short USHORT;
typedef unsigned long ULONG;
typedef void *LPVOID;
typedef const void *LPCVOID;
typedef BOOL *PBOOL, *LPBOOL;
typedef BYTE *PBYTE, *LPBYTE;
typedef DWORD *PDWORD, *LPDWORD;
typedef UCHAR *PUCHAR;
typedef ULONG *PULONG;
typedef LONG_PTR LPARAM;
