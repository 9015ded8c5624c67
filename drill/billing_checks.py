"""What always holds of billing, whatever went wrong: held against the systems, document by document.

the lines of a document sum to it, with us and in the ERP
an approved entry is billed once, or open, held or parked; an event is on one live invoice
each document posts what rule 18 says, and the ledger balances
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from connectors.http import exact_json
from domain.account_roles import BY_PROJECT, AccountRole
from domain.crediting import posted_invoice
from domain.invoice_commands import priced_of
from domain.invoice_state import InvoiceRow
from domain.ledger import JournalEntry, JournalLine
from domain.money import Money, total
from domain.rules import posting
from domain.rules.journal import PostingDimensions, check_against
from drill.billing_stage import Systems
from drill.billing_state import Standing
from drill.lane import Lane


def sums_differ(standing: Standing) -> Iterator[str]:
    """Lines against header, in our store and as the ERP holds it."""
    for row in standing.documents:
        priced, facts = priced_of(row), standing.facts_of(row)
        yield from _unequal(f"{row.id}: its lines", _nets(row), priced.net)
        yield from _unequal(f"{row.id}: net and tax", priced.net + priced.tax, priced.gross)
        for line in priced.lines:
            if line.shares:
                shares = total([share.net for share in line.shares], priced.currency)
                yield from _unequal(f"{row.id}: shares of line {line.line.ref}", shares, line.line.net)
        if facts is None:
            yield f"{row.id} is {row.stage}, and the ERP has no document {row.external_id}"
            continue
        sign = -1 if row.credits else 1
        of_lines = total([line.net for line in facts.lines], facts.currency)
        yield from _unequal(f"{row.id}: its lines in the ERP", of_lines, facts.net)
        yield from _unequal(f"{row.id}: net and tax in the ERP", facts.net + facts.tax, facts.gross)
        for name, ours, theirs in (("net", priced.net, facts.net), ("tax", priced.tax, facts.tax)):
            yield from _unequal(f"{row.id}: {name} in the ERP", theirs, _signed(ours, sign))


def strangers(standing: Standing) -> Iterator[str]:
    """Documents in the ledger that no row of ours knows, and numbers given twice."""
    known = {row.external_id for row in standing.documents}
    for facts in standing.facts:
        if facts.external_id not in known and facts.state not in ("draft", "rejected", "void"):
            yield f"the ERP has {facts.number} of {facts.gross}, {facts.state}: no invoice of ours is that"
        if facts.state == "draft":
            yield f"the ERP still has a draft of {facts.gross} under {facts.key}"
    for number, times in Counter(row.number for row in standing.documents).items():
        if times > 1:
            yield f"number {number} is on {times} documents"


def billed_twice_or_lost(standing: Standing) -> Iterator[str]:
    """Entries and events against the invoices that bill them."""
    bills = _bills(standing.documents)
    kept = {entry.key: entry.invoice for entry in standing.entries}
    for key in standing.approved:
        if key not in kept:
            yield f"{key} is approved in the PSA, and neither billed nor open here"
    for event in standing.events:
        if event.invoice and event.void:
            yield f"{event.key} is void, and on {event.invoice}"
        live = [row.id for row in standing.documents if event.key in row.events and row.stage != "credited"]
        if len(live) > 1:
            yield f"{event.key} is billed by {' and '.join(live)}"
    on = kept | {event.key: event.invoice for event in standing.events}
    unposted = {row.id for row in standing.rows} - {row.id for row in standing.documents}
    for key, invoice in sorted(on.items()):
        billing = bills.get(key, [])
        if len(billing) > 1:
            yield f"{key} is billed by {' and '.join(billing)}"
        if billing and billing[-1] != invoice:
            yield f"{key} is billed by {billing[-1]}, and kept as {invoice or 'open'}"
        if invoice in unposted:
            yield f"{key} is on {invoice}, which is not posted"


def _bills(documents: Sequence[InvoiceRow]) -> dict[str, list[str]]:
    """Entry or event -> the live invoices that bill it: on them, and not released by a credit note."""
    back: dict[str, set[str]] = {}
    for row in documents:
        back.setdefault(row.credits, set()).update(row.released)
    bills: dict[str, list[str]] = {}
    for row in documents:
        if not row.credits:
            keys = {share.key for line in priced_of(row).lines for share in line.shares}
            for key in keys - back.get(row.id, set()):
                bills.setdefault(key, []).append(row.id)
    return bills


class Ledger:
    """The general ledger of the sandbox's ERP, line by line, in the roles of the firm's accounts."""

    def __init__(self, lane: Lane, systems: Systems) -> None:
        self._lane = lane
        self._erp = systems.erp
        self._lines: dict[str, dict[str, Any]] = {}
        self._accounts: dict[str, dict[str, Any]] = {}

    async def read(self) -> "Ledger":
        self._lines = {row["id"]: row for row in await self._rows("ledger")}
        self._accounts = {row["id"]: row for row in await self._rows("account")}
        return self

    def postings_differ(self, standing: Standing) -> Iterator[str]:
        """Every document's postings against rule 18."""
        for row in standing.documents:
            kept = self._lines.get(row.external_id)
            if kept is None or not kept["posting"]:
                yield f"{row.id} is {row.stage}, and not posted in the ledger"
                continue
            found = self._journal(row, kept["lines"])
            yield from (f"{row.id}: {gap}" for gap in check_against(expected(row, standing.rows), found))

    async def books_differ(self, standings: Sequence[Standing], on: date) -> list[str]:
        """The trial balance of each entity: balanced, and what is owed is what we have billed."""
        found: list[str] = []
        for entity in sorted({row.entity for standing in standings for row in standing.documents}):
            books = await self._erp.trial_balance(entity, on)
            if not books.balanced:
                found.append(f"ledger of {entity}: debit {books.debit}, credit {books.credit}")
            mine = [row for one in standings for row in one.documents if row.entity == entity]
            owed = total(
                [_signed(priced_of(row).gross, -1 if row.credits else 1) for row in mine], books.currency
            )
            receivable = {
                row["acctNumber"] for row in self._accounts.values() if row["acctType"] == "AcctRec"
            }
            shown = [line.debit - line.credit for line in books.accounts if line.account in receivable]
            found += _unequal(f"receivables of {entity}", total(shown, books.currency), owed)
        return found

    # -- inside -----------------------------------------------------------------------------------

    def _journal(self, row: InvoiceRow, lines: Sequence[dict[str, Any]]) -> Iterator[JournalLine]:
        currency = priced_of(row).currency
        for line in lines:
            amount = Money.of(str(line["foreign"]), currency)
            if not amount.amount:
                continue
            role = self._role(row.entity, line["account"])
            project = row.project if role in {one.value for one in BY_PROJECT} else None
            yield JournalLine(
                entity=row.entity,
                account=role,
                debit=amount if amount.amount > 0 else None,
                credit=-amount if amount.amount < 0 else None,
                project=project,
            )

    def _role(self, entity: str, account: str) -> str:
        """What the account is for, as the firm's file says; its number for any other."""
        row = self._accounts[account]
        if row["acctType"] == "AcctRec":
            return AccountRole.RECEIVABLE.value
        settings = self._lane.setup.firm.systems[self._erp.system].settings["accounts"]
        named = {**settings.get("*", {}), **settings.get(entity, {})}
        number = str(row["acctNumber"])
        return next((str(role) for role, known in named.items() if known == number), number)

    async def _rows(self, object_name: str) -> list[dict[str, Any]]:
        answer = await self._lane.sandbox.get(f"/_control/{self._erp.system}/{object_name}")
        answer.raise_for_status()
        # Amounts are read as they are written, never as floats.
        return list(exact_json.decode(answer.content)["records"])


def expected(row: InvoiceRow, rows: Sequence[InvoiceRow]) -> JournalEntry:
    """What the document should have posted."""
    priced = priced_of(row)
    dated = row.dated or row.service_to
    posted = PostingDimensions(document=row.id, entity=row.entity, project=row.project, dated=dated)
    if not row.credits:
        return posting.invoice(posted, [line.line for line in priced.lines], priced.taxes)
    credited = next(one for one in rows if one.id == row.credits)
    invoice = posted_invoice(credited, [row])
    return posting.credit_note(posted, invoice.credits[0], invoice)


def _nets(row: InvoiceRow) -> Money:
    priced = priced_of(row)
    return total([line.line.net for line in priced.lines], priced.currency)


def _signed(amount: Money, sign: int) -> Money:
    return amount if sign > 0 else -amount


def _unequal(what: str, found: Money, wanted: Money) -> Iterable[str]:
    return () if found == wanted else (f"{what}: {found}, not {wanted}",)
