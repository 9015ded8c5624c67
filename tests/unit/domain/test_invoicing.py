"""What a bill comes to, on the worked numbers of docs/rules.md; and that it always adds up."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.billable import Adjustment, Billable
from domain.books import TaxDecision
from domain.intake import PsaInvoice, PsaInvoiceLine
from domain.invoice_case import InvoiceCase, UsedLimits
from domain.invoice_state import BillingEventRow, EventKind, InvoiceFinding, PricedInvoice
from domain.invoicing import Priced, price_invoice
from domain.money import Money, total
from domain.project_contract import BillingTerms, CapTerm, ProjectContract, RetentionTerms, RetentionTier
from domain.reversals import BilledEntry
from domain.rules.tax import ExpectedTax
from domain.selling import BillingMethod, CustomerPO
from tests.unit.domain.rules.priced_work import DAY, cents, contract, entry, eur, expense, time_line

ZERO = eur(0)
DATED = date(2027, 2, 1)


def decision(percent: str = "19", **changes: Any) -> TaxDecision:
    given: dict[str, Any] = {
        "place": "DE", "treatment": "domestic", "code": f"T-{percent}", "rate_percent": percent,
        "decided_by": "fairlead", "on": DATED,
    }  # fmt: skip
    return TaxDecision.model_validate({**given, **changes})


def expected(percent: str = "19", **changes: Any) -> Callable[[Money], ExpectedTax]:
    return lambda net: ExpectedTax(decision=decision(percent, **changes))


def used(**changes: Any) -> UsedLimits:
    nothing = {"billed": ZERO, "retained": ZERO, "advance_left": ZERO, "expenses": ZERO}
    return UsedLimits.model_validate({**nothing, **changes})


def by_hour(price: object = 100, *more: Any, **changes: Any) -> ProjectContract:
    """A contract whose first line is billed by the hour at `price`."""
    line = time_line(unit_price=Decimal(str(price)))
    terms = changes.pop("terms", {})
    return contract(line, *more, **terms).with_changes(**changes)


def event(kind: EventKind, amount: object, line: int = 1, **changes: Any) -> BillingEventRow:
    occasion = changes.pop("occasion", kind)
    return BillingEventRow(
        key=f"P1/{line}/{occasion}/1", project="P1", line=line, kind=kind, occasion=occasion,
        amount=eur(amount), due_on=DATED, service_from=DAY, service_to=DATED, **changes,
    )  # fmt: skip


def priced(
    of: ProjectContract,
    *entries: Billable,
    events: tuple[BillingEventRow, ...] = (),
    tax: Callable[[Money], ExpectedTax] | None = None,
    **case: Any,
) -> Priced:
    given = {"contract": of, "dated": DATED, "entries": entries, "events": events, "used": used(), **case}
    return price_invoice(InvoiceCase.model_validate(given), (), tax or expected())


def nets(invoice: PricedInvoice) -> list[tuple[str, Money]]:
    return [(line.line.kind, line.line.net) for line in invoice.lines]


def rules(found: tuple[InvoiceFinding, ...]) -> list[tuple[str, bool]]:
    return [(finding.rule, finding.blocking) for finding in found]


def written(key: str, amount: object, hours: object = 10, **changes: Any) -> Billable:
    made = Adjustment(amount=eur(amount), reason_code="rework", by="petra")
    return entry(key, hours, "hours", adjustment=made, **changes)


# -- worked numbers


def test_a_cap_bills_what_is_left_and_flags_the_rest() -> None:
    """Cap 50,000, billed 48,000, new 5,000: 2,000 are billed, 3,000 flagged."""
    of = by_hour(100, terms={"cap": eur(50_000)})
    before = used(billed=eur(48_000), by_line={1: eur(48_000)})
    result = priced(of, entry("a", 30, "hours"), entry("b", 20, "hours"), used=before)
    assert nets(result.invoice) == [("time", eur(2000))]
    assert [(share.key, share.net) for share in result.invoice.above] == [("a", eur(1000))]
    assert (result.invoice.parked, result.left_out) == (("b",), ("b",))
    (finding,) = result.invoice.findings
    assert (finding.rule, finding.amount, finding.blocking) == ("cap.hard", eur(3000), False)


def test_fixed_amounts_use_a_cap_before_work_and_block_above_it() -> None:
    milestone = event("milestone", 900)
    of = by_hour(100, terms={"cap": eur(1000)})
    result = priced(of, entry("a", 5, "hours"), events=(milestone,))
    assert nets(result.invoice) == [("milestone", eur(900)), ("time", eur(100))]
    blocked = priced(of, events=(milestone,), used=used(billed=eur(200))).invoice
    assert rules(blocked.findings) == [("cap.hard", True)]
    assert blocked.findings[0].amount == eur(100)


def test_a_cap_of_one_person_beside_that_of_the_contract() -> None:
    caps = (CapTerm(ref="ada", scope="resource", of="ada", limit=eur(1000)),)
    before = used(by_cap={"ada": eur(800)})
    of = by_hour(100, terms={"caps": caps})
    result = priced(of, entry("a", 5, "hours"), entry("b", 5, "hours", resource="bob"), used=before)
    assert result.invoice.net == eur(700)


def test_retention_holds_by_tiers_of_what_is_billed() -> None:
    """10% of the first 10,000, 5% above: 8,000 billed before, 4,000 new: 200 + 100."""
    tiers = (RetentionTier(up_to=eur(10_000), percent=Decimal(10)), RetentionTier(percent=Decimal(5)))
    of = by_hour(100, terms={"retention": RetentionTerms(tiers=tiers)})
    result = priced(of, entry("a", 40, "hours"), used=used(billed=eur(8000), retained=eur(800)))
    assert nets(result.invoice) == [("time", eur(4000)), ("retention", eur(-300))]
    assert (result.invoice.retention, result.invoice.net) == (eur(300), eur(3700))


def test_a_release_of_retention_holds_and_draws_nothing() -> None:
    terms = {"retention": RetentionTerms(tiers=(RetentionTier(percent=Decimal(10)),))}
    release = event("retention_release", 1000, line=0)
    result = priced(by_hour(100, terms=terms), events=(release,), used=used(advance_left=eur(500)))
    assert nets(result.invoice) == [("retention_release", eur(1000))]


def test_an_advance_is_drawn_down_12_12_6() -> None:
    left, applied, due = eur(30_000), [], []
    for _ in range(3):
        result = priced(by_hour(100), entry("a", 120, "hours"), used=used(advance_left=left)).invoice
        applied.append(result.advance_applied)
        due.append(result.net)
        left = left - result.advance_applied
    assert applied == [eur(12_000), eur(12_000), eur(6_000)]
    assert due == [eur(0), eur(0), eur(6_000)]


def test_an_advance_is_billed_without_being_value() -> None:
    of = by_hour(100, terms={"cap": eur(100), "advance": eur(30_000)})
    result = priced(of, events=(event("advance", 30_000, line=0),)).invoice
    assert (nets(result), result.findings) == ([("advance", eur(30_000))], ())


def test_a_write_down_changes_the_line_and_its_share() -> None:
    result = priced(by_hour(100), entry("a", 10, "hours"), written("b", -250)).invoice
    (line,) = result.lines
    assert (line.line.net, line.line.quantity, line.line.unit_price) == (eur(1750), Decimal(20), None)
    assert {share.key: share.net for share in line.shares} == {"a": eur(1000), "b": eur(750)}
    assert result.adjusted == eur(-250)


def test_a_write_down_to_nothing_bills_the_entry_at_zero() -> None:
    result = priced(by_hour(100), entry("a", 10, "hours"), written("b", -1000))
    assert (result.invoice.net, result.left_out, result.invoice.findings) == (eur(1000), (), ())


def test_a_write_down_beyond_the_price_blocks() -> None:
    result = priced(by_hour(100), entry("a", 100, "hours"), written("b", "-1000.01"))
    assert rules(result.invoice.findings) == [("adjustment.beyond_price", True)]


def test_expenses_carry_their_markup_and_count_before_it() -> None:
    """Cap 1,000 before markup, 800 before: of 300 spent 200 are billed, 220 with the markup of 10%."""
    of = by_hour(100, terms={"expense_markup_percent": Decimal(10), "expense_cap": eur(1000)})
    result = priced(of, expense("e", 300), used=used(expenses=eur(800)))
    (line,) = result.invoice.lines
    assert (line.line.net, line.before_markup) == (eur(220), eur(200))
    assert [share.net for share in result.invoice.above] == [eur(110)], "as it would be billed"


def test_an_expense_cut_by_the_contracts_cap_counts_in_proportion() -> None:
    of = by_hour(100, terms={"expense_markup_percent": Decimal(10), "cap": eur(55)})
    (line,) = priced(of, expense("e", 100)).invoice.lines
    assert (line.line.net, line.before_markup) == (eur(55), eur(50))


def test_the_rest_of_an_expense_above_a_cap_is_an_expense_still() -> None:
    of = by_hour(100, terms={"expense_markup_percent": Decimal(10)})
    rest = event("above_cap", 110, evidence="kantata:expense:7", occasion="above-cap:kantata:expense:7")
    (line,) = priced(of, events=(rest,)).invoice.lines
    assert (line.line.kind, line.before_markup) == ("expense", eur(100))
    hours = rest.with_changes(evidence="kantata:time:7")
    assert priced(of, events=(hours,)).invoice.lines[0].line.kind == "time"


def test_reverse_charge_bills_no_tax_and_says_so() -> None:
    reverse = expected("0", treatment="reverse_charge", code="DE-REVERSE", words="Reverse charge")
    result = priced(by_hour(100), entry("a", 10, "hours"), tax=reverse).invoice
    assert (result.tax, result.gross) == (eur(0), eur(1000))
    assert [tax.words for tax in result.taxes] == ["Reverse charge"]
    assert {line.line.tax_code for line in result.lines} == {"DE-REVERSE"}


def test_tax_that_is_not_decided_blocks() -> None:
    lacking = InvoiceFinding(rule="tax.registration", field="customer.tax_id", problem="it is missing")
    result = priced(by_hour(100), entry("a"), tax=lambda net: ExpectedTax(missing=(lacking,)))
    assert result.invoice.blocked
    assert result.invoice.taxes == ()


def test_an_order_is_used_up_by_value_and_not_by_what_is_paid() -> None:
    """1,000 ordered, 900 billed: another 200 are too much, though an advance pays them."""
    order = CustomerPO(number="PO-1", amount=eur(1000))
    before = used(billed=eur(900), advance_left=eur(200))
    result = priced(by_hour(100, customer_po=order), entry("a", 2, "hours"), used=before).invoice
    assert (result.net, rules(result.findings)) == (eur(0), [("customer_po.exhausted", True)])
    assert result.findings[0].amount == eur(100)


def test_nothing_to_bill_lacks_nothing() -> None:
    result = priced(by_hour(100, terms={"po_required": True}))
    assert (result.invoice.lines, result.invoice.findings) == ((), ())


def test_percent_subscription_and_milestone_stand_as_they_fell_due() -> None:
    rows = (
        event("subscription", 500, occasion="2027-01"),
        event("percent", 1200, occasion="2027-02"),
        event("milestone", 300, evidence="DOC-1"),
    )
    lines = priced(by_hour(100), events=rows).invoice.lines
    assert {line.line.description for line in lines} == {
        "Architecture, 2027-01-04 to 2027-02-01",
        "Architecture, 2027-02",
        "Architecture, accepted: DOC-1",
    }
    assert total([line.line.net for line in lines], "EUR") == eur(2000)


def psa_invoice(*amounts: object, net: object = None) -> PsaInvoice:
    lines = tuple(
        PsaInvoiceLine(ref=str(n), kind="time", description="Work", net=eur(amount), entry_ids=(f"p{n}",))
        for n, amount in enumerate(amounts)
    )
    whole = total([line.net for line in lines], "EUR") if net is None else eur(net)
    return PsaInvoice.model_validate(
        {
            "external_id": "900", "number": "PSA-9", "project_external_id": "77", "currency": "EUR",
            "net": whole, "state": "released", "dated": DATED, "lines": lines,
            "version": "2027-02-01T00:00:00Z",
        }
    )  # fmt: skip


def test_the_psa_prices_its_lines_and_we_the_rest() -> None:
    released = event("psa", 700, occasion="psa-900", evidence="900")
    theirs, ours = entry("p0", 10, "hours"), entry("own", 1, "hours")
    result = priced(by_hour(100), theirs, ours, events=(released,), psa_invoice=psa_invoice(400, 300))
    assert nets(result.invoice) == [("time", eur(400)), ("time", eur(300)), ("time", eur(100))]
    assert result.left_out == (), "what the PSA has billed stays on the invoice"


@pytest.mark.parametrize(
    ("document", "rule"),
    [(psa_invoice(400), "psa.changed"), (psa_invoice(400, net=700), "psa.sum"), (None, "psa.document")],
)
def test_a_document_of_the_psa_that_does_not_fit_blocks(document: PsaInvoice | None, rule: str) -> None:
    released = event("psa", 700, occasion="psa-900", evidence="900")
    found = priced(by_hour(100), events=(released,), psa_invoice=document).invoice.findings
    assert rules(found) == [(rule, True)]


def test_the_psa_bills_above_no_cap() -> None:
    released = event("psa", 700, occasion="psa-900", evidence="900")
    of = by_hour(100, terms={"cap": eur(600)})
    found = priced(of, events=(released,), psa_invoice=psa_invoice(700)).invoice.findings
    assert rules(found) == [("cap.hard", True)]


def test_an_entry_without_a_rate_blocks_unless_two_persons_leave_it_out() -> None:
    of = contract(time_line(unit_price=Decimal(100)), time_line(id="l2", number=2))
    work = (entry("a"), entry("b", line=2, role="Wizard"))
    blocked = priced(of, *work)
    assert (blocked.invoice.blocked, blocked.left_out) == (True, ("b",))
    assert not priced(of, *work, without_rate=True).invoice.blocked


# -- reversals


def reversal(key: str, of: str, hours: object = -10, **changes: Any) -> Billable:
    return entry(key, hours, "hours", reverses=of, work_date=DAY + timedelta(days=1), **changes)


def test_a_reversal_takes_back_what_was_billed_and_no_more() -> None:
    before = (BilledEntry(entry=entry("a", 10, "hours"), net=eur(800)),)
    result = priced(by_hour(100), reversal("r", "a"), entry("b", 20, "hours"), billed=before).invoice
    assert {s.key: s.net for line in result.lines for s in line.shares} == {"r": eur(-800), "b": eur(2000)}
    half = priced(by_hour(100), reversal("r", "a", -5), entry("b", 20, "hours"), billed=before).invoice
    assert half.net == eur(1600)


def test_a_reversal_beside_what_it_reverses_is_nothing_together() -> None:
    result = priced(by_hour(100), written("a", -300), reversal("r", "a"), entry("b", 1, "hours")).invoice
    assert result.net == eur(100)


def test_a_reversal_of_what_is_not_billed_waits() -> None:
    result = priced(by_hour(100), reversal("r", "a"), entry("b", 1, "hours"))
    assert (result.invoice.net, result.left_out) == (eur(100), ("r",))
    assert rules(result.invoice.findings) == [("reversal.waits", False)]


def test_an_invoice_below_zero_blocks() -> None:
    before = (BilledEntry(entry=entry("a", 10, "hours"), net=eur(1000)),)
    result = priced(by_hour(100), reversal("r", "a"), billed=before).invoice
    assert rules(result.findings) == [("invoice.below_zero", True)]


# -- always

HOURS = st.lists(st.integers(1, 6000), min_size=0, max_size=8)
MILESTONE = time_line(id="l2", number=2, name="Design", billing_method=BillingMethod.MILESTONE)


@st.composite
def cases(draw: st.DrawFn) -> InvoiceCase:
    """Work, expenses and events under caps, retention, an advance and a markup of any size."""
    minutes, spent = draw(HOURS), draw(st.lists(st.integers(1, 500_000), max_size=4))
    entries = [entry(f"t{n}", m, work_date=DAY + timedelta(days=n % 3)) for n, m in enumerate(minutes)]
    entries = [
        e.with_changes(
            adjustment=Adjustment(amount=cents(-draw(st.integers(0, 100))), reason_code="x", by="p")
        )
        if draw(st.booleans())
        else e
        for e in entries
    ]
    entries += [expense(f"k:expense:{n}", cents(c).amount) for n, c in enumerate(spent)]
    tiers = (RetentionTier(percent=Decimal(draw(st.integers(0, 20)))),)
    terms = BillingTerms(
        grouping=draw(st.sampled_from(["entry", "person", "role", "task"])),
        cap=cents(draw(st.integers(0, 3_000_000))) if draw(st.booleans()) else None,
        expense_cap=cents(draw(st.integers(0, 800_000))) if draw(st.booleans()) else None,
        expense_markup_percent=Decimal(draw(st.integers(0, 25))),
        retention=RetentionTerms(tiers=tiers),
        tax_rounding=draw(st.sampled_from(["line", "group"])),
    )
    of = by_hour(draw(st.integers(1, 400)), MILESTONE).with_changes(terms=terms)
    billed = cents(draw(st.integers(0, 1_000_000)))
    return InvoiceCase(
        contract=of,
        dated=DATED,
        entries=tuple(entries),
        events=(event("milestone", draw(st.integers(1, 5000)), line=2),) if draw(st.booleans()) else (),
        used=used(
            billed=billed, by_line={1: billed}, advance_left=cents(draw(st.integers(0, 500_000))),
            expenses=cents(draw(st.integers(0, 400_000))),
        ),
    )  # fmt: skip


@settings(max_examples=120)
@given(cases(), st.sampled_from(["0", "7", "19", "25.5"]), st.randoms(use_true_random=False))
def test_every_invoice_adds_up(case: InvoiceCase, percent: str, random: Any) -> None:
    result = price_invoice(case, (), expected(percent))
    invoice = result.invoice
    # The header is the sum of its lines, a line that of its shares.
    assert invoice.net == total([line.line.net for line in invoice.lines], "EUR")
    assert invoice.gross == invoice.net + invoice.tax
    assert invoice.tax == total([tax.tax for tax in invoice.taxes], "EUR")
    for line in invoice.lines:
        if line.shares:
            assert total([share.net for share in line.shares], "EUR") == line.line.net
    # Nothing twice, and everything somewhere.
    keys = [share.key for line in invoice.lines for share in line.shares]
    assert len(keys) == len(set(keys))
    assert {e.key for e in case.entries} == (set(keys) | set(result.left_out)) - {e.key for e in case.events}
    assert not set(keys) & set(result.left_out)
    assert set(invoice.parked) <= set(result.left_out)
    assert {share.key for share in invoice.above} <= set(keys)
    # In whatever order it comes.
    shuffled = list(case.entries)
    random.shuffle(shuffled)
    again = price_invoice(case.with_changes(entries=tuple(shuffled)), (), expected(percent)).invoice
    assert again.content_hash == invoice.content_hash


@settings(max_examples=120)
@given(cases())
def test_no_invoice_passes_a_cap_or_overdraws(case: InvoiceCase) -> None:
    invoice = price_invoice(case, (), expected()).invoice
    kinds = {"time", "expense", "milestone"}
    value = total([line.line.net for line in invoice.lines if line.line.kind in kinds], "EUR")
    cap, expense_cap = case.contract.terms.cap, case.contract.terms.expense_cap
    fixed = total([e.amount for e in case.events if e.amount], "EUR")
    if cap is not None and not invoice.blocked:
        assert value.amount <= max(cap.amount - case.used.billed.amount, fixed.amount)
    if expense_cap is not None:
        costs = total([line.before_markup for line in invoice.lines if line.before_markup], "EUR")
        assert costs.amount <= max(expense_cap.amount - case.used.expenses.amount, Decimal(0))
    assert invoice.advance_applied.amount <= case.used.advance_left.amount
    assert invoice.blocked or invoice.net.amount >= 0
