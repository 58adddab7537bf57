"""Handles: use counts, closing and finalization."""

from __future__ import annotations

import gc
import threading

import pytest

from winsvc._scm.handles import ServiceHandle
from winsvc._util.handles import UseCount
from winsvc.errors import HandleClosedError


def make(freed: list[int]) -> ServiceHandle:
    return ServiceHandle(7, freed.append, "x", None)


def test_handle_lends_value_and_closes_once() -> None:
    freed: list[int] = []
    handle = make(freed)
    with handle as value, handle as again:
        assert value == again == 7
    handle.close()
    handle.close()
    assert handle.closed
    assert freed == [7]


def test_closed_handle_on_enter_raises_handle_closed() -> None:
    handle = make([])
    handle.close()
    with pytest.raises(HandleClosedError, match="the handle of service 'x' is closed"):
        handle.__enter__()


def test_close_during_call_frees_handle_after_call() -> None:
    freed: list[int] = []
    handle = make(freed)
    with handle:
        closer = threading.Thread(target=handle.close)
        closer.start()
        closer.join(10)
        assert not closer.is_alive()  # it does not block ...
        assert handle.closed
        assert freed == []  # ... and the handle is there until the call is done
        with pytest.raises(HandleClosedError):
            handle.__enter__()
    assert freed == [7]


def test_unclosed_handle_warns_and_is_freed() -> None:
    freed: list[int] = []
    handle = make(freed)
    with pytest.warns(ResourceWarning, match="unclosed <ServiceHandle of service 'x': 0x7>"):
        del handle
        gc.collect()
    assert freed == [7]


def test_close_during_use_by_many_threads_frees_handle_once() -> None:
    freed: list[int] = []
    used_after_free: list[int] = []
    refused: list[HandleClosedError] = []
    handle = make(freed)
    all_use_it = threading.Barrier(9, timeout=30)

    def work() -> None:
        with handle:
            all_use_it.wait()
        try:
            while True:
                with handle as value:
                    if freed:
                        used_after_free.append(value)
        except HandleClosedError as error:
            refused.append(error)

    workers = [threading.Thread(target=work, daemon=True) for _ in range(8)]
    for worker in workers:
        worker.start()
    all_use_it.wait()
    handle.close()
    for worker in workers:
        worker.join(30)
    assert not any(worker.is_alive() for worker in workers)
    assert len(refused) == 8
    assert freed == [7]
    assert used_after_free == []


def test_use_count_retired_value_goes_to_last_call() -> None:
    uses = UseCount()
    assert uses.retire(7)
    uses.begin()
    uses.begin()
    assert not uses.retire(7)
    assert not uses.retire(0)
    assert [uses.end(), uses.end()] == [0, 7]
    uses.begin()
    assert uses.end() == 0
