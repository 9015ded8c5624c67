"""Cross-references, unique both ways, and cursors, which never go back."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from store.ports import StoreError
from store.sql.engine import SqlStore

NOON = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=UTC)


async def test_reference_reads_both_ways(store: SqlStore):
    for _ in range(2):
        await store.references.put("project:DE01", "netsuite", "job", "88")
        await store.references.put("project:DE01", "kantata", "workspace", "4711")
    assert await store.references.of("project:DE01") == [
        ("kantata", "workspace", "4711"),
        ("netsuite", "job", "88"),
    ]
    assert await store.references.canonical("kantata", "workspace", "4711") == "project:DE01"
    assert await store.references.canonical("kantata", "workspace", "4712") is None
    assert await store.references.of("project:DE02") == []


@pytest.mark.parametrize(
    ("canonical", "external"), [("project:DE01", "4712"), ("project:DE02", "4711")], ids=["id", "external"]
)
async def test_either_side_is_paired_once(store: SqlStore, canonical: str, external: str):
    await store.references.put("project:DE01", "kantata", "workspace", "4711")
    with pytest.raises(StoreError, match="project:DE01 is already paired with 4711"):
        await store.references.put(canonical, "kantata", "workspace", external)
    assert await store.references.of("project:DE01") == [("kantata", "workspace", "4711")]
    # The same ids of another object or system are something else.
    await store.references.put(canonical, "kantata", "story", external)
    await store.references.put(canonical, "netsuite", "workspace", external)


async def test_a_side_cannot_be_empty(store: SqlStore):
    with pytest.raises(StoreError, match="a cross-reference needs all of"):
        await store.references.put("project:DE01", "kantata", "workspace", "")


async def test_cursor_never_goes_back(store: SqlStore):
    assert await store.cursors.get("deals") is None
    await store.cursors.put("deals", NOON)
    await store.cursors.put("deals", NOON - timedelta(microseconds=1))
    assert await store.cursors.get("deals") == NOON
    later = (NOON + timedelta(minutes=1)).astimezone(timezone(timedelta(hours=-5)))
    await store.cursors.put("deals", later)
    assert await store.cursors.get("deals") == later
    assert await store.cursors.get("projects") is None
