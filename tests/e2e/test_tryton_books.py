"""A real ERP keeps the books: from the draft to the trial balance, and everything it refuses on the way.

Skipped, saying why, where Tryton is not installed (docs/tryton.md).
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import psutil
import pytest

from connectors.errors import Conflict, NotFound, PeriodClosed, Rejected
from connectors.tryton.client import TrytonClient, build
from connectors.tryton.settings import TrytonSettings
from domain.billing_commands import (
    CreditInvoice,
    DiscardInvoice,
    DraftInvoice,
    DraftLine,
    JournalPosting,
    PostInvoice,
    PostJournal,
    ReceivePayment,
)
from domain.books import PartyQuery
from domain.commands import CreateCustomer, CreateProject, Record
from domain.money import Money
from domain.selling import Address
from local import process
from local.tryton_rpc import Rpc
from local.tryton_server import DATABASE, USER, TrytonServer
from tests.support.tryton_books import running, today

pytestmark = pytest.mark.ledger


def eur(amount: str) -> Money:
    return Money.of(amount, "EUR")


def line(net: Money, kind: Any = "time", tax: str = "DE-VAT-19", ref: str = "1", **changes: Any) -> DraftLine:
    plain = DraftLine(ref=ref, kind=kind, description=f"Line {ref}", net=net, tax_code=tax, contract_line=1)
    return plain.with_changes(**changes)


@dataclass
class Firm:
    """A customer and a project in one entity, and the commands on them, each under a key of its own."""

    client: TrytonClient
    rpc: Rpc
    entity: str
    currency: str
    customer: str = ""
    project: str = ""
    _used: list[str] = field(default_factory=list)

    def key(self, step: str) -> str:
        self._used.append(step)
        return f"invoice/{self.entity}/{len(self._used)}/erp.{step}/1"

    async def found(self, country: str, tax_id: str | None) -> None:
        customer = CreateCustomer(
            name=f"Kunde {self.entity}",
            crm_id=f"001-{self.entity}",
            tax_id=tax_id,
            address=Address(city="Bonn", country=country),
            payment_terms="Net 30",
            entity=self.entity,
        )
        self.customer = (await self.client.apply(customer, self.key("customer"))).external_id
        project = CreateProject(
            number=f"{self.entity}-BOOKS",
            title="Rollout",
            customer_external_id=self.customer,
            entity=self.entity,
            currency=self.currency,
            budget=Money.of("1000", self.currency),
            starts_on=today(),
            ends_on=today(),
        )
        self.project = (await self.client.apply(project, self.key("project"))).external_id

    def draft(self, *lines: DraftLine, dated: date | None = None) -> DraftInvoice:
        return DraftInvoice(
            invoice=f"invoice:{len(self._used)}",
            entity=self.entity,
            customer_external_id=self.customer,
            project_external_id=self.project,
            currency=lines[0].net.currency,
            dated=dated or today(),
            payment_terms="Net 30",
            customer_po="PO-7",
            service_from=today(),
            service_to=today(),
            lines=lines,
        )

    async def drafted(self, *lines: DraftLine, dated: date | None = None) -> str:
        return (await self.client.apply(self.draft(*lines, dated=dated), self.key("draft"))).external_id

    async def post(self, invoice: str, **approval: str) -> Record:
        command = PostInvoice(invoice_external_id=invoice, entity=self.entity, **approval)
        return await self.client.apply(command, self.key("post"))

    async def posted(self, *lines: DraftLine) -> str:
        invoice = await self.drafted(*lines)
        await self.post(invoice)
        return invoice

    async def pay(self, invoice: str, amount: Money) -> Record:
        command = ReceivePayment(
            invoice_external_id=invoice,
            entity=self.entity,
            customer_external_id=self.customer,
            amount=amount,
            received_on=today(),
            reference="R1",
        )
        return await self.client.apply(command, self.key("payment"))

    async def credit(self, invoice: str, *lines: DraftLine, full: bool = False) -> Record:
        command = CreditInvoice(
            credit=f"credit:{len(self._used)}",
            invoice_external_id=invoice,
            entity=self.entity,
            customer_external_id=self.customer,
            project_external_id=self.project,
            currency=lines[0].net.currency,
            dated=today(),
            reason="billing_error",
            full=full,
            lines=lines,
        )
        return await self.client.apply(command, self.key("credit"))

    async def journal(self, *lines: JournalPosting, **changes: Any) -> Record:
        command = PostJournal(
            journal=f"journal:{len(self._used)}",
            entity=self.entity,
            currency=self.currency,
            posted_on=today(),
            text="Revenue",
            lines=lines,
        )
        return await self.client.apply(command.with_changes(**changes), self.key("journal"))

    async def balances(self, as_of: date | None = None) -> dict[str, str]:
        """Account -> balance, debits positive, of a trial balance that balances."""
        balance = await self.client.trial_balance(self.entity, as_of or today())
        assert balance.balanced
        assert balance.currency == self.currency
        return {each.account: str((each.debit - each.credit).amount) for each in balance.accounts}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrytonServer]:
    with running(tmp_path_factory.mktemp("tryton-books")) as found:
        yield found


@pytest.fixture(scope="module")
async def client(server: TrytonServer) -> AsyncIterator[TrytonClient]:
    password = server.password_file.read_text(encoding="ascii")
    settings = TrytonSettings(base_url=server.base_url, username=USER, password=password)
    client = build("tryton", settings)
    yield client
    await client.aclose()


@pytest.fixture(scope="module")
def rpc(server: TrytonServer) -> Iterator[Rpc]:
    with Rpc(server.base_url, DATABASE, USER, server.password_file.read_text(encoding="ascii")) as rpc:
        yield rpc


@pytest.fixture(scope="module")
async def german(client: TrytonClient, rpc: Rpc) -> Firm:
    firm = Firm(client, rpc, "DE01", "EUR")
    await firm.found("DE", "DE136695976")
    return firm


@pytest.fixture(scope="module")
async def indian(client: TrytonClient, rpc: Rpc) -> Firm:
    firm = Firm(client, rpc, "IN01", "INR")
    await firm.found("IN", None)
    return firm


async def test_an_invoice_with_retention_is_posted_paid_and_in_balance(german: Firm) -> None:
    before = await german.balances()
    invoice = await german.posted(
        line(eur("10000.00"), quantity="80", unit="h", unit_price="125"),
        line(eur("-1000.00"), kind="retention", tax="", ref="2"),
    )
    facts = await german.client.invoice(invoice)
    assert (facts.state, facts.net, facts.tax, facts.gross) == (
        "open", eur("9000.00"), eur("1900.00"), eur("10900.00"),
    )  # fmt: skip
    assert facts.number.startswith(f"DE01-{today().year}-")
    assert facts.period == today().strftime("%Y-%m")
    assert facts.due_on == today() + timedelta(days=30)
    assert [each.ref for each in facts.lines] == ["1", "2"]
    assert facts.key.endswith("/erp.draft/1")
    await german.pay(invoice, eur("900.00"))
    assert (await german.client.invoice(invoice)).open_amount == eur("10000.00")
    await german.pay(invoice, eur("10000.00"))
    paid = await german.client.invoice(invoice)
    assert (paid.state, paid.open_amount) == ("paid", eur("0.00"))
    after = await german.balances()
    moved = {account: after[account] for account in after if after[account] != before.get(account)}
    assert moved == {"1000": "10900.00", "1200": "-10000.00", "1210": "1000.00", "2100": "-1900.00"}


async def test_the_approval_stands_on_the_invoice_once(german: Firm) -> None:
    invoice = await german.drafted(line(eur("5.00")))
    await german.post(invoice, approval="A-17", approved_by="controller@example.com")
    again = await german.post(invoice, approval="A-17", approved_by="controller@example.com")
    assert again.fields == {"posted": "true"}
    notes = german.rpc.search("ir.note", [["resource", "=", f"account.invoice,{invoice}"]], "message")
    assert len(notes) == 1
    assert notes[0]["message"].startswith("Approval A-17 by controller@example.com")


async def test_a_credit_note_lowers_what_is_open_and_never_exceeds_the_invoice(german: Firm) -> None:
    invoice = await german.posted(line(eur("1000.00")))
    credit = await german.credit(invoice, line(eur("100.00")))
    noted, left = await german.client.invoice(credit.external_id), await german.client.invoice(invoice)
    assert (noted.net, noted.credits, noted.open_amount) == (eur("-100.00"), invoice, eur("0.00"))
    assert left.open_amount == eur("1071.00")
    with pytest.raises(Rejected) as refused:
        await german.credit(invoice, line(eur("900.01")))
    assert refused.value.rule == "credit.too_high"
    assert "900.00 EUR" in str(refused.value)
    await german.pay(invoice, eur("1071.00"))
    states = [(await german.client.invoice(each)).state for each in (invoice, credit.external_id)]
    assert states == ["paid", "paid"]


async def test_a_full_credit_cancels_the_invoice_and_a_second_is_refused(german: Firm) -> None:
    before = await german.balances()
    invoice = await german.posted(line(eur("70.00")))
    credit = await german.credit(invoice, line(eur("70.00")), full=True)
    assert (await german.client.invoice(invoice)).state == "credited"
    assert (await german.client.invoice(credit.external_id)).credits == invoice
    assert await german.balances() == before
    with pytest.raises(Conflict):
        await german.credit(invoice, line(eur("70.00")), full=True)
    listed = await german.client.project_invoices(german.project)
    assert {invoice, credit.external_id} <= {each.external_id for each in listed}


async def test_what_is_paid_is_credited_by_a_document_of_its_own(german: Firm) -> None:
    invoice = await german.posted(line(eur("10.00")))
    await german.pay(invoice, eur("11.90"))
    credit = await german.credit(invoice, line(eur("10.00")), full=True)
    facts = await german.client.invoice(credit.external_id)
    assert (facts.state, facts.open_amount) == ("open", eur("-11.90"))


async def test_more_than_is_open_is_not_taken(german: Firm) -> None:
    invoice = await german.posted(line(eur("10.00")))
    with pytest.raises(Rejected) as refused:
        await german.pay(invoice, eur("11.91"))
    assert refused.value.rule == "amount.too_high"
    with pytest.raises(Rejected) as foreign:
        await german.pay(invoice, Money.of("5", "USD"))
    assert foreign.value.rule == "amount.currency"


async def test_an_advance_is_never_applied_beyond_its_balance(german: Firm) -> None:
    await german.posted(line(eur("300.00"), kind="advance"))
    greedy = await german.drafted(line(eur("400.00")), line(eur("-300.01"), kind="advance_applied", ref="2"))
    with pytest.raises(Rejected) as refused:
        await german.post(greedy)
    assert refused.value.rule == "advance.too_high"
    assert (await german.client.invoice(greedy)).state == "draft"
    await german.posted(line(eur("400.00")), line(eur("-300.00"), kind="advance_applied", ref="2"))
    assert "2200" not in await german.balances()


async def test_a_date_in_the_future_is_for_a_person_to_confirm(german: Firm) -> None:
    invoice = await german.drafted(line(eur("1.00")), dated=today() + timedelta(days=20))
    with pytest.raises(Rejected) as refused:
        await german.post(invoice)
    assert refused.value.rule == "vendor.warning"
    assert "in the future" in str(refused.value)
    assert refused.value.field.endswith(".invoice_date_future")


async def test_a_date_before_the_last_number_is_refused(german: Firm) -> None:
    await german.posted(line(eur("1.00")))
    late = await german.drafted(line(eur("1.00")), dated=today() - timedelta(days=1))
    with pytest.raises(Rejected) as refused:
        await german.post(late)
    assert refused.value.rule in {"number.order", "vendor.warning"}, "or a warning, on the first of January"


async def test_a_closed_period_takes_neither_invoice_nor_journal(german: Firm) -> None:
    closed = date(today().year - 1, 3, 5)
    company = german.rpc.search("company.company", [["party.code", "=", "DE01"]], "id")[0]["id"]
    domain = [["company", "=", company], ["start_date", "=", closed.replace(day=1)]]
    period = german.rpc.search("account.period", domain, "id")[0]["id"]
    german.rpc.call("model.account.period.close", [period])
    invoice = await german.drafted(line(eur("1.00")), dated=closed)
    with pytest.raises(PeriodClosed):
        await german.post(invoice)
    postings = (
        JournalPosting(account="contract_account", debit=eur("1.00")),
        JournalPosting(account="revenue", credit=eur("1.00")),
    )
    with pytest.raises(PeriodClosed):
        await german.journal(*postings, posted_on=closed)
    with pytest.raises(PeriodClosed, match="no period"):
        await german.journal(*postings, posted_on=date(today().year + 5, 1, 1))
    facts = await german.client.party_facts(_query("DE01"))
    assert facts.entity is not None
    assert closed.strftime("%Y-%m") not in facts.entity.open_periods
    assert today().strftime("%Y-%m") in facts.entity.open_periods


async def test_a_journal_is_reversed_on_its_day(german: Firm) -> None:
    before = await german.balances()
    later = date(today().year + 1, 1, 1)
    await german.journal(
        JournalPosting(account="contract_account", debit=eur("33.33"), memo="accrual"),
        JournalPosting(account="revenue", credit=eur("33.33")),
        reverse_on=later,
    )
    now, then = await german.balances(), await german.balances(later)
    assert now["4000"] == "-33.33"
    assert "4000" not in then
    assert then["1200"] == before["1200"]


async def test_a_draft_left_behind_is_made_anew_with_the_content_of_now(german: Firm) -> None:
    rpc, key = german.rpc, "journal/left/behind/erp.journal/1"
    company = rpc.search("company.company", [["party.code", "=", "DE01"]], "id")[0]["id"]
    accounts = [["company", "=", company], ["code", "in", ["1200", "4000"]]]
    contract, revenue = [row["id"] for row in rpc.search("account.account", accounts, "code")]
    within = [["company", "=", company], ["start_date", "<=", today()], ["end_date", ">=", today()]]
    sides = [
        {"account": contract, "debit": Decimal("9.00"), "credit": Decimal(0)},
        {"account": revenue, "debit": Decimal(0), "credit": Decimal("9.00")},
    ]
    move = {"company": company, "date": today(), "description": f"{key} Old", "lines": [["create", sides]]}
    move["journal"] = rpc.search("account.journal", [["code", "=", "MISC"]], "id")[0]["id"]
    move["period"] = rpc.search("account.period", within, "id")[0]["id"]
    rpc.create("account.move", move)
    command = PostJournal(
        journal="journal:left",
        entity="DE01",
        currency="EUR",
        posted_on=today(),
        text="New",
        lines=(
            JournalPosting(account="contract_account", debit=eur("7.00")),
            JournalPosting(account="revenue", credit=eur("7.00")),
        ),
    )
    assert await german.client.find(command, key) is None
    record = await german.client.apply(command, key)
    assert record.differences(command) == {}
    standing = rpc.search("account.move", [["description", "like", f"{key}%"]], "state", "description")
    assert [(each["state"], each["description"]) for each in standing] == [("posted", f"{key} New")]


@pytest.mark.parametrize(
    ("postings", "changes", "rule"),
    [
        ((("receivable", "5.00", None), ("revenue", None, "5.00")), {}, "journal.control"),
        ((("contract_account", "5.00", None), ("revenue", None, "4.00")), {}, "journal.unbalanced"),
        ((("contract_account", "5.00", None), ("nowhere", None, "5.00")), {}, "reference.unknown"),
    ],
)
async def test_a_journal_that_must_not_be_never_reaches_tryton(
    german: Firm, postings: Any, changes: Any, rule: str
) -> None:
    before = german.rpc.search("account.move", [], "id")
    lines = [
        JournalPosting(account=account, debit=debit and eur(debit), credit=credit and eur(credit))
        for account, debit, credit in postings
    ]
    with pytest.raises(Rejected) as refused:
        await german.journal(*lines, **changes)
    assert refused.value.rule == rule
    assert german.rpc.search("account.move", [], "id") == before


async def test_an_invoice_in_another_currency_is_booked_in_rupees(indian: Firm) -> None:
    yen = Money.of("162000", "JPY")
    invoice = await indian.posted(line(yen, tax="IN-IGST-18"))
    facts = await indian.client.invoice(invoice)
    assert (facts.tax, facts.gross) == (Money.of("29160", "JPY"), Money.of("191160", "JPY"))
    balances = await indian.balances()
    assert balances == {"1100": "113870.00", "1200": "-96500.00", "2100": "-17370.00"}
    await indian.pay(invoice, Money.of("191160", "JPY"))
    assert (await indian.client.invoice(invoice)).state == "paid"
    assert (await indian.balances())["1000"] == "113870.00"


async def test_what_tryton_bills_by_itself_is_seen_without_a_key(german: Firm) -> None:
    """A project that a person bills in Tryton: by a task with a price that is done."""
    rpc = german.rpc
    company = rpc.search("company.company", [["party.code", "=", "DE01"]], "id")[0]["id"]
    rpc.context = {"company": company}
    revenue = rpc.search("account.account", [["company", "=", company], ["code", "=", "4000"]], "id")[0]["id"]
    unit = rpc.search("product.uom", [["name", "=", "Unit"]], "id")[0]["id"]
    books = {"name": "Services", "accounting": True, "account_revenue": revenue}
    (category,) = rpc.create("product.category", books)
    product = {"name": "Milestone", "type": "service", "default_uom": unit, "list_price": Decimal("50.00")}
    product |= {"account_category": category, "products": [["create", [{}]]]}
    (template,) = rpc.create("product.template", product)
    variant = rpc.search("product.product", [["template", "=", template]], "id")[0]["id"]
    done = rpc.search("project.work.status", [["name", "=", "Done"]], "id")[0]["id"]
    task = {"name": "Acceptance", "type": "task", "parent": int(german.project), "company": company}
    task |= {"status": done, "progress": 1, "product": variant, "list_price": Decimal("50.00")}
    rpc.create("project.work", task)
    rpc.write("project.work", [int(german.project)], {"project_invoice_method": "effort"})
    rpc.call("model.project.work.invoice", [int(german.project)])
    rpc.context = {}
    listed = await german.client.project_invoices(german.project)
    native = [each for each in listed if not each.key]
    assert [(each.net, each.state) for each in native] == [(eur("50.00"), "draft")]


async def test_a_posted_invoice_is_not_discarded(german: Firm) -> None:
    invoice = await german.posted(line(eur("1.00")))
    with pytest.raises(Rejected) as refused:
        await german.client.apply(DiscardInvoice(invoice_external_id=invoice), german.key("discard"))
    assert "credit it instead" in str(refused.value)


async def test_a_validated_draft_is_rejected_with_the_reason(german: Firm) -> None:
    invoice = await german.drafted(line(eur("1.00")))
    german.rpc.call("model.account.invoice.validate_invoice", [int(invoice)])
    command = DiscardInvoice(invoice_external_id=invoice, reason="wrong customer")
    key = german.key("discard")
    assert await german.client.find(command, key) is None
    await german.client.apply(command, key)
    assert await german.client.find(command, key) is not None
    assert (await german.client.invoice(invoice)).state == "rejected"
    comment = german.rpc.search("account.invoice", [["id", "=", int(invoice)]], "comment")[0]["comment"]
    assert "Rejected: wrong customer" in comment


async def test_customers_are_matched_by_tax_id_however_it_is_spelled(german: Firm) -> None:
    facts = await german.client.party_facts(_query("DE01", tax_id="DE 136 695 976"))
    assert [each.external_id for each in facts.customers] == [german.customer]
    assert facts.entity is not None
    assert facts.entity.tax_registrations == ("DE",)
    unknown = await german.client.party_facts(_query("XX01"))
    assert unknown.entity is None
    assert unknown.customers == ()


async def test_a_number_or_record_that_is_not_there_is_told(german: Firm) -> None:
    for missing in ("99999", "not-a-number"):
        with pytest.raises(NotFound):
            await german.client.invoice(missing)
    with pytest.raises(NotFound):
        await german.client.billing_schedule(german.project)
    command = german.draft(line(eur("1.00"), tax="DE-VAT-99"))
    with pytest.raises(Rejected) as refused:
        await german.client.apply(command, german.key("draft"))
    assert "DE-VAT-99" in str(refused.value)


async def test_the_books_outlive_the_server(server: TrytonServer, german: Firm) -> None:
    """Killed, not stopped: what was posted stands, and the client signs in again on its own."""
    before = await german.balances()
    with pytest.raises(process.AlreadyRunning):
        server.start()
    found = process.running(server.paths)
    assert found is not None
    port = int(server.base_url.rpartition(":")[2])
    victim = psutil.Process(found.pid)
    victim.kill()
    victim.wait(10)
    server.start(port)
    assert await german.balances() == before


def _query(entity: str, tax_id: str | None = None) -> PartyQuery:
    return PartyQuery(
        entity=entity,
        customer_external_id="001-nobody",
        customer_key="activation/x/y/erp.customer/1",
        customer_name="Kunde",
        tax_id=tax_id,
        on=today(),
    )
