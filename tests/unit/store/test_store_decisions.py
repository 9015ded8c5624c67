"""Decisions: kept as made, spent once, refused when altered."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from domain.attention import Decision
from domain.identity import content_hash
from store.ports import StoreError
from store.sql.engine import SqlStore

PROCESS = "activation/acme/0065g"


def decision(**changes: Any) -> Decision:
    facts = {
        "id": "d1",
        "actor": "kim",
        "role": "approver",
        "action": "correct",
        "process": PROCESS,
        "target": f"{PROCESS}/psa.project/1",
        "reason": "wrong template",
        "payload": {"project.template": "13"},
        "payload_hash": "h",
        "at": datetime(2026, 3, 2, 12, 0, tzinfo=UTC),
    }
    return Decision.model_validate(facts | changes)


async def test_add_then_claim_again_and_again_for_one_process(store: SqlStore):
    await store.decisions.add(decision())
    await store.decisions.add(decision())
    assert await store.decisions.get("d1") == decision()
    assert await store.decisions.claim("d1", PROCESS) == decision()
    assert await store.decisions.claim("d1", PROCESS) == decision()
    await store.decisions.add(decision())
    assert await store.decisions.get("d2") is None


async def test_other_content_under_one_id_is_refused(store: SqlStore):
    await store.decisions.add(decision())
    with pytest.raises(StoreError, match="d1 is already kept with other content"):
        await store.decisions.add(decision(payload={"project.template": "14"}))
    assert await store.decisions.get("d1") == decision()


async def test_claim_refuses_unknown_and_foreign(store: SqlStore):
    with pytest.raises(StoreError, match="decision d1 is unknown"):
        await store.decisions.claim("d1", PROCESS)
    await store.decisions.add(decision())
    with pytest.raises(StoreError, match=f"meant for {PROCESS}, not for other"):
        await store.decisions.claim("d1", "other")


async def test_claim_refuses_what_another_process_spent(timed_store: SqlStore, raw: Any):
    await timed_store.decisions.add(decision())
    with raw() as database:
        database.execute(text("UPDATE decisions SET spent_by = 'elsewhere'"))
    with pytest.raises(StoreError, match="already spent by elsewhere"):
        await timed_store.decisions.claim("d1", PROCESS)


@pytest.mark.parametrize("rehashed", [False, True])
@pytest.mark.parametrize(
    ("before", "after"),
    [('"kim"', '"ceo"'), ('"approver"', '"admin"'), ('"13"', '"99"'), (PROCESS, "elsewhere")],
)
async def test_altered_decision_is_refused(
    timed_store: SqlStore, raw: Any, before: str, after: str, rehashed: bool
):
    await timed_store.decisions.add(decision())
    with raw() as database:
        body = database.execute(text("SELECT body FROM decisions")).scalar()
        forged = body.replace(before, after)
        assert forged != body
        database.execute(text("UPDATE decisions SET body = :body"), {"body": forged})
        if rehashed and after == "elsewhere":
            database.execute(text("UPDATE decisions SET body_hash = :hash"), {"hash": content_hash(forged)})
    with pytest.raises(StoreError, match="d1 was altered after it was made"):
        await timed_store.decisions.claim("d1", PROCESS)
    with pytest.raises(StoreError, match="altered"):
        await timed_store.decisions.get("d1")


async def test_a_decision_of_an_older_version_still_holds(timed_store: SqlStore, raw: Any):
    await timed_store.decisions.add(decision(payload_hash=""))
    with raw() as database:
        body = database.execute(text("SELECT body FROM decisions")).scalar()
        older = body.replace(',"payload_hash":""', "")
        assert older != body
        forged = {"body": older, "hash": content_hash(older)}
        database.execute(text("UPDATE decisions SET body = :body, body_hash = :hash"), forged)
    assert await timed_store.decisions.claim("d1", PROCESS) == decision(payload_hash="")
    await timed_store.decisions.add(decision(payload_hash=""))
