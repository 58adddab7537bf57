"""Run the jobs in the workers, alternately, and store the duration of each round."""

from __future__ import annotations

import statistics
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

PREFIX = "winsvc-bench"
LIFE = 99999  # the number of the service that is started and stopped
ALL = ("c", "winsvc", "dropin", "pywin32", "psutil")

Launch: TypeAlias = Callable[[Sequence[str]], "subprocess.Popen[str]"]
"""Starts a Windows program with pipes to its standard input and output."""

LONGEST = 300.0  # seconds for a result; a slower worker is considered to hang
LONG_ENOUGH = 50e6  # nanoseconds; the minimum of a round of a short job


class BenchError(Exception):
    """A worker has failed."""


class Worker:
    """A process that performs jobs with a library."""

    def __init__(self, name: str, command: Sequence[str], launch: Launch) -> None:
        self.name = name
        self._process = launch(command)

    def request(self, job: str, name: str = "", *words: object) -> tuple[int, int] | None:
        """Perform a job; return nanoseconds and items, or None if the library cannot do it."""
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
            raise BenchError(f"{self.name}: {job} {name}: {' '.join(rest) or 'no result'}")
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
    """A job at a size: the duration of each round, in nanoseconds for an item."""

    job: str
    size: int
    samples: dict[str, list[float]] = field(default_factory=dict)

    def median(self, who: str) -> float:
        return statistics.median(self.samples[who])

    def ratio(self, who: str, to: str) -> tuple[float, float, float] | None:
        """Return the median, the lower and the upper quartile of the rounds' ratios."""
        if who not in self.samples or to not in self.samples:
            return None
        both = zip(self.samples[who], self.samples[to], strict=True)
        ratios = [measured / base for measured, base in both]
        low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
        return middle, low, high


@dataclass(frozen=True)
class Plan:
    """The amount of work."""

    sizes: tuple[int, ...]
    rounds: int  # of short jobs
    long_rounds: int  # of jobs that take seconds
    most: int  # the largest size for queries of each service
    slowly: int  # the same for psutil, which takes ten times as long
    waits: int

    @staticmethod
    def full() -> Plan:
        return Plan((16, 1000, 5000), 21, 7, 1000, 60, 64)

    @staticmethod
    def quick() -> Plan:
        return Plan((16, 100), 3, 3, 100, 10, 8)


class Bench:
    """A run of all jobs. Creates services, and deletes them however the run ends."""

    def __init__(
        self,
        launch: Launch,
        program: str,
        python: Sequence[str],
        service: str,
        plan: Plan,
        say: Callable[[str], None],
    ) -> None:
        """Prepare a run.

        Args:
            launch: The function that starts a program.
            program: The compiled program.c.
            python: The command of the Python with the libraries, including worker.py.
            service: The command line of the service that is started and stopped.
            plan: The amount of work.
            say: The function that shows progress.
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
        """Provide a worker that creates services; delete those of this and earlier runs."""
        registrar = Worker("c", self._commands["c"], self._launch)
        try:
            _remove(registrar)
            yield registrar
        finally:
            registrar.close()  # its output may be incomplete after an interrupt
            last = Worker("c", self._commands["c"], self._launch)
            try:
                self._say("deleting the benchmark's services")
                _remove(last)
            finally:
                last.close()

    def _jobs(self, registrar: Worker) -> None:
        plan, created = self._plan, 0
        for size in plan.sizes:
            missing = size - _items(registrar.request("list"))
            if missing > 0:
                self._say(f"creating {missing} services")
                registrar.request("create", PREFIX, created, created + missing, self._service)
                created += missing
            count = _items(registrar.request("list"))
            self._repeated("list", count, "")
            if size <= plan.most:
                self._of_each("config", count)
                self._of_each("levels", count)
            if size == plan.sizes[0]:
                registrar.request("create", PREFIX, LIFE, LIFE + 1, self._service)
                self._one_service(count)
                _remove(registrar)
            if size == plan.sizes[-1]:
                self._say("memory")
                for name, worker in self._workers.items():
                    if answer := worker.request("memory"):
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
        """Run every library once in each round; each round begins with another library."""
        self._say(f"{job}, {size} services")
        result = Result(job, size)
        names = [name for name, worker in self._workers.items() if once(worker) > 0]  # warms up
        for turn in range(rounds):
            first = turn % len(names)
            for name in names[first:] + names[:first]:
                result.samples.setdefault(name, []).append(once(self._workers[name]))
        self.results.append(result)

    def _repeated(self, job: str, size: int, name: str) -> None:
        """Measure a short job, repeated within a round until the round is long enough."""
        times: dict[str, int] = {}
        for who, worker in self._workers.items():
            worker.request(job, name, 1)  # the first call may have to determine the buffer size
            if answer := worker.request(job, name, 1):
                times[who] = max(1, round(LONG_ENOUGH / answer[0]))

        def once(worker: Worker) -> float:
            if worker.name not in times:
                return 0
            answer = worker.request(job, name, times[worker.name])
            assert answer is not None
            return answer[0] / times[worker.name]

        self._rounds(job, size, self._plan.rounds, once)

    def _of_each(self, job: str, size: int) -> None:
        """Measure a job that queries each service; the result is the time for a service."""

        def once(worker: Worker) -> float:
            most = self._plan.slowly if worker.name == "psutil" else size
            answer = worker.request(job, "", most)
            return answer[0] / answer[1] if answer else 0

        self._rounds(job, size, self._plan.long_rounds, once)

    def _life(self, size: int, name: str) -> None:
        self._say("start and stop")
        started, stopped = Result("start", size), Result("stop", size)
        names = [who for who in self._workers if who != "psutil"]
        for turn in range(self._plan.rounds + 1):
            for who in names[turn % len(names) :] + names[: turn % len(names)]:
                for job, result in (("start", started), ("stop", stopped)):
                    answer = self._workers[who].request(job, name)
                    assert answer is not None
                    if turn:  # the first round warms up
                        result.samples.setdefault(who, []).append(answer[0])
        self.results += [started, stopped]

    def _waits(self, size: int, name: str) -> None:
        def once(worker: Worker) -> float:
            answer = worker.request("waits", name, self._plan.waits)
            if answer is None:
                return 0
            self._workers["c"].request("stop", name)
            return answer[0]

        self._rounds("waits", size, self._plan.long_rounds, once)

    def _imports(self) -> None:
        self._say("import")
        imported, connected = Result("import", 0), Result("connect", 0)
        names = list(ALL[1:])
        for turn in range(self._plan.rounds + 1):
            for who in names[turn % len(names) :] + names[: turn % len(names)]:
                process = self._launch([*self._commands[who], "import"])
                output, _ = process.communicate(timeout=LONGEST)
                kind, *numbers = output.strip().split("\t")
                if kind != "ok":
                    raise BenchError(f"{who}: import: {output}")
                if turn:
                    imported.samples.setdefault(who, []).append(float(numbers[0]))
                    connected.samples.setdefault(who, []).append(float(numbers[1]))
        self.results += [imported, connected]


def _items(answer: tuple[int, int] | None) -> int:
    assert answer is not None
    return answer[1]


def _remove(registrar: Worker) -> None:
    """Delete the benchmark's services; repeated, because the system may list them in pages."""
    while _items(registrar.request("delete", PREFIX)):
        pass
