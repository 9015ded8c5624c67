"""NetSuite's invoices, credits, payments and ledger, through the connector against the emulated account."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from connectors.errors import Ambiguous, NotFound, PeriodClosed, Rejected
from connectors.netsuite.client import NetSuiteClient
from domain.billing_commands import DiscardInvoice, PostInvoice
from domain.commands import CreateBillingSchedule, ScheduleLine
from domain.identity import short_key
from domain.money import Money
from tests.contract import netsuite_billing as billing
from tests.contract import test_netsuite_contract as contract
from tests.contract.bench import Bench
from tests.contract.connector_contract import Prepare, settled
from tests.contract.netsuite_billing import credit, drafted, line, payment, posted

_MONTH_END = date(2027, 1, 31)
_connect = contract.TestNetSuiteContract().connect


@pytest.fixture
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[contract.NetSuiteBench]:
    home = tmp_path_factory.mktemp("netsuite-billing")
    settings = contract.TestNetSuiteContract.sandbox_settings(home)
    small = replace(settings, deals=4, customers=8, workers=12)
    bench = contract.NetSuiteBench(small, "netsuite")
    await bench.found_firm()
    yield bench
    await bench.aclose()


@pytest.fixture
async def client(bench: Bench) -> AsyncIterator[NetSuiteClient]:
    client = _connect(bench)
    yield client
    await client.aclose()


def eur(amount: str) -> Money:
    return Money.of(amount, "EUR")


async def test_a_draft_has_no_number_and_posting_gives_the_next(bench: Bench, client: NetSuiteClient) -> None:
    _, record = await drafted(bench, client, "a")
    facts = await client.invoice(record.external_id)
    assert (facts.state, facts.number, facts.period, facts.open_amount) == ("draft", "", "", eur("0"))
    assert facts.key == billing.draft_key("a")
    assert [(each.ref, each.description, each.net) for each in facts.lines] == [
        ("1", "Phase 1", eur("1000.00")),
        ("2", "Phase 2", eur("200.10")),
    ]
    for number, tag in enumerate(("b", "c"), 1):
        _, external_id = await posted(bench, client, tag)
        assert (await client.invoice(external_id)).number == f"DE01-INV{number:05d}"


async def test_tax_is_read_back_as_netsuite_computed_it_per_line(
    bench: Bench, client: NetSuiteClient
) -> None:
    """Three lines of 0.33 at 19 %: 0.06 each; a line under reverse charge has none."""
    lines = (*(line("0.33", str(n)) for n in range(1, 4)), line("10.00", "4", tax=billing.REVERSED))
    _, external_id = await posted(bench, client, "tax", *lines)
    facts = await client.invoice(external_id)
    assert (facts.net, facts.tax, facts.gross) == (eur("10.99"), eur("0.18"), eur("11.17"))
    assert (facts.state, facts.open_amount, facts.period) == ("open", eur("11.17"), "2026-12")
    assert (facts.dated, facts.due_on) == (billing.DATED, date(2027, 1, 14))
    assert (facts.entity, facts.currency) == ("DE01", "EUR")


async def test_the_states_of_an_invoice(bench: Bench, client: NetSuiteClient) -> None:
    invoice, paid = await posted(bench, client, "paid")
    await client.apply(payment(invoice, paid, "1428.12"), "billing/paid/payment/1")
    facts = await client.invoice(paid)
    assert (facts.state, facts.open_amount) == ("paid", eur("0"))

    invoice, part = await posted(bench, client, "part")
    await client.apply(payment(invoice, part, "428.12"), "billing/part/payment/1")
    facts = await client.invoice(part)
    assert (facts.state, facts.open_amount) == ("open", eur("1000.00"))

    invoice, gone = await posted(bench, client, "gone")
    record = await client.apply(credit(invoice, gone, *invoice.lines, full=True), "billing/gone/credit/1")
    assert (await client.invoice(gone)).state == "credited"
    memo = await client.invoice(record.external_id)
    assert (memo.state, memo.net, memo.tax, memo.credits) == ("paid", eur("-1200.10"), eur("-228.02"), gone)
    assert memo.number == "DE01-CM00001"
    assert memo.key == "billing/gone/credit/1"
    with pytest.raises(NotFound, match="no invoice and no credit memo 999999"):
        await client.invoice("999999")


async def test_a_state_nobody_has_heard_of_is_named(bench: Bench, client: NetSuiteClient) -> None:
    _, external_id = await posted(bench, client, "state")
    await client.invoice(external_id)
    await bench.arm("new_enum", path="/invoice/")
    with pytest.raises(Rejected) as unknown:
        await client.invoice(external_id)
    assert (unknown.value.field, unknown.value.rule) == ("invoice.status", "schema.unknown_value")


async def test_a_closed_period_refuses_and_keeps_the_draft(bench: Bench, client: NetSuiteClient) -> None:
    _, record = await drafted(bench, client, "period")
    await bench.edit("accountingPeriod", "eid:period-2026-12", {"closed": True})
    approval = PostInvoice(invoice_external_id=record.external_id, entity="DE01")
    with pytest.raises(PeriodClosed):
        await client.apply(approval, "billing/period/post/1")
    assert (await client.invoice(record.external_id)).state == "draft"
    with pytest.raises(PeriodClosed):
        await client.apply(billing.journal("closed", "1.00"), "billing/period/journal/1")
    await bench.edit("accountingPeriod", "eid:period-2026-12", {"closed": False})
    assert (await client.apply(approval, "billing/period/post/1")).number == "DE01-INV00001"


async def test_a_credit_into_a_locked_period_is_refused(bench: Bench, client: NetSuiteClient) -> None:
    invoice, external_id = await posted(bench, client, "locked")
    await bench.edit("accountingPeriod", "eid:period-2027-01", {"arLocked": True})
    command = credit(invoice, external_id, line("200.10", "2"))
    with pytest.raises(PeriodClosed):
        await client.apply(command, "billing/locked/credit/1")
    assert (await client.invoice(external_id)).open_amount == eur("1428.12")


@pytest.mark.parametrize(
    "prepare", [billing.a_posting, billing.a_full_credit, billing.a_payment, billing.a_journal]
)
async def test_whatever_posts_may_meet_a_closed_period(
    bench: Bench, client: NetSuiteClient, prepare: Prepare
) -> None:
    command, _ = await prepare(bench, client, "shut")
    await bench.arm("period_closed", count=1)
    with pytest.raises(PeriodClosed):
        await client.apply(command, "billing/shut/step/1")
    assert await bench.landed("billing/shut/step/1") == 0


async def test_a_voided_invoice_is_void(bench: Bench, client: NetSuiteClient) -> None:
    _, external_id = await posted(bench, client, "void")
    await bench.edit("invoice", external_id, {"status": {"id": "V"}})
    facts = await client.invoice(external_id)
    assert (facts.state, facts.open_amount, facts.number) == ("void", eur("0"), "DE01-INV00001")
    assert (await client.trial_balance("DE01", _MONTH_END)).accounts == ()


async def test_partial_credits_reduce_what_is_open_and_never_exceed_it(
    bench: Bench, client: NetSuiteClient
) -> None:
    invoice, external_id = await posted(bench, client, "partial")
    await client.apply(credit(invoice, external_id, line("200.10", "2")), "billing/partial/credit/1")
    assert (await client.invoice(external_id)).open_amount == eur("1190.00")
    over = credit(invoice, external_id, line("1000.00"), line("0.01", "3", tax=""))
    with pytest.raises(Rejected, match=r"1190\.01 exceeds DE01-INV00001: 1190\.00 remain"):
        await client.apply(over, "billing/partial/credit/2")
    await client.apply(credit(invoice, external_id, line("1000.00")), "billing/partial/credit/3")
    assert (await client.invoice(external_id)).state == "credited"


async def test_a_paid_invoice_may_still_be_credited_and_the_credit_stays_open(
    bench: Bench, client: NetSuiteClient
) -> None:
    invoice, external_id = await posted(bench, client, "late")
    await client.apply(payment(invoice, external_id, "1428.12"), "billing/late/payment/1")
    command = credit(invoice, external_id, line("200.10", "2"))
    record = await client.apply(command, "billing/late/credit/1")
    memo = await client.invoice(record.external_id)
    assert (memo.state, memo.open_amount) == ("open", eur("-238.12"))
    assert (await client.invoice(external_id)).state == "paid"


async def test_more_than_is_open_is_not_received(bench: Bench, client: NetSuiteClient) -> None:
    invoice, external_id = await posted(bench, client, "over")
    with pytest.raises(Rejected, match=r"1428\.12 remain of it"):
        await client.apply(payment(invoice, external_id, "1428.13"), "billing/over/payment/1")
    assert (await client.invoice(external_id)).open_amount == eur("1428.12")


@pytest.mark.parametrize("what", ["credit", "payment"])
async def test_a_lost_answer_to_a_transform_is_found_and_made_once(
    bench: Bench, client: NetSuiteClient, what: str
) -> None:
    invoice, external_id = await posted(bench, client, what)
    key = f"billing/{what}/lost/1"
    command = (
        credit(invoice, external_id, line("200.10", "2"))
        if what == "credit"
        else payment(invoice, external_id, "238.12")
    )
    await bench.arm("reset", count=1, path="!transform")
    with pytest.raises(Ambiguous):
        await client.apply(command, key)
    record = await settled(client, command, key)
    assert record.differences(command) == {}
    assert (await client.invoice(external_id)).open_amount == eur("1190.00")
    assert await bench.landed(key) == 1


async def test_a_posted_invoice_is_neither_drafted_again_nor_discarded(
    bench: Bench, client: NetSuiteClient
) -> None:
    invoice, external_id = await posted(bench, client, "fixed")
    with pytest.raises(Rejected):
        await client.apply(invoice, billing.draft_key("fixed"))
    with pytest.raises(Rejected, match="DE01-INV00001 is posted; credit it instead"):
        await client.apply(DiscardInvoice(invoice_external_id=external_id), "billing/fixed/discard/1")
    assert (await client.invoice(external_id)).state == "open"


async def test_a_draft_that_has_a_number_is_rejected_with_its_reason(
    bench: Bench, client: NetSuiteClient
) -> None:
    _, record = await drafted(bench, client, "numbered")
    await bench.edit("invoice", record.external_id, {"tranId": "DE01-INV00077"})
    command = DiscardInvoice(invoice_external_id=record.external_id, reason="wrong project")
    gone = await client.apply(command, "billing/numbered/discard/1")
    assert gone.differences(command) == {}
    facts = await client.invoice(record.external_id)
    assert (facts.state, facts.number) == ("rejected", "DE01-INV00077")
    (shown,) = (await bench.get("/_control/netsuite/invoice"))["records"]
    assert shown["custbody_fairlead_reason"] == "wrong project"


async def test_a_posting_shows_who_approved_it(bench: Bench, client: NetSuiteClient) -> None:
    command, _ = await billing.a_posting(bench, client, "approver")
    await client.apply(command, "billing/approver/post/1")
    (shown,) = (await bench.get("/_control/netsuite/invoice"))["records"]
    assert shown["custbody_fairlead_approval"] == "decision/7"
    assert shown["custbody_fairlead_approver"] == "controller@fairlead.example"


async def test_all_invoices_of_a_project_whoever_made_them(bench: Bench) -> None:
    """Ours, its credit note, and what the account billed by its own schedule: several pages, oldest first."""
    client = _connect(bench, page_size=1)
    project = await billing.new_project(bench, client, "all")
    due = (
        ScheduleLine(ref="1", description="Go-live", amount=eur("500.00"), due_on=date(2026, 12, 1)),
        ScheduleLine(ref="2", description="Later", amount=eur("700.00"), due_on=date(2027, 3, 1)),
    )
    plan = CreateBillingSchedule(
        name="All", project_external_id=project, project_key="k", currency="EUR", lines=due
    )
    schedule = await client.apply(plan, "billing/all/schedule/1")
    command = billing.draft(bench.customer_id, project, "all", line("100.00"))  # type: ignore[attr-defined]
    made = await client.apply(command, billing.draft_key("all"))
    approval = PostInvoice(invoice_external_id=made.external_id, entity="DE01")
    await client.apply(approval, "billing/all/post/1")
    await client.apply(credit(command, made.external_id, *command.lines, full=True), "billing/all/credit/1")
    await bench.add("billingRun", {"until": "2026-12-01"})
    found = await client.project_invoices(project)
    shown = [(each.dated, each.state, str(each.gross), each.key, each.schedule_external_id) for each in found]
    assert shown == [
        (date(2026, 12, 1), "open", "595.00 EUR", "", schedule.external_id),
        (date(2026, 12, 15), "credited", "119.00 EUR", billing.draft_key("all"), ""),
        (date(2027, 1, 10), "paid", "-119.00 EUR", "billing/all/credit/1", ""),
    ]
    await client.aclose()


async def test_the_trial_balance_holds_after_a_mixture(bench: Bench, client: NetSuiteClient) -> None:
    held = (
        line("10000.00", "1", tax=""),
        line("-1000.00", "2", "retention", tax=""),
    )
    await posted(bench, client, "held", *held)
    dollars = tuple(line(amount, str(n), currency="USD") for n, amount in enumerate(("333.33", "0.07"), 1))
    invoice, foreign = await posted(bench, client, "usd", *dollars)
    await client.apply(payment(invoice, foreign, "100.01"), "billing/usd/payment/1")
    rest = payment(invoice, foreign, str((await client.invoice(foreign)).open_amount.amount))
    await client.apply(rest, "billing/usd/payment/2")
    invoice, taxed = await posted(bench, client, "taxed")
    await client.apply(credit(invoice, taxed, line("200.10", "2")), "billing/taxed/credit/1")
    await client.apply(billing.journal("j", "1.00", "USD"), "billing/j/journal/1")
    await drafted(bench, client, "pending")
    ledger = await client.trial_balance("DE01", _MONTH_END)
    assert ledger.balanced
    assert ledger.currency == "EUR"
    balances = {each.account: each.debit - each.credit for each in ledger.accounts}
    assert balances["1160"] == eur("1000.00"), "what the customer holds back is no receivable"
    assert balances["1100"] == eur("9000.00") + eur("1190.00"), "the dollars are settled to the cent"
    assert balances["1020"].amount > 0
    assert balances["4000"].amount < 0
    assert (await client.trial_balance("US01", _MONTH_END)).accounts == ()
    assert (await client.trial_balance("DE01", date(2026, 11, 30))).accounts == ()
    with pytest.raises(NotFound, match="sub-XX99"):
        await client.trial_balance("XX99", _MONTH_END)


@pytest.mark.parametrize(
    ("currency", "amount", "tax"),
    [("JPY", "5001", "950"), ("BHD", "100.001", "19.000"), ("EUR", "12345678901.23", "2345678991.23")],
)
async def test_amounts_of_an_invoice_are_exact(
    bench: Bench, client: NetSuiteClient, currency: str, amount: str, tax: str
) -> None:
    _, external_id = await posted(bench, client, currency, line(amount, currency=currency))
    facts = await client.invoice(external_id)
    assert facts.net == Money.of(amount, currency)
    assert facts.tax == Money.of(tax, currency)
    assert facts.gross == facts.open_amount == facts.net + facts.tax
    assert (await client.trial_balance("DE01", _MONTH_END)).balanced


async def test_control_accounts_take_no_journal(bench: Bench, client: NetSuiteClient) -> None:
    await client.check()
    before = len(await bench.requests())
    for role, rule in (
        ("bank", "account.control"),
        ("receivable", "account.control"),
        ("misplaced", "account.control"),
        ("unheard_of", "account.unmapped"),
    ):
        command = billing.journal(role, "1.00")
        first = command.lines[0].with_changes(account=role)
        with pytest.raises(Rejected) as refused:
            await client.apply(command.with_changes(lines=(first, command.lines[1])), "billing/x/journal/1")
        assert (refused.value.rule, refused.value.field) == (rule, role)
    assert len(await bench.requests()) == before


async def test_a_journal_is_reversed_on_the_day_asked_for(bench: Bench, client: NetSuiteClient) -> None:
    command = billing.journal("accrual", "187.03").with_changes(reverse_on=date(2027, 1, 1))
    record = await client.apply(command, "billing/accrual/journal/1")
    assert record.number == "DE01-JE00001"
    december = await client.trial_balance("DE01", date(2026, 12, 31))
    assert {each.account: each.debit.amount for each in december.accounts} == {
        "1150": Decimal("187.03"),
        "4000": Decimal(0),
    }
    january = await client.trial_balance("DE01", date(2027, 1, 1))
    assert all(each.debit == each.credit == eur("0") for each in january.accounts)


async def test_the_short_key_is_the_external_id(bench: Bench, client: NetSuiteClient) -> None:
    await drafted(bench, client, "short")
    (shown,) = (await bench.get("/_control/netsuite/invoice"))["records"]
    assert shown["externalId"] == short_key(billing.draft_key("short"))
