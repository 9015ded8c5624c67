"""Commands of billing and what they need, for the contract of the NetSuite connector."""

from datetime import date
from typing import Any

from domain.billing_commands import (
    CreditInvoice,
    DiscardInvoice,
    DraftInvoice,
    DraftLine,
    JournalPosting,
    LineKind,
    PostInvoice,
    PostJournal,
    ReceivePayment,
)
from domain.commands import Command, CreateProject, Record
from domain.identity import short_key
from domain.money import Money

DATED, LATER, PAID_ON = date(2026, 12, 15), date(2027, 1, 10), date(2027, 1, 20)
TAX, REVERSED = "DE-VAT-19", "DE-REVERSE"
ACCOUNTS = {
    "*": {"contract_account": "1150", "revenue": "4000", "misplaced": "1100"},
    "DE01": {"bank": "1020"},
}
TAX_CODES = {TAX: "DE 19%", REVERSED: "DE Reverse Charge"}


def line(
    amount: str, ref: str = "1", kind: LineKind = "milestone", tax: str = TAX, currency: str = "EUR"
) -> DraftLine:
    return DraftLine(
        ref=ref,
        kind=kind,
        description=f"Phase {ref}",
        net=Money.of(amount, currency),
        tax_code=tax,
        contract_line=1,
    )


def draft(customer: str, project: str, tag: str, *lines: DraftLine, currency: str = "EUR") -> DraftInvoice:
    return DraftInvoice(
        invoice=f"billing/contract/{tag}",
        entity="DE01",
        customer_external_id=customer,
        project_external_id=project,
        currency=currency,
        dated=DATED,
        payment_terms="Net 30",
        customer_po="PO 77",
        service_from=date(2026, 12, 1),
        service_to=date(2026, 12, 31),
        lines=lines,
        note="Thank you",
    )


def credit(invoice: DraftInvoice, external_id: str, *lines: DraftLine, full: bool = False) -> CreditInvoice:
    return CreditInvoice(
        credit=f"{invoice.invoice}/credit",
        invoice_external_id=external_id,
        entity="DE01",
        customer_external_id=invoice.customer_external_id,
        project_external_id=invoice.project_external_id,
        currency=invoice.currency,
        dated=LATER,
        reason="billing_error",
        reason_text="wrong rate",
        full=full,
        lines=lines,
    )


def payment(invoice: DraftInvoice, external_id: str, amount: str) -> ReceivePayment:
    return ReceivePayment(
        invoice_external_id=external_id,
        entity="DE01",
        customer_external_id=invoice.customer_external_id,
        amount=Money.of(amount, invoice.currency),
        received_on=PAID_ON,
        reference="RF18 5390",
    )


def journal(tag: str, amount: str, currency: str = "EUR") -> PostJournal:
    money = Money.of(amount, currency)
    return PostJournal(
        journal=f"revenue/contract/{tag}",
        entity="DE01",
        currency=currency,
        posted_on=DATED,
        text="Revenue of December",
        lines=(
            JournalPosting(account="contract_account", debit=money, memo="earned"),
            JournalPosting(account="revenue", credit=money),
        ),
    )


async def new_project(bench: Any, client: Any, tag: str, currency: str = "EUR") -> str:
    """A project of the bench's customer."""
    command = CreateProject(
        number=f"DE01-B{tag}",
        title=f"Billed {tag}",
        customer_external_id=bench.customer_id,
        entity="DE01",
        currency=currency,
        budget=Money.zero(currency),
        starts_on=date(2026, 12, 1),
        ends_on=date(2027, 6, 30),
    )
    return str((await client.apply(command, f"billing/contract/{tag}/erp.project/1")).external_id)


async def drafted(bench: Any, client: Any, tag: str, *lines: DraftLine) -> tuple[DraftInvoice, Record]:
    """A draft in the ERP."""
    given = lines or (line("1000.00"), line("200.10", "2"))
    currency = given[0].net.currency
    project = await new_project(bench, client, tag, currency)
    command = draft(bench.customer_id, project, tag, *given, currency=currency)
    return command, await client.apply(command, draft_key(tag))


async def posted(bench: Any, client: Any, tag: str, *lines: DraftLine) -> tuple[DraftInvoice, str]:
    """A posted invoice, and its id."""
    command, record = await drafted(bench, client, tag, *lines)
    approval = PostInvoice(invoice_external_id=record.external_id, entity="DE01")
    await client.apply(approval, f"billing/contract/{tag}/erp.post/1")
    return command, record.external_id


def draft_key(tag: str) -> str:
    return f"billing/contract/{tag}/erp.invoice/1"


# ---- what each plan needs: the command, and one of other content


async def a_draft(bench: Any, client: Any, tag: str) -> tuple[Command, Command]:
    project = await new_project(bench, client, tag)
    command = draft(bench.customer_id, project, tag, line("0.10"), line("0.20", "2", "time"))
    return command, command.with_changes(lines=(line("0.30"),))


async def a_posting(bench: Any, client: Any, tag: str) -> tuple[Command, Command]:
    _, record = await drafted(bench, client, tag)
    command = PostInvoice(
        invoice_external_id=record.external_id,
        entity="DE01",
        approval="decision/7",
        approved_by="controller@fairlead.example",
    )
    return command, command.with_changes(posted=False)


async def a_discarding(bench: Any, client: Any, tag: str) -> tuple[Command, Command]:
    _, record = await drafted(bench, client, tag)
    bench.voided = short_key(draft_key(tag))
    command = DiscardInvoice(invoice_external_id=record.external_id, reason="wrong project")
    return command, command.with_changes(discarded=False)


async def a_full_credit(bench: Any, client: Any, tag: str) -> tuple[Command, Command]:
    invoice, external_id = await posted(bench, client, tag)
    command = credit(invoice, external_id, *invoice.lines, full=True)
    return command, command.with_changes(lines=(line("1.00"),))


async def a_partial_credit(bench: Any, client: Any, tag: str) -> tuple[Command, Command]:
    invoice, external_id = await posted(bench, client, tag)
    command = credit(invoice, external_id, line("200.10", "2"))
    return command, command.with_changes(lines=(line("100.10", "2"),))


async def a_payment(bench: Any, client: Any, tag: str) -> tuple[Command, Command]:
    invoice, external_id = await posted(bench, client, tag)
    command = payment(invoice, external_id, "500.00")
    return command, payment(invoice, external_id, "500.01")


async def a_journal(bench: Any, client: Any, tag: str) -> tuple[Command, Command]:
    return journal(tag, "187.03"), journal(tag, "187.30")
