"""The same objects for programs that run on asyncio, or, by anyio, on trio.

::

    from winsvc import State
    from winsvc.aio import AsyncServiceManager

    async with AsyncServiceManager() as scm:
        async with scm.open("Spooler") as spooler:
            await spooler.stop(timeout=30)
            await spooler.start(timeout=30)
        async with scm.watch() as events:
            async for event in events:
                print(event)

Every method of :class:`winsvc.ServiceManager` and :class:`winsvc.Service` is there as a coroutine,
properties too. Where those take a ``cancel``, here the task's own cancellation does that: a wait
ends, and leaves nothing behind. Another call that is under way can't be taken back: it is left to
itself, and what it opens is closed.

On asyncio nothing else is needed; on trio, anyio (``pip install winsvc-cffi[aio]``).
"""

from __future__ import annotations

from winsvc.aio.objects import AsyncService, AsyncServiceManager
from winsvc.aio.watching import AsyncWatch

__all__ = ["AsyncService", "AsyncServiceManager", "AsyncWatch"]
