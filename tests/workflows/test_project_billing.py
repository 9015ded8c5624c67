"""A project's billing as its users see it: cycles, holds, milestones, changes of contract, final account."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowUpdateFailedError
from temporalio.testing import WorkflowEnvironment

from domain.attention import EventRef
from domain.books import InvoiceFacts
from domain.calendar import Period, months_later
from domain.events import parse
from domain.intake import PsaInvoice
from domain.money import Money
from domain.project_contract import BillingTerms, RetentionTerms, RetentionTier
from domain.project_processes import HoldRequest, ReleaseRequest
from tests.support.project_billing_firm import (
    PROJECT,
    BilledProject,
    a_contract,
    an_entry,
    eur,
    milestone_line,
    running_billing,
    service_line,
    time_line,
    virtual_time,
)

ACCEPTED = {
    "milestone": "1",
    "document": "https://documents.example/4711.pdf",
    "accepted_by": "it.lead@alpenglow.example",
    "accepted_on": "2026-11-20",
}


@pytest.fixture
async def billing(temporal_env: WorkflowEnvironment, store: Any) -> AsyncIterator[BilledProject]:
    """A firm on the shared dev server; workflow ids are of one project, so each run is ended."""
    async with running_billing(temporal_env.client, store) as firm:
        yield firm
        if hasattr(firm, "handle"):
            description = await firm.handle.describe()
            if description.status is WorkflowExecutionStatus.RUNNING:
                await firm.handle.terminate()


def reason_of(caught: pytest.ExceptionInfo[WorkflowUpdateFailedError]) -> str:
    return str(caught.value.__cause__)


# -- beginning --------------------------------------------------------------------------------------


async def test_the_first_run_costs_one_bookkeeping_call_and_one_timer(billing: BilledProject) -> None:
    # Nothing is due before 2030, whatever today is.
    later = {"starts_on": date(2090, 1, 1), "ends_on": date(2090, 12, 31)}
    await billing.start(a_contract(lines=(milestone_line(),), **later))
    await billing.begun()
    kept = await billing.store.billing.contract(PROJECT)
    assert (kept.revision, kept.terms.in_arrears) == (1, False), "with the terms of the firm's file"
    names = [event.event_type for event in (await billing.handle.fetch_history()).events]
    from temporalio.api.enums.v1 import EventType

    assert names.count(EventType.EVENT_TYPE_MARKER_RECORDED) == 1
    assert names.count(EventType.EVENT_TYPE_TIMER_STARTED) == 1
    assert EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES not in names
    assert EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED not in names
    row = await billing.store.processes.get(billing.key)
    assert (row.kind, row.state) == ("billing", "running")


async def test_a_contract_that_cannot_be_billed_has_an_owner_and_heals(billing: BilledProject) -> None:
    doubled = milestone_line(id="l9", billing_authority="erp")
    await billing.start(a_contract(lines=(milestone_line(), doubled)))
    (item,) = await billing.attention()
    assert (item.step, item.owner.value) == ("contract", "finance_systems")
    assert "billed by fairlead, and is billed by erp" in item.detail


# -- milestones -------------------------------------------------------------------------------------


async def test_five_deliveries_of_a_milestone_are_one_event_and_one_invoice(billing: BilledProject) -> None:
    await billing.start(a_contract(lines=(milestone_line(),)))
    await billing.begun()
    for _ in range(5):
        row = await billing.applied(await billing.tell("milestone.accepted", ACCEPTED))
    (event,) = await billing.store.billing.events(PROJECT)
    assert (event.key, event.amount) == (f"{PROJECT}/1/1/1", eur("30000.00"))
    assert event.evidence == "https://documents.example/4711.pdf, by it.lead@alpenglow.example on 2026-11-20"
    (invoice,) = await billing.posted(1)
    assert invoice.id == f"invoice/{billing.firm}/{PROJECT}:1:1:1"
    assert len(billing.invoicing.asked) == 1
    assert row.process == billing.key


async def test_the_same_delivery_twice_at_once_is_one(billing: BilledProject) -> None:
    await billing.start(a_contract(lines=(milestone_line(),)))
    await billing.begun()
    id = await billing.tell("milestone.accepted", ACCEPTED)
    for _ in range(4):
        await billing.handle.signal("event_received", EventRef(id=id, type="milestone.accepted"))
    await billing.applied(id)
    await billing.posted(1)
    assert len(billing.invoicing.asked) == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"amount": "31000.00"}, "31,000.00 EUR"),
        ({"revision": 2}, "revision 2 over 30,000.00 EUR"),
    ],
)
async def test_a_milestone_told_differently_changes_nothing_and_shows_both(
    billing: BilledProject, change: dict[str, Any], says: str
) -> None:
    await billing.start(a_contract(lines=(milestone_line(),)))
    await billing.begun()
    await billing.applied(await billing.tell("milestone.accepted", ACCEPTED))
    await billing.posted(1)
    await billing.applied(await billing.tell("milestone.accepted", {**ACCEPTED, **change}))
    (item,) = await billing.attention()
    assert item.step == "milestone.1"
    assert says in item.detail
    assert "30,000.00 EUR" in item.detail
    assert len(await billing.store.billing.events(PROJECT)) == 1
    assert len(billing.invoicing.asked) == 1
    await billing.applied(await billing.tell("milestone.accepted", ACCEPTED))
    await billing.attention(0)


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({**ACCEPTED, "milestone": "7"}, "Milestone 7 is not in the contract"),
        ({**ACCEPTED, "milestone": "2"}, "Milestone 2 is not in the contract"),
        ({**ACCEPTED, "document": ""}, "Milestone 1 Design signed off is not accepted"),
        ({**ACCEPTED, "accepted_on": None}, "Milestone 1 Design signed off is not accepted"),
        ({**ACCEPTED, "accepted_on": "2999-01-01"}, "Milestone 1 Design signed off is not accepted"),
        ({**ACCEPTED, "amount": "29000.00"}, "Milestone 1 Design signed off was told with another amount"),
    ],
)
async def test_a_milestone_that_cannot_be_billed_is_named(
    billing: BilledProject, told: dict[str, Any], says: str
) -> None:
    later = {"starts_on": date(2026, 11, 1), "ends_on": date(2090, 12, 31)}
    await billing.start(a_contract(lines=(milestone_line(), time_line(starts_on=date(2090, 1, 1))), **later))
    await billing.begun()
    await billing.applied(await billing.tell("milestone.accepted", told))
    (item,) = await billing.attention()
    assert item.headline == says
    assert await billing.store.billing.events(PROJECT) == []
    assert billing.invoicing.asked == []


async def test_an_exception_is_left_only_by_two_persons(billing: BilledProject) -> None:
    await billing.start(a_contract(lines=(milestone_line(),)))
    await billing.begun()
    await billing.applied(await billing.tell("milestone.accepted", {**ACCEPTED, "milestone": "7"}))
    (item,) = await billing.attention()
    await billing.decide("skip", update="resolve", target=item.id, reason="sent by mistake")
    first = billing.last_decision
    (item,) = await billing.attention()
    assert item.state == "awaiting_second_person"
    await billing.decide("second", update="second", target=first, actor="karl@firm.example")
    await billing.attention(0)


# -- progress ---------------------------------------------------------------------------------------


async def test_agreed_progress_is_billed_to_date_less_before(billing: BilledProject) -> None:
    line = milestone_line(number=4, billing_method="percent_complete", amount=eur("1000.00"))
    await billing.start(a_contract(lines=(line,)))
    await billing.begun()
    agreed = {"line": "4", "document": "P-1", "agreed_by": "it.lead@alpenglow.example"}
    for period, percent in (("2026-10", "33.3"), ("2026-11", "50")):
        told = {**agreed, "period": period, "percent": percent}
        await billing.applied(await billing.tell("progress.reported", told))
        await billing.applied(await billing.tell("progress.reported", told))
    amounts = [(row.occasion, str(row.amount)) for row in await billing.store.billing.events(PROJECT)]
    assert amounts == [("2026-10", "333.00 EUR"), ("2026-11", "167.00 EUR")]
    await billing.posted(2)
    await billing.applied(
        await billing.tell("progress.reported", {**agreed, "period": "2026-12", "percent": "40"})
    )
    (item,) = await billing.attention()
    assert "100.00 EUR more is billed already" in item.detail


# -- the calendar -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
async def calendar() -> AsyncIterator[WorkflowEnvironment]:
    async with virtual_time() as environment:
        yield environment


@pytest.fixture
async def dated(calendar: WorkflowEnvironment, store: Any) -> AsyncIterator[BilledProject]:
    """A firm whose project can be moved in time."""
    async with running_billing(calendar.client, store) as firm:
        yield firm
        if (await firm.handle.describe()).status is WorkflowExecutionStatus.RUNNING:
            await firm.handle.terminate()


def next_month() -> date:
    return (datetime.now(UTC).date().replace(day=1) + timedelta(days=32)).replace(day=1)


async def moved_to(calendar: WorkflowEnvironment, firm: BilledProject, day: date) -> None:
    """The project's clock stands at noon of `day`."""
    now = await calendar.get_current_time(firm.handle)
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    async with asyncio.timeout(30):
        assert await calendar.fast_forward(firm.handle, noon - now)


async def test_a_year_of_cycles_is_an_invoice_each_and_a_run_a_month(
    calendar: WorkflowEnvironment, dated: BilledProject
) -> None:
    start = next_month()
    end = months_later(start, 12) - timedelta(days=1)
    service = service_line(amount=eur("12000.00"))
    contract = a_contract(
        lines=(time_line(starts_on=None, ends_on=None), service), starts_on=start, ends_on=end
    )
    await dated.start(contract)
    await dated.begun()
    runs = set()
    for month in range(13):
        first = months_later(start, month)
        await dated.store.billing.take_in([an_entry(f"e{month}", first + timedelta(days=3))])
        await moved_to(calendar, dated, months_later(start, month + 1))
        await dated.posted(2 * min(month + 1, 12))
        async with asyncio.timeout(20):  # each month is a run of its own
            while (run := (await dated.handle.describe()).run_id) in runs:
                await asyncio.sleep(0.02)
        runs.add(run)
    rows = await dated.posted(25)
    occasions = [asked.events[0].split("/", 1)[1] for asked in dated.invoicing.asked]
    months = [str(Period.of(months_later(start, month))) for month in range(13)]
    assert sorted(occasions) == sorted(
        [f"0/{month}/1" for month in months] + [f"3/{month}/1" for month in months[:12]]
    ), "the thirteenth is late work alone"
    billed = [len(await dated.store.billing.entries_of(row.id)) for row in rows if ":0:" in row.id]
    assert billed == [1] * 13
    view = await dated.view()
    assert (len(view.recent), view.attention) == (20, ())
    history = await dated.handle.fetch_history()
    assert len(history.events) < 40, "a run does not grow with the life of the project"


async def test_late_time_goes_with_the_next_cycle(
    calendar: WorkflowEnvironment, dated: BilledProject
) -> None:
    start = next_month()
    lines = (time_line(starts_on=None, ends_on=None),)
    await dated.start(a_contract(lines=lines, starts_on=start, ends_on=months_later(start, 6)))
    await dated.begun()
    await dated.store.billing.take_in([an_entry("early", start + timedelta(days=3))])
    await moved_to(calendar, dated, months_later(start, 1))
    await dated.posted(1)
    await dated.store.billing.take_in([an_entry("late", start + timedelta(days=4))])
    await moved_to(calendar, dated, months_later(start, 2))
    first, second = await dated.posted(2)
    assert [entry.external_id for entry in await dated.store.billing.entries_of(first.id)] == ["early"]
    assert [entry.external_id for entry in await dated.store.billing.entries_of(second.id)] == ["late"]
    assert second.service_from == months_later(start, 1)


async def test_a_day_of_the_entity_decides_and_not_that_of_the_server(
    calendar: WorkflowEnvironment, dated: BilledProject
) -> None:
    """Berlin is ahead of UTC: a cycle ends there an hour or two before it does in UTC."""
    start = next_month()
    await dated.start(a_contract(lines=(service_line(),), starts_on=start, ends_on=months_later(start, 4)))
    await dated.begun()
    at = (await dated.view()).next_at
    assert at is not None
    assert at.date() == start - timedelta(days=1)
    now = await calendar.get_current_time(dated.handle)
    assert await calendar.fast_forward(dated.handle, at - now + timedelta(seconds=5))
    (row,) = await dated.posted(1)
    assert row.service_from == start


async def test_a_cycle_that_ends_on_hold_is_billed_after_the_release(
    calendar: WorkflowEnvironment, dated: BilledProject
) -> None:
    start = next_month()
    await dated.start(a_contract(lines=(service_line(),), starts_on=start, ends_on=months_later(start, 6)))
    await dated.begun()
    await dated.decide("hold", reason="disputed")
    await moved_to(calendar, dated, months_later(start, 1))
    view = await dated.view()
    assert [waiting.due_on for waiting in view.pending] == [start, months_later(start, 1)]
    assert (view.stage, dated.invoicing.asked) == ("on hold", [])
    assert "started 2" in await dated.decide("release")
    assert [row.service_from for row in await dated.posted(2)] == [start, months_later(start, 1)]


# -- hold, release, bill now ------------------------------------------------------------------------


async def test_on_hold_nothing_starts_and_after_the_release_all_in_order(billing: BilledProject) -> None:
    second = milestone_line(id="l2", number=2, name="Go live", amount=eur("5000.00"))
    await billing.start(a_contract(lines=(milestone_line(), second)))
    await billing.begun()
    assert "is on hold: disputed" in await billing.decide("hold", reason="disputed")
    for milestone in ("2", "1"):
        await billing.applied(await billing.tell("milestone.accepted", {**ACCEPTED, "milestone": milestone}))
    view = await billing.view()
    assert (view.stage, [waiting.key for waiting in view.pending]) == (
        "on hold",
        [f"{PROJECT}/2/2/1", f"{PROJECT}/1/1/1"],
    )
    assert billing.invoicing.asked == []
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await billing.decide("bill_now")
    assert "is on hold: disputed" in reason_of(caught)
    answer = await billing.decide("release")
    ids = f"invoice/{billing.firm}/{PROJECT}"
    assert answer.endswith(f"started 2: {ids}:2:2:1, {ids}:1:1:1")
    await billing.posted(2)
    assert [asked.events for asked in billing.invoicing.asked] == [
        (f"{PROJECT}/2/2/1",),
        (f"{PROJECT}/1/1/1",),
    ]
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await billing.decide("release")
    assert "is not on hold" in reason_of(caught)


async def test_outside_systems_hold_and_release_by_name(billing: BilledProject) -> None:
    await billing.start(a_contract(lines=(milestone_line(),)))
    await billing.begun()
    await billing.handle.signal("hold", HoldRequest(reason="disputed", actor="desk@alpenglow.example"))
    await staged(billing, "on hold")
    assert (await billing.view()).hold_reason == "disputed (desk@alpenglow.example)"
    await billing.handle.signal("release")
    (item,) = await billing.attention()
    assert (item.step, (await billing.view()).on_hold) == ("release.unnamed", True)
    await billing.handle.signal("release", ReleaseRequest(actor="desk@alpenglow.example"))
    await staged(billing, "open for billing")


async def test_bill_now_bills_what_is_open_and_says_what_was_started(billing: BilledProject) -> None:
    span = {"starts_on": date(2026, 11, 1), "ends_on": date(2090, 12, 31)}
    await billing.start(a_contract(lines=(time_line(starts_on=None, ends_on=None),), **span))
    await billing.begun()
    today = datetime.now(UTC).date()
    await billing.store.billing.take_in([an_entry("t1", today.replace(day=1))])
    until = today.isoformat()
    answer = await billing.decide("bill_now", payload={"until": until})
    assert answer == f"started 1: invoice/{billing.firm}/{PROJECT}:0:{until}:1"
    (invoice,) = await billing.posted(1)
    assert [entry.external_id for entry in await billing.store.billing.entries_of(invoice.id)] == ["t1"]
    assert (await billing.view()).recent[0].decision == billing.last_decision
    assert await billing.decide("bill_now") == "nothing is open to be billed"
    assert "has not come" in await billing.decide("bill_now", payload={"until": "2999-01-01"})
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await billing.decide("bill_now", payload={"until": "soon"})
    assert "write it as YYYY-MM-DD" in reason_of(caught)


async def test_work_that_came_after_an_empty_cycle_is_billed_now(billing: BilledProject) -> None:
    first = (datetime.now(UTC).date().replace(day=1) - timedelta(days=1)).replace(day=1)
    span = {"starts_on": first, "ends_on": date(2090, 12, 31)}
    await billing.start(a_contract(lines=(time_line(starts_on=None, ends_on=None),), **span))
    await billing.begun()
    async with asyncio.timeout(20):
        while not [event for event in await billing.store.billing.events(PROJECT) if event.void]:
            await asyncio.sleep(0.02)
    await billing.store.billing.take_in([an_entry("t1", first)])
    today = datetime.now(UTC).date()
    assert await billing.decide("bill_now") == f"started 1: invoice/{billing.firm}/{PROJECT}:0:{today}:1"
    await billing.posted(1)


# -- change of contract -----------------------------------------------------------------------------


def changed_deal(billing: BilledProject, **changes: Any) -> None:
    """The CRM's deal is the contract that is billed, with `changes` of its contract."""
    deal = billing.crm.deal
    contract = deal.contract.with_changes(lines=(milestone_line(),), value=eur("30000.00"), **changes)
    billing.crm.deal = deal.with_changes(contract=contract)


def as_signed(billing: BilledProject) -> Any:
    from domain.billing_contract import SystemRefs, contract_of

    changed_deal(billing)
    return contract_of(billing.crm.deal, PROJECT, SystemRefs(psa_project="9001", erp_project="netsuite-7"))


async def test_an_unsigned_change_is_not_billed_and_the_signed_one_is_a_revision(
    billing: BilledProject,
) -> None:
    await billing.start(as_signed(billing))
    await billing.begun()
    lines = (milestone_line(), milestone_line(id="l2", number=2, name="Go live", amount=eur("5000.00")))
    deal = billing.crm.deal
    change = {"lines": lines, "value": eur("35000.00")}
    billing.crm.deal = deal.with_changes(contract=deal.contract.with_changes(**change))
    await billing.applied(await billing.tell("contract.changed", {"deal": "006A"}))
    (item,) = await billing.attention()
    assert item.headline == "Change of contract 00000100 is not signed"
    assert "35,000.00 EUR instead of 30,000.00 EUR" in item.detail
    assert (await billing.store.billing.contract(PROJECT)).revision == 1
    await billing.applied(await billing.tell("milestone.accepted", {**ACCEPTED, "milestone": "2"}))
    await billing.attention(2)
    assert billing.invoicing.asked == []

    change["signed_on"] = date(2026, 11, 20)
    billing.crm.deal = deal.with_changes(contract=deal.contract.with_changes(**change))
    await billing.decide("retry", update="resolve", target=item.id)
    await billing.attention(1)
    kept = await billing.store.billing.contract(PROJECT)
    assert (kept.revision, kept.value, kept.psa_project) == (2, eur("35000.00"), "9001")
    (left,) = await billing.attention(1)
    await billing.decide("retry", update="resolve", target=left.id)
    await billing.attention(0)
    await billing.posted(1)
    assert (await billing.view()).revision == 2


async def test_a_signed_change_that_does_not_add_up_is_not_taken(billing: BilledProject) -> None:
    await billing.start(as_signed(billing))
    await billing.begun()
    await billing.applied(await billing.tell("milestone.accepted", ACCEPTED))
    await billing.posted(1)
    deal = billing.crm.deal
    for change, says in (
        ({"value": eur("32000.00")}, "it says 32,000.00 EUR, and its lines come to 30,000.00 EUR"),
        (
            {"value": eur("31000.00"), "lines": (milestone_line(amount=eur("31000.00")),)},
            "milestone 1 fell due over 30,000.00 EUR and would be 31,000.00 EUR",
        ),
    ):
        signed = deal.contract.with_changes(signed_on=date(2026, 11, 20), **change)
        billing.crm.deal = deal.with_changes(contract=signed)
        await billing.applied(await billing.tell("contract.changed", {}))
        async with asyncio.timeout(20):
            while says not in (await billing.attention())[0].detail:
                await asyncio.sleep(0.02)
        assert (await billing.store.billing.contract(PROJECT)).revision == 1
    billing.crm.deal = deal
    await billing.applied(await billing.tell("contract.changed", {}))
    await billing.attention(0)


async def test_a_change_order_adds_its_lines_once(billing: BilledProject) -> None:
    await billing.start(as_signed(billing))
    await billing.begun()
    base = billing.crm.deal
    added = milestone_line(id="o1", number=7, name="Second site", amount=eur("8000.00"))
    order = base.contract.with_changes(number="00000101", lines=(added,), value=eur("8000.00"))
    billing.crm.deal = base.with_changes(external_id="006B", kind="change_order", won=False, contract=order)
    await billing.applied(await billing.tell("contract.changed", {"deal": "006B"}))
    (item,) = await billing.attention()
    assert item.headline == "Change of contract 00000100 by order 00000101 is not signed"
    billing.crm.deal = billing.crm.deal.with_changes(won=True)
    for _ in range(3):
        await billing.applied(await billing.tell("contract.changed", {"deal": "006B"}))
    await billing.attention(0)
    kept = await billing.store.billing.contract(PROJECT)
    assert (kept.revision, kept.value, len(kept.lines)) == (2, eur("38000.00"), 2)


# -- final account ----------------------------------------------------------------------------------


async def test_the_final_account_bills_releases_settles_and_ends(
    calendar: WorkflowEnvironment, store: Any
) -> None:
    async with running_billing(calendar.client, store) as firm:
        firm.file.terms = BillingTerms(
            in_arrears=False,
            advance=eur("5000.00"),
            retention=RetentionTerms(tiers=(RetentionTier(percent="10"),)),
        )
        today = datetime.now(UTC).date()
        span = {"starts_on": today - timedelta(days=10), "ends_on": today + timedelta(days=300)}
        contract = a_contract(lines=(milestone_line(), time_line(starts_on=None, ends_on=None)), **span)
        handle = await firm.start(contract)
        await firm.begun()
        await firm.posted(1)
        await store.billing.take_in([an_entry("t1", today - timedelta(days=1))])
        told = {**ACCEPTED, "accepted_on": (today - timedelta(days=1)).isoformat()}
        await firm.applied(await firm.tell("milestone.accepted", {**told}))
        await firm.posted(2)
        await firm.decide("close", reason="delivered")
        await firm.posted(3)
        assert (await firm.view()).stage == "final account"
        while (await firm.view()).stage != "closed":
            await calendar.fast_forward(firm.handle, timedelta(hours=7))
        state = await handle.result()
        assert state["closed"] is True
        rows = await firm.posted(4)
        assert [row.events[0].split("/", 1)[1] for row in rows] == [
            "0/advance/1", "1/1/1", "0/final/1", "0/retention/1",
        ]  # fmt: skip
        assert rows[-1].priced.net == eur("3010.00"), "10% of 30,000 and of 100"
        totals = await store.billing.totals(PROJECT)
        assert (totals.retained, totals.advance_left) == (eur("0.00"), eur("0.00"))
        row = await store.processes.get(firm.key)
        assert (row.state, row.project) == ("done", PROJECT)


async def test_the_rest_of_an_advance_waits_for_a_person(
    time_skipping: WorkflowEnvironment, store: Any
) -> None:
    async with running_billing(time_skipping.client, store) as firm:
        firm.file.terms = BillingTerms(advance=eur("5000.00"))
        today = datetime.now(UTC).date()
        span = {"starts_on": today - timedelta(days=10), "ends_on": today + timedelta(days=300)}
        handle = await firm.start(a_contract(lines=(milestone_line(),), **span))
        await firm.begun()
        await firm.posted(1)
        await firm.decide("close")
        (item,) = await firm.attention()
        assert "5,000.00 EUR of the advance" in item.headline
        await firm.decide("skip", update="resolve", target=item.id, reason="refunded by transfer")
        first = firm.last_decision
        await firm.decide("second", update="second", target=first, actor="karl@firm.example")
        async with asyncio.timeout(60):
            assert (await handle.result())["closed"] is True


async def staged(billing: BilledProject, stage: str) -> None:
    async with asyncio.timeout(20):
        while (await billing.view()).stage != stage:
            await asyncio.sleep(0.02)


# -- authorities ------------------------------------------------------------------------------------


def released(**changes: Any) -> PsaInvoice:
    made = PsaInvoice(
        external_id="20481", number="K-17", project_external_id="9001", currency="EUR", net=eur("4200.00"),
        state="released", dated=date(2026, 11, 20), version=datetime(2026, 11, 20, 8, tzinfo=UTC),
    )  # fmt: skip
    return made.with_changes(**changes)


def by_psa(**changes: Any) -> Any:
    return a_contract(lines=(time_line(billing_authority="psa"),), **changes)


async def test_an_invoice_released_in_the_psa_becomes_exactly_one(billing: BilledProject) -> None:
    billing.psa.released = [released()]
    await billing.start(by_psa())
    await billing.begun()
    told = {"invoice": "20481"}
    for _ in range(3):
        await billing.applied(await billing.tell("psa.invoice_released", told, at=released().version))
    (event,) = await billing.store.billing.events(PROJECT)
    assert (event.kind, event.evidence, event.amount) == ("psa", "20481", eur("4200.00"))
    await billing.posted(1)
    assert len(billing.invoicing.asked) == 1
    billing.psa.released = [released(state="cancelled", version=datetime(2026, 11, 21, tzinfo=UTC))]
    await billing.applied(await billing.tell("psa.invoice_released", told, at=released().version))
    (item,) = await billing.attention()
    assert "was cancelled after it was billed" in item.headline


@pytest.mark.parametrize(
    ("document", "contract", "says"),
    [
        (released(ours=True), by_psa(), None),
        (released(), a_contract(lines=(milestone_line(),)), "is for lines the PSA does not bill"),
        (released(currency="USD", net=Money.of("1.00", "USD")), by_psa(), "cannot become an invoice"),
        (released(project_external_id="9002"), by_psa(), "cannot be found"),
    ],
    ids=["ours", "two authorities", "another currency", "another project"],
)
async def test_what_of_the_psa_is_never_billed(
    billing: BilledProject, document: PsaInvoice, contract: Any, says: str | None
) -> None:
    billing.psa.released = [document]
    await billing.start(contract)
    await billing.begun()
    at = released().version
    await billing.applied(await billing.tell("psa.invoice_released", {"invoice": "20481"}, at=at))
    shown = await billing.attention(1 if says else 0)
    assert says is None or says in shown[0].headline
    assert await billing.store.billing.events(PROJECT) == []
    assert billing.invoicing.asked == []


async def test_a_poll_puts_released_invoices_into_the_inbox_once(billing: BilledProject) -> None:
    from temporalio.testing import ActivityEnvironment

    from activities.boundary import Boundary
    from activities.psa_released import PollReleased, PsaReleasedActivities

    store = billing.store
    await store.references.put(f"project:{PROJECT}", "kantata", "project", "9001")
    start = datetime(2026, 11, 20, 7, tzinfo=UTC)
    acts = PsaReleasedActivities(billing.psa, None, store, Boundary(), clock=lambda: start)
    poll, env = PollReleased(system="kantata"), ActivityEnvironment()
    assert (await env.run(acts.poll_released, poll)).seen == 0, "what is older is not ours to bill"
    billing.psa.released = [
        released(),
        released(external_id="1", ours=True),
        released(project_external_id="8"),
    ]
    first = await env.run(acts.poll_released, poll)
    again = await env.run(acts.poll_released, poll)
    assert (first.seen, first.new, first.unknown, again.new) == (3, 1, 1, 0)
    (row,) = await store.inbox.list(type="psa.invoice_released")
    assert (row.subject, parse(row.body).data.invoice) == (PROJECT, "20481")


async def test_what_the_erp_bills_is_observed_and_compared_and_never_billed_beside_it(
    calendar: WorkflowEnvironment, dated: BilledProject
) -> None:
    start = next_month()
    line = service_line(billing_authority="erp", amount=eur("4000.00"))
    end = months_later(start, 4) - timedelta(days=1)
    await dated.start(a_contract(lines=(line,), starts_on=start, ends_on=end))
    await dated.begun()

    def facts(number: int, net: str, **changes: Any) -> InvoiceFacts:
        made = InvoiceFacts(
            external_id=f"9{number}", number=f"INV-{number}", state="open", currency="EUR", net=eur(net),
            tax=eur(0), gross=eur(net), open_amount=eur(net), dated=start,
        )  # fmt: skip
        return made.with_changes(**changes)

    dated.erp.invoices = [facts(1, "900.00"), facts(2, "77.00", key="invoice/acme/ours/erp.draft/1")]
    await moved_to(calendar, dated, start)
    (item,) = await dated.attention()
    assert (item.step, item.owner.value) == ("erp.billing", "finance_systems")
    assert "1,000.00 EUR are due by plan, the ERP has billed 900.00 EUR: 100.00 EUR is missing" in item.detail
    (row,) = [row for row in await dated.store.billing.invoices(project=PROJECT)]
    assert (row.id, row.erp_net, row.stage) == (f"observed/{dated.firm}/netsuite:91", eur("900.00"), "posted")
    dated.erp.invoices = [facts(1, "900.00"), facts(3, "100.00"), facts(4, "1000.00")]
    await moved_to(calendar, dated, months_later(start, 1))
    await dated.attention(0)
    assert dated.invoicing.asked == []
    assert await dated.store.billing.events(PROJECT) == []
