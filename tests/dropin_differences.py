"""The differences of pywin32 from ``winsvc.win32service``.

``docs/win32service.md`` explains each entry; the parity tests fail at any other difference.
"""

from __future__ import annotations

DROPIN_DIFFERENCES = {
    "borrowed-handles": "pywin32 closes the desktop of a thread and the station of the process",
    "closed-handles": "a closed desktop or station keeps its number, and is closed once more",
    "delays": "a delay of 2^31 ms or more is read as a negative number, which cannot be written",
    "embedded-nul": "a NUL cuts a text off, unnoticed",
    "handle-kinds": "a handle of the wrong kind crashes the interpreter",
    "handle-texts": "a text or a float passes for a handle",
    "handle-type": "a service handle is a PyHANDLE: win32api.CloseHandle knows it",
    "initial-tag": "the tag is not initialized, and so random where the system gives none",
    "keywords": "no function takes keywords",
    "levels": "configuration levels from 8 on and UOI 5 and 6 are not known",
    "list-elements": 'a text passes for a list of letters; "" ends a list',
    "lock-failure": "a failed LockServiceDatabase gives 0 instead of an error",
    "long-names": "a name of 256 characters does not fit its buffer: error 122",
    "no-match": "EnumServicesStatus fails, with the code of another call, where nothing matches",
    "number-ranges": "masks from 2^31 on are refused here, and cut off there",
    "privileges-null": "None as privileges is NULL; here it is the same as none at all",
    "races": "what grows between two calls is error 122 or 234",
    "stale-error": "QueryServiceLockStatus raises the code of another call",
    "system-errors": "a status that is no tuple is a SystemError, as is a __bool__ that raises",
    "two-owners": "a handle created from another handle is closed twice",
    "uninitialized-flags": "UOI_FLAGS has random values where the system leaves fields as they are",
    "window-handles": "windows are handles that are closed when they are dropped",
}
