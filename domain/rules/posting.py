"""What each document posts, on account roles: the journal we expect of the ERP, or send where it is ours.

Source: rules 18 (posting), 13 (credit), 14 (withholding), 20 (expenses and subcontract). The revenue run owns
revenue, so an invoice credits the contract account and never revenue. Receivables, payables and bank appear
here because their documents move them; `domain.rules.journal.our_journal` refuses them in a journal of ours.
"""

from collections.abc import Sequence
from typing import Literal

from domain.account_roles import AccountRole as Role
from domain.base import Value
from domain.billing_commands import DraftLine
from domain.delivery import Expense
from domain.invoice_state import TaxLine
from domain.ledger import JournalEntry
from domain.money import Money, total
from domain.rules.credited import Credit, PostedInvoice
from domain.rules.errors import RuleError
from domain.rules.journal import RULE, Journal, PostingDimensions

_OWN_ACCOUNT = {
    "retention": Role.RETENTION,
    "retention_release": Role.RETENTION,
    "advance": Role.CONTRACT_LIABILITY,
    "advance_applied": Role.CONTRACT_LIABILITY,
}
"""Kinds of invoice line that bill no work: what they credit instead of the contract account."""


class CustomerPayment(Value):
    """A payment in one currency; for an invoice in another, all amounts are in the entity's own."""

    received: Money
    withheld: Money | None = None
    """Tax the customer withheld and owes a certificate for."""
    written_off: Money | None = None
    """Short pay within the tolerance, which needs a code."""
    write_off_code: str = ""
    relieves: Money | None = None
    """Receivable at the rate of the invoice, where it differs from what pays it: the rest is realised FX."""


def invoice(posted: PostingDimensions, lines: Sequence[DraftLine], taxes: Sequence[TaxLine]) -> JournalEntry:
    """Dr receivable, retention held, advance applied; Cr contract account, advance billed, output tax.

    Raises `RuleError` for an invoice without lines.
    """
    if not lines:
        raise RuleError("lines", RULE, f"{posted.document} has no lines")
    journal = Journal(posted, f"invoice {posted.document}")
    currency = lines[0].net.currency
    due = total([*(line.net for line in lines), *(tax.tax for tax in taxes)], currency)
    journal.debit(Role.RECEIVABLE, due)
    for line in lines:
        journal.credit(_credited(line), line.net)
    return _with_output_tax(journal, taxes).entry()


def credit_note(posted: PostingDimensions, credit: Credit, of: PostedInvoice) -> JournalEntry:
    """The document: the invoice's postings the other way round, for what is taken back."""
    journal = Journal(posted, f"credit note to {of.number}: {credit.reason}")
    kinds = {line.line.ref: line.line for line in of.lines}
    journal.credit(Role.RECEIVABLE, credit.gross)
    for part in credit.lines:
        journal.debit(_credited(kinds[part.ref]), part.net)
    for tax in credit.taxes:
        journal.debit(Role.OUTPUT_TAX, tax.tax)
    return journal.entry()


def price_reduction(posted: PostingDimensions, credit: Credit, of: PostedInvoice) -> JournalEntry | None:
    """What a concession does to revenue beside its document: Dr revenue, Cr contract account.

    None for a billing error: the work was done and is billed again, so revenue stands. For progress
    measured over time it is the effect at 100%; the revenue run takes the share that was recognised.
    """
    if credit.books != "price":
        return None
    kinds = {line.line.ref: line.line for line in of.lines}
    work = [part.net for part in credit.lines if _credited(kinds[part.ref]) is Role.CONTRACT_ACCOUNT]
    conceded = total(work, of.currency)
    journal = Journal(posted, f"price of {of.number} reduced by a concession")
    return journal.debit(Role.REVENUE, conceded).credit(Role.CONTRACT_ACCOUNT, conceded).entry()


def payment(posted: PostingDimensions, paid: CustomerPayment) -> JournalEntry:
    """Dr bank, withholding receivable, tolerance; Cr receivable; the rest to realised FX.

    Of a short pay the receivable loses what was paid: the rest of it stays open. Raises `RuleError` for a
    write-off without a code.
    """
    currency = paid.received.currency
    none = Money.zero(currency)
    withheld, written_off = paid.withheld or none, paid.written_off or none
    if written_off.amount and not paid.write_off_code:
        raise RuleError("write_off_code", "16 cash", "a write-off within tolerance needs a code", written_off)
    settled = paid.received + withheld + written_off
    relieved = paid.relieves or settled
    journal = Journal(posted, f"payment {posted.document}")
    journal.debit(Role.BANK, paid.received).debit(Role.WITHHOLDING_RECEIVABLE, withheld)
    journal.debit(Role.PAYMENT_TOLERANCE, written_off).credit(Role.RECEIVABLE, relieved)
    return journal.credit(Role.FX_REALISED, settled - relieved).entry()


def revenue_earned(posted: PostingDimensions, earned: Money) -> JournalEntry:
    return _pair(posted, "revenue earned", Role.CONTRACT_ACCOUNT, Role.REVENUE, earned)


def own_time(posted: PostingDimensions, cost: Money, on: Literal["project", "bench"]) -> JournalEntry:
    """Labour at the standard rate of the work date."""
    labour = Role.PROJECT_LABOUR if on == "project" else Role.BENCH_LABOUR
    return _pair(posted, f"own time, {on}", labour, Role.LABOUR_ABSORBED, cost)


def subcontract_confirmed(posted: PostingDimensions, confirmed: Money) -> JournalEntry:
    """Approved work of a supplier at the order's rate, before its bill."""
    return _pair(
        posted, "subcontract confirmed", Role.SUBCONTRACT_COST, Role.RECEIVED_NOT_INVOICED, confirmed
    )


def subcontract_billed(
    posted: PostingDimensions, confirmed: Money, billed: Money, input_tax: Money | None = None
) -> JournalEntry:
    """The supplier's bill clears what was confirmed; a difference within tolerance is cost of the project."""
    tax = input_tax or Money.zero(billed.currency)
    journal = Journal(posted, "subcontract billed").debit(Role.RECEIVED_NOT_INVOICED, confirmed)
    journal.debit(Role.SUBCONTRACT_COST, billed - confirmed).debit(Role.INPUT_TAX, tax)
    return journal.credit(Role.PAYABLE, billed + tax).entry()


def expense(posted: PostingDimensions, spent: Expense) -> JournalEntry:
    """Net of recoverable tax to the project; owed to the employee, or cleared with the firm's card."""
    paid_by = Role.EMPLOYEE_PAYABLE if spent.paid_by == "employee" else Role.CARD_CLEARING
    journal = Journal(posted, f"expense {spent.report}/{spent.line}").debit(Role.PROJECT_EXPENSE, spent.net)
    return journal.debit(Role.INPUT_TAX, spent.recoverable_tax).credit(paid_by, spent.gross).entry()


def contract_loss(posted: PostingDimensions, provided: Money) -> JournalEntry:
    return _pair(posted, "onerous contract", Role.CONTRACT_LOSS, Role.LOSS_PROVISION, provided)


def credit_loss(posted: PostingDimensions, allowed: Money) -> JournalEntry:
    """What is not expected to be collected: the claim stands, the allowance is held against it."""
    return _pair(posted, "credit loss", Role.CREDIT_LOSS, Role.CREDIT_LOSS_ALLOWANCE, allowed)


def _pair(posted: PostingDimensions, text: str, debit: Role, credit: Role, amount: Money) -> JournalEntry:
    return Journal(posted, text).debit(debit, amount).credit(credit, amount).entry()


def _credited(line: DraftLine) -> Role:
    return _OWN_ACCOUNT.get(line.kind, Role.CONTRACT_ACCOUNT)


def _with_output_tax(journal: Journal, taxes: Sequence[TaxLine]) -> Journal:
    for tax in taxes:
        journal.credit(Role.OUTPUT_TAX, tax.tax)
    return journal
