"""Asks the workers for one job after the other, in turns, and keeps what each round took."""

from __future__ import annotations

import statistics
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

PREFIX = "winsvc-bench"
LIFE = 99999  # the number of the one that is started and stopped
ALL = ("c", "winsvc", "dropin", "pywin32", "psutil")

Launch: TypeAlias = Callable[[Sequence[str]], "subprocess.Popen[str]"]
"""Starts a program of Windows with pipes to its standard input and output."""

LONGEST = 300.0  # seconds for one answer; a worker that takes longer hangs
LONG_ENOUGH = 50e6  # nanoseconds: what one round of a short job lasts at least


class BenchError(Exception):
    """A worker has not done what it was told."""


class Worker:
    """One process that does jobs with one library."""

    def __init__(self, name: str, command: Sequence[str], launch: Launch) -> None:
        self.name = name
        self._process = launch(command)

    def ask(self, job: str, name: str = "", *words: object) -> tuple[int, int] | None:
        """Nanoseconds and items; None for a job that the library has nothing for."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        watch = threading.Timer(LONGEST, self._process.kill)
        watch.start()
        try:
            stdin.write("\t".join([job, name, *map(str, words)]) + "\n")
            stdin.flush()
            kind, *rest = stdout.readline().strip().split("\t")
        except OSError as error:
            raise BenchError(f"{self.name} has ended before {job}: {error}") from error
        finally:
            watch.cancel()
        if kind == "none":
            return None
        if kind != "ok":
            raise BenchError(f"{self.name}: {job} {name}: {' '.join(rest) or 'no answer'}")
        return int(rest[0]), int(rest[1])

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.close()
            self._process.wait(10)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


@dataclass
class Result:
    """One job at one size: what each round took, in nanoseconds for one of its items."""

    job: str
    size: int
    samples: dict[str, list[float]] = field(default_factory=dict)

    def median(self, who: str) -> float:
        return statistics.median(self.samples[who])

    def ratio(self, who: str, to: str) -> tuple[float, float, float] | None:
        """Of the rounds' ratios: the median, the lower and the upper quartile."""
        if who not in self.samples or to not in self.samples:
            return None
        both = zip(self.samples[who], self.samples[to], strict=True)
        ratios = [one / other for one, other in both]
        low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
        return middle, low, high


@dataclass(frozen=True)
class Plan:
    """How much to do."""

    sizes: tuple[int, ...]
    rounds: int  # of short jobs
    long_rounds: int  # of those that take seconds
    most: int  # the largest size at which each service is asked
    slowly: int  # the most that psutil is asked for, which takes ten times as long
    waits: int

    @staticmethod
    def full() -> Plan:
        return Plan((16, 1000, 5000), 21, 7, 1000, 60, 64)

    @staticmethod
    def quick() -> Plan:
        return Plan((16, 100), 3, 3, 100, 10, 8)


class Bench:
    """One run of all the jobs. Registers services, and removes them however it ends."""

    def __init__(
        self,
        launch: Launch,
        program: str,
        python: Sequence[str],
        service: str,
        plan: Plan,
        say: Callable[[str], None],
    ) -> None:
        """What to run.

        Args:
            launch: starts a program.
            program: the compiled program.c.
            python: the command of the Python with the libraries, up to worker.py.
            service: the command line of the service that is started and stopped.
            plan: how much to do.
            say: told what is being done.
        """
        self._launch = launch
        self._commands = {"c": [program], **{name: [*python, name] for name in ALL[1:]}}
        self._service = service
        self._plan = plan
        self._say = say
        self._workers: dict[str, Worker] = {}
        self.results: list[Result] = []
        self.memory: dict[str, float] = {}

    def run(self) -> None:
        with self._registered() as registrar:
            try:
                for name, command in self._commands.items():
                    self._workers[name] = Worker(name, command, self._launch)
                self._jobs(registrar)
            finally:
                for worker in self._workers.values():
                    worker.close()

    @contextmanager
    def _registered(self) -> Iterator[Worker]:
        """Somebody who makes services; what this and earlier runs made is removed at the end."""
        registrar = Worker("c", self._commands["c"], self._launch)
        try:
            _remove(registrar)
            yield registrar
        finally:
            registrar.close()  # it may have been interrupted in the middle of an answer
            last = Worker("c", self._commands["c"], self._launch)
            try:
                self._say("removing the bench's services")
                _remove(last)
            finally:
                last.close()

    def _jobs(self, registrar: Worker) -> None:
        plan, made = self._plan, 0
        for size in plan.sizes:
            there = _items(registrar.ask("list"))
            if size > there:
                self._say(f"registering {size - there} services")
                registrar.ask("create", PREFIX, made, made + size - there, self._service)
                made += size - there
            count = _items(registrar.ask("list"))
            self._repeated("list", count, "")
            if size <= plan.most:
                self._of_each("config", count)
                self._of_each("levels", count)
            if size == plan.sizes[0]:
                registrar.ask("create", PREFIX, LIFE, LIFE + 1, self._service)
                self._one_service(count)
                _remove(registrar)
            if size == plan.sizes[-1]:
                self._say("memory")
                for name, worker in self._workers.items():
                    if answer := worker.ask("memory"):
                        self.memory[name] = answer[0] / answer[1]
        self._imports()

    def _one_service(self, count: int) -> None:
        name = f"{PREFIX}-{LIFE:05}"
        self._repeated("open", count, name)
        self._repeated("status", count, name)
        self._life(count, name)
        self._waits(count, name)

    # ---------------------------------------------------------------------------- the rounds

    def _rounds(self, job: str, size: int, rounds: int, once: Callable[[Worker], float]) -> None:
        """Every library once in each round, and another one first each time."""
        self._say(f"{job}, {size} services")
        result = Result(job, size)
        names = [name for name, worker in self._workers.items() if once(worker) > 0]  # warms up
        for turn in range(rounds):
            first = turn % len(names)
            for name in names[first:] + names[:first]:
                result.samples.setdefault(name, []).append(once(self._workers[name]))
        self.results.append(result)

    def _repeated(self, job: str, size: int, name: str) -> None:
        """A short job, as often in a round as it takes to measure it."""
        times: dict[str, int] = {}
        for who, worker in self._workers.items():
            worker.ask(job, name, 1)  # the first may have to find out how large a buffer must be
            if answer := worker.ask(job, name, 1):
                times[who] = max(1, round(LONG_ENOUGH / answer[0]))

        def once(worker: Worker) -> float:
            if worker.name not in times:
                return 0
            answer = worker.ask(job, name, times[worker.name])
            assert answer is not None
            return answer[0] / times[worker.name]

        self._rounds(job, size, self._plan.rounds, once)

    def _of_each(self, job: str, size: int) -> None:
        """A job that asks each service; what one of them takes."""

        def once(worker: Worker) -> float:
            most = self._plan.slowly if worker.name == "psutil" else size
            answer = worker.ask(job, "", most)
            return answer[0] / answer[1] if answer else 0

        self._rounds(job, size, self._plan.long_rounds, once)

    def _life(self, size: int, name: str) -> None:
        self._say("start and stop")
        started, stopped = Result("start", size), Result("stop", size)
        names = [who for who in self._workers if who != "psutil"]
        for turn in range(self._plan.rounds + 1):
            for who in names[turn % len(names) :] + names[: turn % len(names)]:
                for job, result in (("start", started), ("stop", stopped)):
                    answer = self._workers[who].ask(job, name)
                    assert answer is not None
                    if turn:  # the first one warms up
                        result.samples.setdefault(who, []).append(answer[0])
        self.results += [started, stopped]

    def _waits(self, size: int, name: str) -> None:
        def once(worker: Worker) -> float:
            answer = worker.ask("waits", name, self._plan.waits)
            if answer is None:
                return 0
            self._workers["c"].ask("stop", name)
            return answer[0]

        self._rounds("waits", size, self._plan.long_rounds, once)

    def _imports(self) -> None:
        self._say("import")
        imported, connected = Result("import", 0), Result("connect", 0)
        names = list(ALL[1:])
        for turn in range(self._plan.rounds + 1):
            for who in names[turn % len(names) :] + names[: turn % len(names)]:
                process = self._launch([*self._commands[who], "import"])
                told, _ = process.communicate(timeout=LONGEST)
                kind, *numbers = told.strip().split("\t")
                if kind != "ok":
                    raise BenchError(f"{who}: import: {told}")
                if turn:
                    imported.samples.setdefault(who, []).append(float(numbers[0]))
                    connected.samples.setdefault(who, []).append(float(numbers[1]))
        self.results += [imported, connected]


def _items(answer: tuple[int, int] | None) -> int:
    assert answer is not None
    return answer[1]


def _remove(registrar: Worker) -> None:
    """Delete the bench's services; page by page, where the system gives pages."""
    while _items(registrar.ask("delete", PREFIX)):
        pass
