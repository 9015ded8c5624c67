"""A project in the middle of its billing, as its processes leave it in the store. Days count from today."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from domain.attention import AttentionItem, Decision
from domain.billable import Adjustment, Billable, IntakeProblem
from domain.billing_process import invoice_id
from domain.invoice_case import InvoiceCase, UsedLimits
from domain.invoice_state import BillingEventRow, InvoiceRow
from domain.invoicing import price_invoice
from domain.money import Money
from domain.project_contract import BillingTerms, ProjectContract, RetentionTerms, RetentionTier
from domain.quantity import Quantity
from domain.readiness import OwnerGroup
from domain.selling import Address, BillingMethod, ContractLine, CustomerPO
from firm.billing_rules import FirmBillingRules
from firm.load import load
from store.sql.engine import SqlStore
from tests.unit.cli.cli_runs import CONTROLLER, TOMAS, LocalFirm

PROJECT, OTHER = "DE01-7K3QXW", "DE01-9M2ABC"
MANAGER = "mara.weiss@fairlead.example"
"""The project manager: named by the contract, not by the firm's file."""
CYCLE = f"{PROJECT}/0/2026-10/1"
MILESTONE = f"{PROJECT}/2/go-live/1"
INVOICE = invoice_id("fairlead-demo", CYCLE)
SHORT = INVOICE.rpartition("/")[2]
NOW = datetime.now(UTC).replace(microsecond=0)
TODAY = NOW.date()

Work = Callable[[SqlStore], Awaitable[Any]]


def eur(amount: str) -> Money:
    return Money.of(amount, "EUR")


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def contract(**changes: Any) -> ProjectContract:
    """Work at 150.00 an hour on line 1, a milestone on line 2, line 3 without any price; a cap of 5,000."""
    facts: dict[str, Any] = {
        "project": PROJECT,
        "deal": "0065g0000000001AAA",
        "number": "C-0001",
        "title": "Rollout",
        "entity": "DE01",
        "region": "DE",
        "currency": "EUR",
        "value": eur("60000"),
        "signed_on": ago(200),
        "starts_on": ago(180),
        "ends_on": ago(-180),
        "customer": "0015g0000000001AAA",
        "customer_name": "Nordwind AG",
        "customer_tax_id": "DE136695976",
        "customer_address": Address(country="DE", city="Hamburg"),
        "customer_po": CustomerPO(number="PO-77", amount=eur("20000"), expires_on=ago(-90)),
        "lines": (
            ContractLine(
                id="1",
                number=1,
                name="Consulting",
                billing_method=BillingMethod.TIME_AND_MATERIALS,
                unit_price=Decimal("150.00"),
            ),
            ContractLine(id="2", number=2, name="Go-live", billing_method=BillingMethod.MILESTONE),
            ContractLine(id="3", number=3, name="Support", billing_method=BillingMethod.TIME_AND_MATERIALS),
        ),
        "terms": BillingTerms(
            cap=eur("5000"),
            write_down_limit=eur("500"),
            approval_limit=eur("1000"),
            project_manager=MANAGER,
            expense_markup_percent=Decimal(5),
            tax_rounding="group",
            retention=RetentionTerms(tiers=(RetentionTier(percent=Decimal(10)),)),
        ),
    }
    return ProjectContract.model_validate(facts | changes)


def entry(id: str, minutes: int = 480, days_ago: int = 40, **changes: Any) -> Billable:
    """A day of Anna's on line 1."""
    facts: dict[str, Any] = {
        "key": f"kantata:time:{id}",
        "kind": "time",
        "source": "kantata",
        "external_id": id,
        "version": NOW,
        "content_hash": f"hash-{id}",
        "project": PROJECT,
        "line": 1,
        "entity": "DE01",
        "resource": "anna.beck",
        "role": "Consultant",
        "work_date": ago(days_ago),
        "quantity": Quantity(amount=Decimal(minutes), unit="minutes"),
        "approved_at": datetime.combine(ago(days_ago - 2), datetime.min.time(), UTC),
    }
    return Billable.model_validate(facts | changes)


def expense(id: str, amount: str = "100.00", **changes: Any) -> Billable:
    facts = {"key": f"kantata:expense:{id}", "kind": "expense", "quantity": None, "category": "Travel"}
    return entry(id, **(facts | {"amount": eur(amount)} | changes))


ENTRIES = (
    entry("1"),
    entry("2", minutes=90, days_ago=39),
    expense("5", days_ago=38),
    entry("7", days_ago=37, line=3),
)
"""1,200.00 and 225.00 of time, 105.00 of expenses with markup, and eight hours without a rate."""
HELD = entry("3", minutes=240, days_ago=36)
LATE = entry("4", minutes=60, days_ago=2)


def time_cycle() -> BillingEventRow:
    return BillingEventRow(
        key=CYCLE,
        project=PROJECT,
        line=0,
        kind="time",
        occasion="2026-10",
        due_on=ago(20),
        service_from=ago(50),
        service_to=ago(21),
    )


def milestone() -> BillingEventRow:
    return BillingEventRow(
        key=MILESTONE,
        project=PROJECT,
        line=2,
        kind="milestone",
        occasion="go-live",
        amount=eur("2000"),
        due_on=ago(35),
        service_from=ago(60),
        service_to=ago(35),
        evidence="acceptance 4711",
    )


def row(**changes: Any) -> InvoiceRow:
    facts: dict[str, Any] = {
        "id": INVOICE,
        "project": PROJECT,
        "entity": "DE01",
        "customer": "0015g0000000001AAA",
        "events": (CYCLE,),
        "service_from": ago(50),
        "service_to": ago(21),
    }
    return InvoiceRow.model_validate(facts | changes)


async def work_came_in(store: SqlStore) -> None:
    """Contract, approved work, one entry held, one refused; nothing is being billed."""
    await store.billing.put_contract(contract())
    await store.billing.take_in([*ENTRIES, HELD, LATE])
    await store.billing.adjust(HELD.key, decision="d-held", held=True, hold_reason="rework")
    await store.billing.add_event(time_cycle())
    await store.billing.add_event(milestone())
    await store.billing.refuse(
        [
            IntakeProblem(
                key="kantata:time:9",
                field="task",
                rule="task.no_line",
                problem="task 12 belongs to no contract line",
                owner="delivery_operations",
                project=PROJECT,
                amount="8 h",
                found_at=NOW,
            )
        ]
    )


async def collected(store: SqlStore) -> None:
    """The cycle's invoice waits for the project manager."""
    await work_came_in(store)
    await store.processes.open(INVOICE, "invoice", "run-1", "invoice", requested_by=TOMAS)
    await store.billing.put_invoice(row())
    await store.billing.cover(INVOICE, entries=[each.key for each in ENTRIES], events=[CYCLE])


def priced(firm: LocalFirm, *, without_rate: bool = True, **changes: Any) -> Work:
    """Priced by the rules, the entry without a rate left out or blocking; it asks for an approval."""

    async def work(store: SqlStore) -> None:
        await collected(store)
        bill = await price(firm, store, without_rate=without_rate)
        if without_rate:
            await store.billing.release(INVOICE, entries=["kantata:time:7"])
        made = row(stage="priced", priced=bill, dated=ago(1), approval_needed=True, **changes)
        await store.billing.settle(INVOICE, made)
        if without_rate:
            await store.attention.put(approval_asked())

    return work


async def price(firm: LocalFirm, store: SqlStore, *, without_rate: bool = True) -> Any:
    case = InvoiceCase(
        contract=contract(),
        dated=ago(1),
        entries=tuple(await store.billing.entries_of(INVOICE)),
        events=(time_cycle(),),
        used=UsedLimits(billed=eur("0"), retained=eur("0"), advance_left=eur("0"), expenses=eur("0")),
        without_rate=without_rate,
    )
    rules = FirmBillingRules(load(firm.home / "fairlead.toml"))
    made = price_invoice(case, rules.rate_cards(), lambda net: rules.expected_tax(contract(), net, ago(1)))
    return made.invoice


def posted(firm: LocalFirm) -> Work:
    """In the ledger as INV-1042."""

    async def work(store: SqlStore) -> None:
        await priced(firm)(store)
        await store.attention.put(approval_asked(state="resolved", resolution="approved"))
        kept = await store.billing.invoice(INVOICE)
        assert kept is not None
        assert kept.priced is not None
        await store.billing.put_invoice(
            kept.with_changes(
                stage="posted",
                approval="d-approved",
                approved_by=CONTROLLER,
                approved_hash=kept.priced.content_hash,
                number="INV-1042",
                external_id="8841",
                due_on=ago(-29),
                erp_net=kept.priced.net,
                erp_tax=kept.priced.tax,
            )
        )

    return work


def approval_asked(**changes: Any) -> AttentionItem:
    item = AttentionItem(
        id=f"{INVOICE}/approval/1",
        process=INVOICE,
        step="approval",
        headline=f"The invoice of {PROJECT} needs a second person's approval",
        owner=OwnerGroup.FINANCE_SYSTEMS,
        raised_at=NOW,
        due_at=NOW + timedelta(hours=24),
    )
    return item.with_changes(**changes)


def written_down(key: str, amount: str) -> Work:
    """A write-down that was decided and done."""
    change = Adjustment(amount=-eur(amount), reason_code="quality", by=MANAGER)
    return lambda store: store.billing.adjust(key, decision=f"d-{key}", adjustment=change)


def decided(action: str, actor: str, **facts: str) -> Work:
    """A decision on the invoice that its process took in."""

    async def work(store: SqlStore) -> None:
        given = {"id": uuid4().hex, "actor": actor, "role": "approver", "action": action, "process": INVOICE}
        decision = Decision.model_validate({**given, "at": NOW, **facts})
        await store.decisions.add(decision)
        await store.decisions.claim(decision.id, INVOICE)

    return work
