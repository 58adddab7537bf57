"""Services that report each event as a line over a pipe; see test_life.py.

reporting.py PIPE KIND=NAME ...: the kinds of service that the process has, and their names.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from multiprocessing.connection import Client

from winsvc import ServiceManager, UnsupportedError, ValidationError, is_elevated
from winsvc.enums import State
from winsvc.host import ServiceBase, ServiceExit, is_service, run
from winsvc.host.events import CustomControl

pipe = Client(sys.argv[1])
lock = threading.Lock()


def say(line: str) -> None:
    with lock:
        pipe.send(line)


def where() -> str:
    return "main" if threading.current_thread() is threading.main_thread() else "beside"


class Reporter(ServiceBase):
    name = "reporter"

    def main(self) -> None:
        say(f"main {list(self.arguments)} on {where()}")
        self.report_running()
        say(self.state.name)
        self.stop_requested.wait()
        say(f"stop requested by {self.stop_requested.control!r}")

    def on_stop(self) -> None:
        say(f"stop on {where()}")

    def on_pause(self) -> None:
        say(f"pause in {self.state.name}")

    def on_continue(self) -> None:
        say(f"continue in {self.state.name}")

    def on_interrogate(self) -> None:
        say("interrogate")

    def on_param_change(self) -> None:
        say("param change")

    def on_custom(self, event: CustomControl) -> None:
        say(f"custom {event.code}")


class Second(Reporter):
    name = "second"


class Ends(ServiceBase):
    """Ends as its first argument specifies."""

    name = "ends"

    def __init__(self) -> None:
        if self.arguments[0] == "init":
            raise ValueError("in __init__")

    def main(self) -> None:
        how, *rest = self.arguments
        code = int(rest[0]) if rest else 0
        if how == "before":
            raise ServiceExit(code)
        self.report_running()
        say("running")
        if how == "handler":
            self.stop_requested.wait()
            say(f"stop requested by {self.stop_requested.control!r}")
            return
        self.stop_requested.wait()
        if how == "exit":
            raise ServiceExit(code)
        if how == "own":
            raise ServiceExit(service_exit_code=code)
        if how == "sys.exit":
            sys.exit(code)
        if how == "main":
            raise ValueError("in main äöü")

    def on_custom(self, event: CustomControl) -> None:
        raise ValueError("in a handler")


class Slow(ServiceBase):
    """Takes its steps, while the test looks: each line that it reads is a step."""

    name = "slow"

    def main(self) -> None:
        while pipe.recv() == "step":
            self.request_additional_time(77)
            say("stepped")
        with self.pending_operation("the last", hint=99):
            say("busy")
            pipe.recv()
        self.report_running()
        say("running")
        self.stop_requested.wait()
        with self.pending_operation("the end", hint=44):
            say("ending")
            pipe.recv()


class Starting(ServiceBase):
    """Receives STOP before it is running."""

    name = "starting"

    def main(self) -> None:
        say("starting")
        self.stop_requested.wait()
        self.report_running()
        say(self.state.name)


class Tasks(ServiceBase):
    name = "tasks"

    async def main(self) -> None:
        self.report_running()
        say(f"running on {where()}")
        while not await self.stop_requested.wait_async(0.01):
            pass
        say("ends")

    async def on_pause(self) -> None:
        await asyncio.sleep(0)
        say(f"pause on {where()}")

    def on_continue(self) -> None:
        say("continue")

    async def on_custom(self, event: CustomControl) -> None:
        await asyncio.sleep(0)
        say(f"custom {event.code} in {self.state.name}")
        assert self.state is not State.PAUSED or event.code != 250


class Queries(ServiceBase):
    """Reports what it can query about itself."""

    name = "queries"

    def main(self) -> None:
        say(f"is_service {is_service()}, is_elevated {is_elevated()}")
        for query in (self.start_reason, self.directory, self.shared_directory):
            try:
                say(f"{query.__name__} {query()!s}")
            except UnsupportedError as error:
                say(f"{query.__name__} unsupported: {error.function}")
        self.report_running()
        with ServiceManager() as scm:
            try:
                scm.stop(self.name)
            except ValidationError as error:
                say(str(error))
        self.stop_requested.wait()


KINDS = {kind.name: kind for kind in (Queries, Reporter, Second, Ends, Slow, Starting, Tasks)}


def renamed(kind: str, name: str) -> type[ServiceBase]:
    KINDS[kind].name = name
    return KINDS[kind]


if __name__ == "__main__":
    run(*(renamed(*which.split("=")) for which in sys.argv[2:]), arguments=())
    say("over")
