"""The object API as coroutines, for programs on asyncio, or, with anyio, on trio.

::

    from winsvc import State
    from winsvc.aio import AsyncServiceManager

    async with AsyncServiceManager() as scm:
        await scm.restart("Spooler", timeout=60)
        async with scm.open("Spooler") as spooler:
            print(await spooler.status())
        async for info in scm.services(state=State.RUNNING):
            print(info.name)

Each method of :class:`winsvc.ServiceManager` and :class:`winsvc.Service` is a coroutine function
here, with the same name and the same parameters except ``cancel``: cancel the task instead. A wait
or a listing then ends, and closes what it has opened. Another call that is in progress cannot be
interrupted: it ends in its thread, and what it opens is closed.

asyncio needs nothing else; trio needs anyio (``pip install winsvc-cffi[aio]``).
"""

from __future__ import annotations

from winsvc._public import publish
from winsvc.aio.objects import AsyncService, AsyncServiceManager
from winsvc.aio.threads import Opening
from winsvc.aio.watching import AsyncWatch

__all__ = ["AsyncService", "AsyncServiceManager", "AsyncWatch", "Opening"]

publish(__name__)
