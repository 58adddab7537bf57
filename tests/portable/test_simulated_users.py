"""Test the behavior that users of the simulated system rely on."""

from __future__ import annotations

import pydoc
import threading
from collections.abc import Iterator

import pytest

import winsvc.testing
from winsvc import FailureActions, ServiceManager, State, StatusChanged
from winsvc.backend import Backend
from winsvc.testing import ProgramBehavior, SimulatedSCM


@pytest.fixture
def sim() -> Iterator[SimulatedSCM]:
    with SimulatedSCM().installed() as sim:
        yield sim
        sim.close()


# ------------------------------------------------------------------- names and help


def test_dir_shows_what_users_call_and_no_backend_call(sim: SimulatedSCM) -> None:
    calls = {name for name in dir(Backend) if not name.startswith("_")}
    for shown in (dir(SimulatedSCM), dir(sim)):
        assert not calls & set(shown)
        assert {"add", "host", "installed", "run_as", "called", "add_machine"} <= set(shown)
    assert {"clock", "faults", "calls", "caller", "local", "latency"} <= set(dir(sim))


def test_names_in_dir_exist(sim: SimulatedSCM) -> None:
    from winsvc.testing import scm

    assert all(hasattr(sim, name) for name in scm._USER_NAMES)
    assert set(dir(sim)) >= scm._USER_NAMES


def test_help_of_simulated_scm_leaves_out_backend_calls() -> None:
    text = pydoc.plain(pydoc.render_doc(SimulatedSCM))
    assert "enum_services_status_ex" not in text
    assert " add(self, spec" in text


def test_help_of_package_fits_on_a_few_pages() -> None:
    text = pydoc.plain(pydoc.render_doc(winsvc.testing))
    assert "enum_services_status_ex" not in text
    assert len(text.splitlines()) < 1500


# ------------------------------------------------------------------- services that were added


@pytest.mark.parametrize("behavior", [None, ProgramBehavior(continue_takes=3)])
def test_service_added_as_paused_can_be_resumed_and_paused_again(
    sim: SimulatedSCM, behavior: ProgramBehavior | None
) -> None:
    sim.add("beat", state=State.PAUSED, program=behavior)
    with ServiceManager() as scm, scm.open("beat") as beat:
        assert beat.resume(timeout=30).state is State.RUNNING
        assert beat.pause(timeout=30).state is State.PAUSED
        assert beat.stop(timeout=30).state is State.STOPPED


def test_failure_action_texts_never_set_are_none_for_the_backend(sim: SimulatedSCM) -> None:
    sim.add("plain")
    sim.add("some", failure_actions=FailureActions())
    for name in ("plain", "some"):
        row = sim[name].failure_actions
        assert (row.reboot_message, row.command) == (None, None)


# ------------------------------------------------------------------- several threads


@pytest.mark.parametrize("in_main_thread", [True, False])
def test_wait_and_watch_in_two_threads_both_make_progress(
    sim: SimulatedSCM, in_main_thread: bool
) -> None:
    # The check points are a second apart. The stop fails if it notices none for about a minute.
    sim.add("beat", program=ProgramBehavior(start_takes=5, stop_takes=600))
    watching = threading.Event()
    states: list[State] = []
    errors: list[BaseException] = []

    def watch(scm: ServiceManager) -> None:
        with scm.watch("beat") as events:
            watching.set()
            for event in events:
                assert isinstance(event, StatusChanged)
                states.append(event.new.state)
                if event.new.state is State.STOPPED:
                    return

    def start_and_stop(scm: ServiceManager) -> None:
        try:
            scm.start("beat")
            scm.stop("beat")  # without a timeout: a service that makes no progress hangs
        except BaseException as error:
            errors.append(error)

    with ServiceManager() as scm:
        watcher = threading.Thread(target=watch, args=(scm,), daemon=True)
        watcher.start()
        assert watching.wait(10)
        if in_main_thread:
            start_and_stop(scm)
        else:
            starter = threading.Thread(target=start_and_stop, args=(scm,), daemon=True)
            starter.start()
            starter.join(30)
        watcher.join(30)
        assert not errors
        assert not watcher.is_alive()
    assert states[-1] is State.STOPPED


def test_wait_with_timeout_ends_on_time_beside_an_endless_watch(sim: SimulatedSCM) -> None:
    sim.add("beat", state=State.RUNNING)
    sim.add("other", program=ProgramBehavior(stop_takes=10_000), state=State.RUNNING)
    with ServiceManager() as scm, scm.watch() as events:
        watcher = threading.Thread(target=lambda: list(iter(events)), daemon=True)
        watcher.start()
        with scm.open("other") as other:
            other.stop(wait=False)
        began = sim.clock.now
        with scm.open("beat") as beat, pytest.raises(TimeoutError):
            beat.wait(State.STOPPED, timeout=30)
        assert sim.clock.now - began == pytest.approx(30, abs=1)
        events.close()
        watcher.join(30)
        assert not watcher.is_alive()
