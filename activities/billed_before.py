"""What was billed before of single entries: for caps of a task or person, and for reversals."""

from collections.abc import Mapping, Sequence

from domain.base import Value
from domain.billable import Billable
from domain.invoice_state import BillingEventRow, InvoiceRow
from domain.money import Money
from domain.project_contract import ProjectContract
from domain.reversals import BilledEntry
from domain.rules.caps import CapItem, covers
from store.billing_ports import Billing
from store.ports import Store

_POSTED = ("posted", "paid")
_GONE = ("discarded", "empty", "credited")


class Reversed(Value):
    """What the reversals on an invoice find billed."""

    billed: tuple[BilledEntry, ...] = ()
    open_parts: dict[str, tuple[str, ...]] = {}
    """Key of the reversal -> events of what a cap kept back of its entry: nobody bills them any more."""

    def superseded(self, left_out: Sequence[str]) -> list[str]:
        return [key for by, keys in self.open_parts.items() if by not in left_out for key in keys]


class BilledBefore:
    def __init__(self, store: Store) -> None:
        self._billing: Billing = store.billing

    async def used_caps(self, contract: ProjectContract, *, besides: str) -> dict[str, Money]:
        """What live invoices other than `besides` billed under each further cap of the terms."""
        used = {cap.ref: Money.zero(contract.currency) for cap in contract.terms.caps}
        if not used:
            return used
        rows = await self._billing.documents(contract.project)
        parts = {event.key: event.evidence for event in await self._parts(contract.project)}
        entries: dict[str, Billable | None] = {}
        for row in _counting(rows, besides):
            entries |= {entry.key: entry for entry in await self._billing.entries_of(row.id)}
            for key, net in _shares(row).items():
                named = parts.get(key, key)
                if named not in entries:
                    entries[named] = await self._billing.entry(named)
                entry = entries[named]
                if entry is not None:
                    _count(used, contract, entry, -net if row.credits else net)
        return used

    async def reversed_by(self, row: InvoiceRow, entries: Sequence[Billable]) -> Reversed:
        """What is billed of the entries that `entries`, those of `row`, reverse."""
        here = {entry.key for entry in entries}
        reversals = [entry for entry in entries if entry.reverses and entry.reverses not in here]
        if not reversals:
            return Reversed()
        rows = await self._billing.documents(row.project)
        posted = {one.id: one for one in rows if one.stage in _POSTED}
        parts = await self._parts(row.project)
        billed: list[BilledEntry] = []
        open_parts: dict[str, tuple[str, ...]] = {}
        for reversal in reversals:
            original = await self._billing.entry(reversal.reverses)
            if original is None or original.invoice not in posted:
                continue
            mine = [event for event in parts if event.evidence == original.key]
            billed.append(BilledEntry(entry=original, net=_net_of(original, mine, posted)))
            open_parts[reversal.key] = tuple(e.key for e in mine if e.invoice in ("", row.id))
        return Reversed(billed=tuple(billed), open_parts=open_parts)

    async def _parts(self, project: str) -> list[BillingEventRow]:
        """What caps kept back of single entries, of a project."""
        return [
            event
            for event in await self._billing.events(project)
            if event.kind == "above_cap" and not event.void
        ]


def _counting(rows: Sequence[InvoiceRow], besides: str) -> list[InvoiceRow]:
    """Live invoices, and the posted credit notes to them."""
    gone = {row.id for row in rows if row.stage in _GONE}
    return [
        row
        for row in rows
        if row.id not in gone
        and row.id != besides
        and row.priced is not None
        and (not row.credits or (row.stage in _POSTED and row.credits not in gone))
    ]


def _net_of(entry: Billable, parts: Sequence[BillingEventRow], posted: Mapping[str, InvoiceRow]) -> Money:
    """Its share on its invoice and of what was billed later, less what credit notes took back."""
    keys = {entry.key: entry.invoice, **{event.key: event.invoice for event in parts}}
    rows = list(posted.values())
    nets = []
    for key, invoice in keys.items():
        nets += [_shares(row)[key] for row in rows if row.id == invoice and key in _shares(row)]
        nets += [-_shares(row)[key] for row in rows if row.credits == invoice and key in _shares(row)]
    currency = next(row.priced.currency for row in rows if row.id == entry.invoice and row.priced)
    return sum(nets, start=Money.zero(currency))


def _shares(row: InvoiceRow) -> dict[str, Money]:
    """Key -> net over all lines of an invoice."""
    found: dict[str, Money] = {}
    for line in row.priced.lines if row.priced else ():
        for share in line.shares:
            found[share.key] = found[share.key] + share.net if share.key in found else share.net
    return found


def _count(used: dict[str, Money], contract: ProjectContract, entry: Billable, net: Money) -> None:
    item = CapItem(
        key=entry.key,
        work_date=entry.work_date,
        line=entry.line,
        task_ref=entry.task_ref,
        resource=entry.resource,
        net=net,
    )
    for cap in contract.terms.caps:
        if covers(cap, item):
            used[cap.ref] = used[cap.ref] + net
