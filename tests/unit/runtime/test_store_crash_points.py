"""Crash points around writes into our own store: each is passed before and after, and nothing else is."""

from datetime import date
from types import SimpleNamespace
from typing import Any

from domain.billable import Billable
from runtime.store_crash_points import store_key, with_crash_points


class Billing:
    """Keeps the names of what was called."""

    def __init__(self, log: list[str]) -> None:
        self._log = log

    def __getattr__(self, name: str) -> Any:
        async def call(*arguments: Any, **named: Any) -> str:
            self._log.append(name)
            return f"{name} done"

        return call


def attacked() -> tuple[Any, list[str]]:
    log: list[str] = []
    store: Any = SimpleNamespace(billing=Billing(log), effects="the journal")
    return with_crash_points(store, lambda point, key: log.append(f"{point} {key}")), log


async def test_a_write_passes_its_points_and_is_done_between_them() -> None:
    store, log = attacked()
    assert await store.billing.settle("I", "row") == "settle done"
    assert log == [
        f"before_call {store_key('settle', 'I')}",
        "settle",
        f"after_record {store_key('settle', 'I')}",
    ]


async def test_entries_and_events_of_an_invoice_have_points_of_their_own() -> None:
    store, log = attacked()
    await store.billing.cover("I", events=["e"])
    await store.billing.cover("I", entries=["a"])
    assert log[0] == "before_call store/cover/I/events"
    assert log[-1] == "after_record store/cover/I/entries"


async def test_a_page_is_known_by_its_first_entry_and_an_empty_one_has_no_points() -> None:
    store, log = attacked()
    entry = Billable(
        key="psa:time:6", kind="time", source="psa", external_id="6", content_hash="h", project="P", line=1,
        entity="DE01", resource="ada", work_date=date(2026, 11, 20),
    )  # fmt: skip
    await store.billing.take_in([entry])
    await store.billing.take_in([])
    assert log == [
        "before_call store/take_in/psa:time:6",
        "take_in",
        "after_record store/take_in/psa:time:6",
        "take_in",
    ]


async def test_reads_and_other_parts_of_the_store_are_as_they_were() -> None:
    store, log = attacked()
    await store.billing.contract("P")
    assert (log, store.effects) == (["contract"], "the journal")
