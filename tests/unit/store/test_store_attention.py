"""The projection of exceptions: replaced as a whole, listed by what is due."""

from datetime import UTC, datetime, timedelta
from typing import Any

from domain.attention import AttentionItem
from domain.readiness import Evidence, Finding, Gate
from store.sql.engine import SqlStore

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def item(number: int = 1, **changes: Any) -> AttentionItem:
    facts = {
        "id": f"activation/acme/0065g/erp.customer/{number}",
        "process": "activation/acme/0065g",
        "step": "erp.customer",
        "headline": "Customer could not be created",
        "amount": "120000.00 EUR",
        "systems": ("netsuite",),
        "owner": "finance_systems",
        "raised_at": NOON,
        "due_at": NOON + timedelta(hours=number),
        "findings": (Finding(gate=Gate.CUSTOMER_DATA, field="customer.tax_id", rule="r", message="m"),),
        "evidence": (Evidence(system="netsuite", record="customer 1", as_of=NOON),),
        "facts": {"candidate": "4711"},
    }
    return AttentionItem.model_validate(facts | changes)


async def test_put_replaces_by_id(store: SqlStore):
    await store.attention.put(item())
    assert await store.attention.get(item().id) == item()
    later = item(state="resolved", resolution="corrected", escalations=1, due_at=NOON)
    await store.attention.put(later)
    await store.attention.put(later)
    assert await store.attention.get(item().id) == later
    assert await store.attention.list(state=None) == [later]
    assert await store.attention.get("unknown") is None


async def test_list_is_what_is_unresolved_oldest_due_first(store: SqlStore):
    await store.attention.put(item(3))
    await store.attention.put(item(1, state="awaiting_second_person"))
    await store.attention.put(item(2, owner="platform_engineering"))
    await store.attention.put(item(4, process="other"))
    await store.attention.put(item(0, state="resolved"))

    async def due(**asked: Any) -> list[int]:
        return [
            round((found.due_at - NOON) / timedelta(hours=1)) for found in await store.attention.list(**asked)
        ]

    assert await due() == [1, 2, 3, 4]
    assert await due(state=None) == [0, 1, 2, 3, 4]
    assert await due(state="resolved") == [0]
    assert await due(state="awaiting_second_person") == [1]
    assert await due(owner="finance_systems") == [1, 3, 4]
    assert await due(process="other") == [4]
    assert await due(limit=2) == [1, 2]
