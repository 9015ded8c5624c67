"""Reading a list in pages while its rows move: no row that stays is ever missed, by many random histories."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.http.transport import VendorHttp
from connectors.kantata import window as window_module
from connectors.kantata.account import OVERLAP, Account
from connectors.kantata.settings import KantataSettings
from connectors.kantata.window import Cursor, Window

START = datetime(2026, 11, 1, tzinfo=UTC)
SETTINGS = KantataSettings(base_url="https://api.example/api/v1", token="t" * 20)


class List(Account):
    """A list of the vendor: ordered by change stamp (or by id), read by offset, bound exclusively."""

    def __init__(self, stamps: Mapping[int, int], *, by_change: bool) -> None:
        super().__init__(cast(VendorHttp, _Named()), SETTINGS)
        self.stamps = dict(stamps)
        self.by_change = by_change
        self.calls = 0

    async def page(
        self, collection: str, params: Mapping[str, str | int], *, operation: str
    ) -> list[dict[str, Any]]:
        self.calls += 1
        after = params.get("updated_after")
        bound = datetime.fromisoformat(str(after)) if after else None
        chosen = [(self.at(id), id) for id in self.stamps if bound is None or self.at(id) > bound]
        chosen.sort(key=(lambda item: item) if self.by_change else (lambda item: (START, item[1])))
        start = int(params["offset"])
        part = chosen[start : start + int(params["limit"])]
        return [
            {"id": str(id), "created_at": START.isoformat(), "updated_at": at.isoformat()} for at, id in part
        ]

    def at(self, id: int) -> datetime:
        return START + timedelta(seconds=self.stamps[id])


class _Named:
    system = "kantata"


Moves = list[tuple[str, int, int]]
"""Steps: what happens to how many rows, from which on."""
moves: st.SearchStrategy[Moves] = st.lists(
    st.tuples(st.sampled_from(["edit", "remove"]), st.integers(0, 100), st.integers(0, 70)), max_size=12
)


async def drained(listed: List, size: int, history: Moves) -> set[str]:
    """Ids that came, with one step of the history between any two pages."""
    window = Window(listed, "time_entries", {}, by_change=listed.by_change)
    cursor, came, now = Cursor(), set[str](), 10_000
    steps = iter(history)
    for _ in range(400):
        page = await window.read(cursor, size, "read")
        came |= {seen.id for seen in page.new}
        if page.ended:
            return came
        cursor = Cursor.model_validate_json(window.after(page, len(page.new)).model_dump_json())
        kind, first, count = next(steps, ("edit", 0, 0))
        for id in range(first, first + count):
            if id in listed.stamps:
                now += 1
                if kind == "edit":
                    listed.stamps[id] = now
                else:
                    del listed.stamps[id]
    raise AssertionError("the reading does not end")


@pytest.mark.parametrize("by_change", [True, False])
@pytest.mark.parametrize("follow", [30, 2_000])
@given(size=st.integers(1, 40), spread=st.sampled_from([0, 1, 7]), history=moves)
@settings(max_examples=60, deadline=None)
async def test_what_stays_is_never_missed(
    by_change: bool, follow: int, size: int, spread: int, history: Moves
) -> None:
    listed = List({id: id * spread // 3 for id in range(150)}, by_change=by_change)
    before, window_module.FOLLOW_AFTER = window_module.FOLLOW_AFTER, follow
    try:
        came = await drained(listed, size, history)
    finally:
        window_module.FOLLOW_AFTER = before
    assert {str(id) for id in listed.stamps} <= came, "edited rows come again at the end, the rest once"


async def test_without_moves_each_row_comes_once_and_in_few_calls() -> None:
    listed = List({id: id for id in range(150)}, by_change=True)
    window = Window(listed, "time_entries", {}, by_change=True)
    cursor, came = Cursor(), list[str]()
    while True:
        page = await window.read(cursor, 50, "read")
        came += [seen.id for seen in page.new]
        if page.ended:
            break
        cursor = window.after(page, len(page.new))
    assert came == [str(id) for id in range(150)]
    assert listed.calls == 4
    assert len(cursor.tail) == OVERLAP


async def test_a_part_of_a_page_may_be_taken() -> None:
    listed = List({id: id for id in range(150)}, by_change=False)
    window = Window(listed, "submissions", {}, by_change=False)
    cursor, came = Cursor(), list[str]()
    for _ in range(100):
        page = await window.read(cursor, 30, "read")
        came += [seen.id for seen in page.new[:3]]
        if page.ended and len(page.new) <= 3:
            break
        cursor = window.after(page, min(3, len(page.new)))
    assert came == [str(id) for id in range(150)]
