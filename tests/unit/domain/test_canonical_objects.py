"""Every invariant of the canonical objects: one sound object each, and each way it can be unsound."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from domain.base import Canonical
from domain.billing import (
    AppliedAmount,
    BillingEvent,
    BillingSchedule,
    Invoice,
    InvoiceLine,
    InvoiceTax,
    Payment,
)
from domain.books import FxRate, LegalEntity, TaxDecision
from domain.buying import (
    PurchaseLine,
    PurchaseOrder,
    PurchaseRequisition,
    ServiceConfirmation,
    Supplier,
    SupplierInvoice,
    SupplierInvoiceLine,
)
from domain.calendar import Period
from domain.commands import ScheduleLine
from domain.control import Approval
from domain.delivery import (
    Acceptance,
    Assignment,
    EntryApproval,
    EstimateToComplete,
    Expense,
    Milestone,
    Project,
    Resource,
    ResourceDemand,
    Task,
    TimeEntry,
)
from domain.ledger import (
    ContractBalance,
    CostTransaction,
    JournalEntry,
    JournalLine,
    PayrollCost,
    PayrollInput,
    RevenueSchedule,
    ScheduledRevenue,
)
from domain.money import Money
from domain.quantity import Quantity
from domain.selling import RevenueMethod

NOW = datetime(2026, 11, 23, tzinfo=UTC)
DAY, LATER, EARLIER = date(2027, 1, 10), date(2027, 2, 10), date(2026, 12, 10)
JAN, FEB = Period(year=2027, month=1), Period(year=2027, month=2)


def eur(amount: object) -> Money:
    return Money.of(amount, "EUR")


def usd(amount: object) -> Money:
    return Money.of(amount, "USD")


PROJECT = Project(
    id="project:DE01-AB",
    number="DE01-AB",
    title="Run",
    deal="deal:salesforce:006A",
    customer="customer:salesforce:001A",
    entity="DE01",
    currency="EUR",
    budget=eur(100),
    starts_on=DAY,
    ends_on=LATER,
)
TASK = Task(project=PROJECT.id, ref="1", title="Architecture", starts_on=DAY, ends_on=LATER, hours=Decimal(8))
RESOURCE = Resource(id="resource:w1", entity="DE01", role="Architect", available_from=DAY, available_to=LATER)
DEMAND = ResourceDemand(
    project=PROJECT.id, ref="1", role="Architect", hours=Decimal(8), starts_on=DAY, ends_on=LATER
)
ASSIGNMENT = Assignment(
    project=PROJECT.id, resource=RESOURCE.id, starts_on=DAY, ends_on=LATER, percent=Decimal(50)
)
TIME = TimeEntry(
    id="time:1",
    source="kantata",
    project=PROJECT.id,
    task="1",
    resource=RESOURCE.id,
    work_date=DAY,
    quantity=Quantity(amount=Decimal(20), unit="minutes"),
    approvals=(EntryApproval(by="pm", at=NOW, outcome="approved"),),
    billed_by="invoice:1",
)
EXPENSE = Expense(
    source="concur",
    report="R1",
    line=1,
    project=PROJECT.id,
    resource=RESOURCE.id,
    spent_on=DAY,
    gross=eur(119),
    recoverable_tax=eur(19),
    reimbursable=True,
    billable=True,
    paid_by="employee",
)
ESTIMATE = EstimateToComplete(
    project=PROJECT.id, period=JAN, hours=Decimal(10), cost=eur(800), author="pm", at=NOW
)
ENTITY = LegalEntity(code="DE01", name="Beratung GmbH", country="DE", currency="EUR", region="DE")
RATE = FxRate(
    from_currency="EUR", to_currency="USD", rate=Decimal("1.13545"), type="spot", on=DAY, source="ECB"
)
TAX = TaxDecision(
    place="DE", treatment="domestic", code="DE19", rate_percent=Decimal(19), decided_by="netsuite", on=DAY
)
SCHEDULE = BillingSchedule(
    project=PROJECT.id,
    currency="EUR",
    lines=(ScheduleLine(ref="1", description="a", amount=eur(40), due_on=DAY),),
)
EVENT = BillingEvent(project=PROJECT.id, line=2, occasion="2027-01", amount=eur(40), due_on=DAY)
INVOICE = Invoice(
    id="invoice:1",
    number="INV1",
    entity="DE01",
    customer="customer:1",
    project=PROJECT.id,
    currency="EUR",
    posted_on=DAY,
    due_on=LATER,
    supplied_on=DAY,
    service_from=EARLIER,
    service_to=DAY,
    lines=(
        InvoiceLine(description="a", net=eur(60), tax_code="DE19", covers=("time:1",)),
        InvoiceLine(description="b", net=eur(40), tax_code="DE19", covers=(EVENT.key,)),
    ),
    taxes=(InvoiceTax(code="DE19", rate_percent=Decimal(19), base=eur(100), tax=eur(19)),),
    net=eur(100),
    tax=eur(19),
    gross=eur(119),
)
PAYMENT = Payment(
    id="payment:1",
    customer="customer:1",
    amount=eur(150),
    received_on=DAY,
    applied=(AppliedAmount(invoice="invoice:1", amount=eur(119)),),
)
COST = CostTransaction(
    id="cost:1",
    source="kantata",
    kind="labour",
    period=JAN,
    entity="DE01",
    project=PROJECT.id,
    task="1",
    transaction=usd(1000),
    functional=eur("880.71"),
    rate=Decimal("0.88071"),
)
PAYROLL_INPUT = PayrollInput(
    worker="w1", calendar="DE-monthly", pay_from=DAY, pay_to=LATER, pay_class="hourly", minutes=480
)
PAYROLL_COST = PayrollCost(
    entity="DE01", grade="Senior", period=JAN, headcount=5, hours=Decimal(144), cost=eur(12240)
)
REVENUE = RevenueSchedule(
    contract="contract:1",
    line=1,
    book="group",
    method=RevenueMethod.STRAIGHT_LINE,
    price=eur(100),
    entries=(
        ScheduledRevenue(period=JAN, amount=eur(60)),
        ScheduledRevenue(period=FEB, amount=eur(40)),
    ),
)
BALANCE = ContractBalance(
    contract="contract:1",
    book="group",
    period=JAN,
    opening=eur(9000),
    earned=eur(36000),
    billed=eur(45000),
    adjusted=eur(0),
    closing=eur(0),
)
DEBIT = JournalLine(entity="DE01", account="contract_account", debit=eur(100))
CREDIT = JournalLine(entity="DE01", account="revenue", credit=eur(100))
JOURNAL = JournalEntry(
    id="journal:1", book="group", period=JAN, posted_on=DAY, text="Revenue", lines=(DEBIT, CREDIT)
)
SUPPLIER = Supplier(id="supplier:1", name="Telemarc", country="US", currency="USD")
PURCHASE_LINE = PurchaseLine(
    ref="6", description="QA", quantity=Decimal(40), rate=Decimal(95), amount=usd(3800)
)
REQUISITION = PurchaseRequisition(
    id="requisition:1",
    project=PROJECT.id,
    entity="US01",
    currency="USD",
    needed_on=DAY,
    lines=(PURCHASE_LINE,),
)
ORDER = PurchaseOrder(
    number="PO1",
    supplier=SUPPLIER.id,
    project=PROJECT.id,
    entity="US01",
    currency="USD",
    state="issued",
    lines=(PURCHASE_LINE,),
)
CONFIRMATION = ServiceConfirmation(
    order="PO1",
    line="6",
    worked_from=EARLIER,
    worked_to=DAY,
    quantity=Quantity(amount=Decimal(2400), unit="minutes"),
    rate=Decimal(95),
    amount=usd(3800),
)
BILL = SupplierInvoice(
    supplier=SUPPLIER.id,
    number="S1",
    received_on=DAY,
    due_on=LATER,
    lines=(SupplierInvoiceLine(order="PO1", line="6", net=usd(3900)),),
    tax=usd(0),
    total=usd(3900),
)
APPROVAL = Approval(
    id="a1",
    target="invoice:1",
    action="post",
    content_hash="0" * 64,
    prepared_by="anna@example.com",
    approved_by="ben@example.com",
    role="controller",
    at=NOW,
)

SOUND: list[Canonical] = [
    *(
        PROJECT,
        TASK,
        RESOURCE,
        DEMAND,
        ASSIGNMENT,
        TIME,
        EXPENSE,
        ESTIMATE,
        ENTITY,
        RATE,
        TAX,
        SCHEDULE,
        EVENT,
    ),
    *(INVOICE, PAYMENT, COST, PAYROLL_INPUT, PAYROLL_COST, REVENUE, BALANCE, JOURNAL, SUPPLIER, REQUISITION),
    *(ORDER, CONFIRMATION, BILL, APPROVAL),
]

OTHER_LINE = JournalLine(entity="US01", account="revenue", credit=eur(100))
UNSOUND: list[tuple[Any, dict[str, Any], str]] = [
    (PROJECT, {"ends_on": EARLIER}, "before it begins"),
    (PROJECT, {"budget": usd(100)}, "is in EUR"),
    (PROJECT, {"id": "project:other"}, "not project:DE01-AB"),
    (TASK, {"ends_on": EARLIER}, "before it begins"),
    (TASK, {"hours": Decimal(-1)}, "greater than or equal"),
    (RESOURCE, {"available_to": EARLIER}, "before it begins"),
    (RESOURCE, {"supplier": "supplier:1"}, "contingent workers only"),
    (RESOURCE, {"kind": "contingent"}, "contingent workers only"),
    (DEMAND, {"ends_on": EARLIER}, "before it begins"),
    (DEMAND, {"hours": Decimal(0)}, "greater than 0"),
    (DEMAND, {"revision": 0}, "greater than or equal"),
    (ASSIGNMENT, {"hours": Decimal(8)}, "either hours or percent"),
    (ASSIGNMENT, {"percent": None}, "either hours or percent"),
    (ASSIGNMENT, {"percent": Decimal(101)}, "less than or equal"),
    (ASSIGNMENT, {"ends_on": EARLIER}, "before it begins"),
    (TIME, {"quantity": Quantity(amount=Decimal(-20), unit="minutes")}, "reverses an entry"),
    (TIME, {"reverses": "time:0"}, "reverses an entry"),
    (TIME, {"billable": False}, "not billable and approved"),
    (TIME, {"approvals": ()}, "not billable and approved"),
    (TIME, {"approvals": (EntryApproval(by="resource:w1", at=NOW, outcome="approved"),)}, "own time"),
    (EXPENSE, {"recoverable_tax": usd(19)}, "is in EUR"),
    (EXPENSE, {"recoverable_tax": eur(120)}, "more than the whole"),
    (EXPENSE, {"paid_by": "firm_card"}, "nothing is owed"),
    (ESTIMATE, {"cost": eur(-1)}, "not negative"),
    (ESTIMATE, {"author": ""}, "at least 1"),
    (ENTITY, {"currency": "EURO"}, "ISO 4217"),
    (RATE, {"rate": Decimal(0)}, "greater than 0"),
    (RATE, {"to_currency": "EUR"}, "to itself"),
    (RATE, {"to_currency": "XXX"}, "minor unit"),
    (TAX, {"treatment": "reverse_charge"}, "cannot charge 19%"),
    (SCHEDULE, {"currency": "USD"}, "is in USD"),
    (SCHEDULE, {"lines": SCHEDULE.lines * 2}, "occurs twice"),
    (SCHEDULE, {"lines": ()}, "at least 1"),
    (EVENT, {"occasion": ""}, "at least 1"),
    (INVOICE, {"net": eur(101)}, "1.00 EUR apart"),
    (INVOICE, {"net": usd(100)}, "is in EUR"),
    (INVOICE, {"tax": eur(20)}, "the taxes of invoice INV1"),
    (INVOICE, {"gross": eur(120)}, "net and tax"),
    (INVOICE, {"due_on": EARLIER}, "time to pay"),
    (INVOICE, {"service_to": date(2026, 12, 9)}, "service period"),
    (
        INVOICE,
        {"lines": (INVOICE.lines[0], INVOICE.lines[1].with_changes(covers=("time:1",)))},
        "occurs twice",
    ),
    (INVOICE, {"lines": (INVOICE.lines[0], INVOICE.lines[1].with_changes(tax_code="X"))}, "with tax DE19"),
    (INVOICE, {"credits": "invoice:0"}, "credits an invoice"),
    (PAYMENT, {"amount": eur(118)}, "1.00 EUR too much"),
    (PAYMENT, {"amount": usd(150)}, "is in USD"),
    (PAYMENT, {"amount": eur(0), "applied": ()}, "above zero"),
    (PAYMENT, {"applied": PAYMENT.applied * 2}, "occurs twice"),
    (COST, {"rate": None}, "needs a rate"),
    (COST, {"transaction": eur(1)}, "differ in one currency"),
    (COST, {"transaction": eur("880.71")}, "needs a rate"),
    (COST, {"kind": "intercompany"}, "its pair"),
    (COST, {"intercompany": "ic:1"}, "its pair"),
    (PAYROLL_INPUT, {"minutes": -1}, "only an adjustment"),
    (PAYROLL_INPUT, {"pay_to": EARLIER}, "ends before"),
    (PAYROLL_COST, {"headcount": 4}, "below 5"),
    (REVENUE, {"price": eur(101)}, "1.00 EUR apart"),
    (REVENUE, {"entries": REVENUE.entries[::-1]}, "not in order"),
    (REVENUE, {"entries": (REVENUE.entries[0],) * 2, "price": eur(120)}, "occurs twice"),
    (REVENUE, {"book": ""}, "at least 1"),
    (BALANCE, {"closing": eur(1)}, "1.00 EUR apart"),
    (JOURNAL, {"lines": (DEBIT, CREDIT.with_changes(credit=eur(99)))}, "does not balance in DE01"),
    (JOURNAL, {"lines": (DEBIT, CREDIT.with_changes(credit=usd(100)))}, "does not balance"),
    (JOURNAL, {"lines": (DEBIT, OTHER_LINE)}, "does not balance in DE01"),
    (JOURNAL, {"posted_on": LATER}, "outside 2027-01"),
    (JOURNAL, {"lines": (DEBIT,)}, "at least 2"),
    (DEBIT, {"credit": eur(1)}, "either a debit or a credit"),
    (DEBIT, {"debit": eur(-1)}, "above zero"),
    (PURCHASE_LINE, {"amount": usd(3801)}, "is 3,800.00 USD"),
    (REQUISITION, {"currency": "EUR"}, "is in EUR"),
    (REQUISITION, {"lines": (PURCHASE_LINE,) * 2}, "occurs twice"),
    (ORDER, {"lines": ()}, "at least 1"),
    (ORDER, {"currency": "EUR"}, "is in EUR"),
    (CONFIRMATION, {"amount": usd(3900)}, "are 3,800.00 USD"),
    (CONFIRMATION, {"worked_to": date(2026, 12, 9)}, "before it begins"),
    (BILL, {"total": usd(3901)}, "1.00 USD apart"),
    (BILL, {"kind": "credit_note"}, "not positive"),
    (APPROVAL, {"approved_by": "Anna@example.com"}, "may not approve"),
    (APPROVAL, {"content_hash": "x"}, "pattern"),
]


@pytest.mark.parametrize("thing", SOUND, ids=lambda thing: type(thing).__name__)
def test_sound_objects_survive_json_exactly(thing: Canonical) -> None:
    assert type(thing).model_validate_json(thing.model_dump_json()) == thing
    assert thing.schema_version == 1


@pytest.mark.parametrize(
    ("thing", "changes", "says"),
    UNSOUND,
    ids=[f"{type(row[0]).__name__}-{n}" for n, row in enumerate(UNSOUND)],
)
def test_unsound_objects_are_refused(thing: Any, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        thing.with_changes(**changes)
    assert says in str(caught.value)


def test_rates_convert_both_ways_and_only_their_pair() -> None:
    """1,000 USD at the ECB's 1.13545 USD per EUR are 880.71 EUR: divided, never inverted first."""
    assert RATE.convert(usd(1000)) == eur("880.71")
    assert RATE.convert(eur(1000)) == usd("1135.45")
    with pytest.raises(ValueError, match="cannot be converted"):
        RATE.convert(Money.of(1, "CHF"))


def test_quantities_are_priced_once_at_the_end() -> None:
    twenty = Quantity(amount=Decimal(20), unit="minutes")
    assert (twenty + twenty + twenty).priced(Decimal(150), "USD") == usd(150)
    assert Quantity(amount=Decimal(50), unit="minutes").priced(Decimal(175), "USD") == usd("145.83")
    assert (-Quantity(amount=Decimal(50), unit="minutes")).priced(Decimal(175), "USD") == usd("-145.83")
    assert Quantity(amount=Decimal("1.5"), unit="days").priced(Decimal(800), "EUR", per="day") == eur(1200)
    for bad in ({"unit": "days"}, {"unit": "hours", "per": "day"}):
        quantity = Quantity.model_validate({"amount": "1", "unit": bad["unit"]})
        with pytest.raises(ValueError, match="have no price"):
            quantity.priced(Decimal(1), "EUR", per="day" if "per" in bad else "hour")
    with pytest.raises(ValueError, match="one unit first"):
        twenty + Quantity(amount=Decimal(1), unit="hours")


def test_what_objects_work_out_of_themselves() -> None:
    assert EXPENSE.net == eur(100)
    assert PAYMENT.unapplied == eur(31)
    assert EVENT.key == "project:DE01-AB/2/2027-01/1"
    assert SCHEDULE.total == eur(40)
    assert (REQUISITION.total, ORDER.total) == (usd(3800), usd(3800))
    assert ORDER.may_be_cancelled_by_machine
    assert not ORDER.with_changes(state="accepted").may_be_cancelled_by_machine
    assert APPROVAL.covers("0" * 64)
    assert not APPROVAL.covers("1" * 64)
    assert TIME.approved
    assert not TIME.with_changes(approvals=(), billed_by=None).approved


def test_a_contract_is_an_asset_or_a_liability_and_never_both() -> None:
    assert BALANCE.side == "none"
    assert BALANCE.with_changes(billed=eur(44000), closing=eur(1000)).side == "asset"
    assert BALANCE.with_changes(billed=eur(46000), closing=eur(-1000)).side == "liability"


def test_a_milestone_is_billable_once_accepted() -> None:
    milestone = Milestone(project=PROJECT.id, ref="2", title="Design", due_on=DAY)
    assert not milestone.billable
    accepted = milestone.with_changes(acceptance=Acceptance(document="doc-1", by="customer", on=DAY))
    assert accepted.billable


def test_a_credit_note_mirrors_its_invoice() -> None:
    lines = tuple(line.with_changes(net=-line.net) for line in INVOICE.lines)
    taxes = tuple(tax.with_changes(base=-tax.base, tax=-tax.tax) for tax in INVOICE.taxes)
    credit = INVOICE.with_changes(
        id="invoice:2",
        lines=lines,
        taxes=taxes,
        net=eur(-100),
        tax=eur(-19),
        gross=eur(-119),
        credits="invoice:1",
    )
    assert credit.gross == -INVOICE.gross
