"""Words of an invoice stand in their entry: decision, audit and what tells a repeat keep a hash of them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from domain.attention import Decision, sealed
from store.ports import StoreError
from store.sql.engine import SqlStore
from store.sql.tables import METADATA

Make = Callable[..., Any]
WORDS = "canary: talked with the customer about a layoff"
INVOICE = "invoice/acme/1"


def edited(words: str = WORDS) -> Decision:
    return Decision(
        id="d1",
        actor="pm@acme.example",
        role="project_manager",
        action="edit_narrative",
        process=INVOICE,
        target="kantata:time:1",
        payload={"narrative": words},
        at=datetime(2026, 11, 23, tzinfo=UTC),
    )


async def tables_with(store: SqlStore, text: str) -> set[str]:
    """Names of the tables in which `text` stands anywhere."""

    def work(connection: Any) -> set[str]:
        return {
            name
            for name, table in METADATA.tables.items()
            if any(text in str(value) for row in connection.execute(select(table)) for value in row)
        }

    return await store._database.read(work)


async def test_an_edited_narrative_is_kept_by_its_entry_alone(store: SqlStore, make_entry: Make) -> None:
    await store.billing.take_in([make_entry(1)])
    await store.decisions.add(edited())
    await store.decisions.claim("d1", INVOICE)
    assert await tables_with(store, "canary") == {"decisions"}, "until it is applied"
    for _ in range(2):  # a worker may die after it has applied it
        decision = await store.decisions.get("d1")
        assert decision is not None
        words = decision.payload["narrative"]
        entry = await store.billing.adjust("kantata:time:1", decision="d1", narrative=words)
        assert entry.narrative == WORDS
    assert await tables_with(store, "canary") == {"billables"}
    assert sealed(WORDS) in {note.after.partition("= ")[2] for note in await store.audit.list(INVOICE)}
    assert (await store.audit.verify())[1] == []


async def test_a_decision_that_was_applied_is_still_the_same_and_no_other(
    store: SqlStore, make_entry: Make
) -> None:
    await store.billing.take_in([make_entry(1)])
    await store.decisions.add(edited())
    await store.billing.adjust("kantata:time:1", decision="d1", narrative=WORDS)
    await store.decisions.add(edited())
    assert await store.decisions.claim("d1", INVOICE) == edited().without_confidential()
    with pytest.raises(StoreError, match="other content"):
        await store.decisions.add(edited("other words"))
    with pytest.raises(StoreError, match="has changed entry"):
        await store.billing.adjust("kantata:time:1", decision="d1", narrative="other words")


def test_a_hash_stays_what_it_is() -> None:
    assert sealed(sealed(WORDS)) == sealed(WORDS)
    assert edited().without_confidential().without_confidential() == edited().without_confidential()
