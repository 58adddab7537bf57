"""The lists that C packs for Python: all kinds of texts, with and without enough space."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from _winsvc_cffi import ffi

from winsvc import ManagerAccess, ServiceAccess, ServiceManager, ServiceSpec
from winsvc._native import backend as module
from winsvc._native.backend import NativeBackend
from winsvc._native.memory import PAGE_BUFFERS, BufferCache, wide, wide_or_null
from winsvc._native.structs import decode_enums_process
from winsvc._values.rows import EnumRow, StatusRow

TEXTS = ["beat", "Grüße", "сервис", "\N{SNOWMAN}", "a\N{PILE OF POO}b", "\ud800", "", "x" * 300]


@pytest.mark.parametrize("size", [0, 1, 300, 100_000])
@pytest.mark.parametrize("shown", [*TEXTS, None])
def test_decode_enums_process_with_unusual_texts_keeps_rows(shown: str | None, size: int) -> None:
    statuses = [StatusRow(16, 1, 0, 1077, 0, 0, 0, 0, 0), StatusRow(16, 4, 1, 0, 0, 0, 0, 8, 0)]
    entries = ffi.new("ENUM_SERVICE_STATUS_PROCESSW[]", 50)
    rows: list[EnumRow] = []
    kept: list[object] = []
    for index in range(50):
        # More different statuses than are compared, with repetitions.
        status = statuses[index % 2]._replace(process_id=index // 3)
        display_name = shown if index % 5 == 0 else f"Service {index}"
        texts = wide(f"name {index}", "name"), wide_or_null(display_name, "display_name")
        kept.append(texts)
        entries[index].lpServiceName, entries[index].lpDisplayName = texts
        numbers = ffi.new("SERVICE_STATUS_PROCESS *", tuple(status))
        entries[index].ServiceStatusProcess = numbers[0]
        rows.append(EnumRow(f"name {index}", display_name, status))
    page, used = decode_enums_process(entries, 50, size)
    assert list(page) == rows
    assert list(page.blank) == [i for i, row in enumerate(rows) if not row.display_name]
    assert used > 50 * 50
    assert len(page.statuses) < 50


def test_query_configs_returns_row_or_none_for_each_name(
    scm: ServiceManager,
    program: str,
    unique_name: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec = ServiceSpec(
        name=unique_name(),
        binary_path=program,
        display_name="Grüße \N{SNOWMAN} a\N{PILE OF POO}b",
        dependencies=["RpcSs", "+Some group"],
    )
    backend = NativeBackend()
    with scm.create(spec) as service:
        try:
            names = ["RpcSs", spec.name, "there is none", spec.name, "Eventlog"]
            wanted = service._service.call(ServiceAccess.QUERY_CONFIG, backend.query_service_config)
            for room in (64 * 1024, 400, 10):
                monkeypatch.setattr(module, "_CONFIG_TEXTS", room)
                rows = scm._connection.call(ManagerAccess.CONNECT, backend.query_configs, names)
                assert len(rows) == 5
                assert rows[2] is None
                if room == 10:  # too little for any
                    assert rows == [None] * 5
                else:
                    assert rows[1] == rows[3] == wanted
                    assert rows[0] is not None
                    assert rows[4] is not None
            assert scm._connection.call(ManagerAccess.CONNECT, backend.query_configs, []) == []
        finally:
            service.delete()


def test_kept_buffer_in_use_is_not_shared() -> None:
    kept = BufferCache()
    first, second = kept.take(100), kept.take(100)
    assert first != second
    assert len(second) >= 100
    kept.give(second)
    assert kept.take(60) == second
    kept.give(first)
    larger = kept.take(10_000)
    assert len(larger) == 10_000
    kept.give(larger)
    assert kept.block == larger


def test_listing_while_buffer_is_in_use_takes_another_buffer(scm: ServiceManager) -> None:
    """A signal handler may list while another listing is being decoded."""
    block = PAGE_BUFFERS.take(1)
    assert [info.name for info in scm.services()]
    assert PAGE_BUFFERS.block is not None
    assert PAGE_BUFFERS.block != block
