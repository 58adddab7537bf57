"""The differences of pywin32 from ``winsvc.win32service``.

``docs/win32service.md`` explains each entry; the parity tests fail at any other difference.
"""

from __future__ import annotations

DROPIN_DIFFERENCES = {
    "borrowed-handles": "pywin32 closes the desktop of a thread and the station of the process",
    "closed-handles": "a closed desktop or station keeps its value, and is closed again later",
    "delays": "a delay of 2^31 ms or more is returned as a negative number, which is refused",
    "embedded-nul": "a text is truncated at a NUL without an error",
    "handle-kinds": "a handle of the wrong kind crashes the interpreter",
    "handle-texts": "texts and floats are accepted as handles",
    "handle-type": "a service handle is a PyHANDLE, which win32api.CloseHandle accepts",
    "initial-tag": "the tag is uninitialized memory if the system does not return one",
    "keywords": "no function accepts keyword arguments",
    "levels": "configuration levels from 8 and UOI 5 and 6 are unknown",
    "list-elements": 'a text is accepted as a list of letters; "" ends a list',
    "lock-failure": "a failed LockServiceDatabase returns 0 instead of raising an error",
    "long-names": "a name of 256 characters exceeds its buffer: error 122",
    "no-match": "EnumServicesStatus without a match fails with the error code of another call",
    "number-ranges": "masks of 2^31 or more are refused by some functions and truncated by others",
    "privileges-null": "None as privileges is NULL; in winsvc it is an empty list",
    "races": "data that grows between two calls gives error 122 or 234",
    "stale-error": "QueryServiceLockStatus raises the error code of another call",
    "system-errors": "a status that is not a tuple, or a __bool__ that raises, gives SystemError",
    "two-owners": "a handle object created from another handle object closes the handle again",
    "uninitialized-flags": "UOI_FLAGS contains random values in fields that the system leaves unset",
    "window-handles": "windows are handles that are closed when they are garbage-collected",
}
