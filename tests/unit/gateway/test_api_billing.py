"""`GET /v1/projects/{id}/billing-status`: our figures, and beside them the ERP's where it is asked."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from domain.attention import AttentionItem
from domain.books import InvoiceFacts
from domain.money import Money
from domain.readiness import OwnerGroup
from store.ports import StoreError
from store.sql.engine import SqlStore
from tests.unit.cli.cli_billing import (
    CYCLE,
    NOW,
    PROJECT,
    ago,
    collected,
    contract,
    expense,
    work_came_in,
)
from tests.unit.gateway.api_parts import RunningApi, running_api
from tests.unit.gateway.gateway_parts import Clock

ADDRESS = f"/v1/projects/{PROJECT}/billing-status"


@pytest.fixture
async def api(store: SqlStore, tmp_path: Path) -> AsyncIterator[RunningApi]:
    async with running_api(store, tmp_path, Clock(NOW), limit=20.0) as running:
        yield running


async def ask(api: RunningApi, query: str = "") -> dict[str, Any]:
    answer = await api.http.get(ADDRESS + query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def eur(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


async def test_what_is_billed_unbilled_and_held(api: RunningApi, store: SqlStore) -> None:
    await work_came_in(store)
    status = await ask(api)
    assert (status["project"], status["currency"], status["value"]) == (PROJECT, "EUR", eur("60000.00"))
    assert status["billed"] == eur("0.00")
    assert status["unbilled"] == {
        "entries": 5,
        "value": eur("1680.00"),  # 8 h, 1.5 h and 1 h at 150, 100 of expenses with 5% markup
        "without_rate": 1,
        "oldest": ago(40).isoformat(),
    }
    assert (status["held"]["entries"], status["held"]["value"]) == (1, eur("600.00"))
    assert [line["number"] for line in status["lines"]] == [1, 2, 3]
    assert status["live"] is None
    assert api.erp.questions == []


async def test_the_next_event_is_the_earliest_without_an_invoice(api: RunningApi, store: SqlStore) -> None:
    await work_came_in(store)
    assert (await ask(api))["next_event"] == {
        "key": f"{PROJECT}/2/go-live/1",
        "kind": "milestone",
        "due_on": ago(35).isoformat(),
        "amount": eur("2000.00"),
    }


async def test_without_kept_events_the_calendar_tells_what_comes(api: RunningApi, store: SqlStore) -> None:
    await store.billing.put_contract(contract(starts_on=NOW.date()))
    coming = (await ask(api))["next_event"]
    assert coming["kind"] == "time"
    assert coming["key"] == ""
    assert coming["due_on"] > NOW.date().isoformat()


async def test_a_milestone_nobody_accepted_comes_next(api: RunningApi, store: SqlStore) -> None:
    signed = contract(starts_on=NOW.date())
    lines = [line.with_changes(due_on=ago(3), amount=Money.of("2000", "EUR")) for line in signed.lines[1:2]]
    await store.billing.put_contract(signed.with_changes(lines=(signed.lines[0], *lines)))
    coming = (await ask(api))["next_event"]
    assert coming == {
        "key": "",
        "kind": "milestone",
        "due_on": ago(3).isoformat(),
        "amount": eur("2000.00"),
    }


async def test_work_on_an_invoice_is_not_unbilled(api: RunningApi, store: SqlStore) -> None:
    await collected(store)
    item = AttentionItem(
        id=f"billing/fairlead-demo/{PROJECT}/x/1",
        process=f"billing/fairlead-demo/{PROJECT}",
        step="x",
        headline="The ERP refuses the draft",
        owner=OwnerGroup.FINANCE_SYSTEMS,
        raised_at=NOW,
        due_at=NOW,
    )
    await store.attention.put(item)
    status = await ask(api)
    assert status["unbilled"]["entries"] == 1
    assert [(one["stage"], one["number"]) for one in status["invoices"]] == [("collected", "")]
    assert status["invoices"][0]["id"].endswith(CYCLE.replace("/", ":"))
    assert [one["headline"] for one in status["exceptions"]] == ["The ERP refuses the draft"]


async def test_live_figures_stand_beside_ours(api: RunningApi, store: SqlStore) -> None:
    await store.billing.put_contract(contract(erp_project="4711"))
    money = Money.of("119", "EUR")
    facts = InvoiceFacts(
        external_id="9",
        number="INV9",
        state="open",
        dated=NOW.date(),
        currency="EUR",
        net=Money.of("100", "EUR"),
        tax=Money.of("19", "EUR"),
        gross=money,
        open_amount=money,
    )
    api.erp.documents = [facts]
    live = (await ask(api, "?live=true"))["live"]
    assert api.erp.questions == ["4711"]
    assert live["system"] == "netsuite"
    assert [(one["number"], one["open_amount"]) for one in live["documents"]] == [("INV9", eur("119.00"))]


async def test_a_silent_erp_stops_the_live_answer_only(api: RunningApi, store: SqlStore) -> None:
    await store.billing.put_contract(contract(erp_project="4711"))
    api.erp.silent = True
    api.app.state.api_limit = 0.3
    answer = await api.http.get(f"{ADDRESS}?live=true")
    assert answer.status_code == 503
    assert answer.json()["detail"].startswith("netsuite did not answer in time.")
    api.app.state.api_limit = 20.0
    assert (await api.http.get(ADDRESS)).status_code == 200


async def test_work_that_cannot_be_valued_is_counted_and_says_why(api: RunningApi, store: SqlStore) -> None:
    await store.billing.put_contract(contract())
    await store.billing.take_in([expense("usd").with_changes(amount=Money.of("100", "USD"))])
    status = await ask(api)
    assert status["unbilled"]["entries"] == 1
    assert (status["unbilled"]["value"], bool(status["problem"])) == (None, True)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v1/projects/DE01-NOBODY/billing-status", 404),
        ("/v1/projects/..%2f..%2fetc/billing-status", 404),
        (f"{ADDRESS}?live=yes", 422),
        (f"{ADDRESS}?live=true&live=true", 422),
        (f"{ADDRESS}?deep=1", 422),
    ],
)
async def test_what_is_not_known_is_refused(api: RunningApi, path: str, code: int) -> None:
    answer = await api.http.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (code, "application/problem+json")


async def test_a_store_that_is_away_is_named(
    api: RunningApi, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise StoreError("the store is locked")

    monkeypatch.setattr(store.billing, "contract", away)
    answer = await api.http.get(ADDRESS)
    assert answer.status_code == 503
    assert "store" in answer.json()["detail"]
    assert "locked" not in answer.text
