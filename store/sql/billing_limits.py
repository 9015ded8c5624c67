"""What invoices use of a project's limits: caps, advance, retention. Pure.

Using counts at once, from the moment an invoice is settled; what an invoice adds to a balance, an advance
to draw from or a retention to release, counts when it is posted. So two invoices at once never use the
same money, and a draft that is thrown away takes nothing with it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from domain.invoice_state import InvoiceRow, InvoiceStage, PricedInvoice
from domain.money import Money
from domain.project_contract import ProjectContract
from store.billing_ports import OverDrawn, ProjectTotals
from store.ports import StoreError
from store.sql.billing_amounts import from_minor, to_minor

POSTED: tuple[InvoiceStage, ...] = ("posted", "paid")
FINAL: tuple[InvoiceStage, ...] = (*POSTED, "credited")
"""The ERP's ledger has it: it is never changed or discarded any more."""
DEAD: tuple[InvoiceStage, ...] = ("credited", "discarded", "empty")
"""Uses no limit."""

Movements = Mapping[tuple[str, int], int]
"""(kind, contract line) -> minor units. Kinds: `billed`; `expenses`, what of it counts against the expense
cap, before markup; `held`, `released`; `advanced`, `applied`."""

_KINDS = {
    "retention": ("held", -1),
    "retention_release": ("released", 1),
    "advance": ("advanced", 1),
    "advance_applied": ("applied", -1),
}
"""Line kind -> movement, and the sign that makes it positive on an invoice; all others are billed."""


@dataclass
class Used:
    """What the live invoices of a project use, in minor units."""

    billed: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    expenses: int = 0
    held: int = 0
    held_posted: int = 0
    released: int = 0
    advanced_posted: int = 0
    applied: int = 0

    def add(self, kind: str, line: int, minor: int, *, posted: bool) -> None:
        if kind == "billed":
            self.billed[line] += minor
        elif kind == "expenses":
            self.expenses += minor
        elif kind == "held":
            self.held += minor
            self.held_posted += minor if posted else 0
        elif kind == "released":
            self.released += minor
        elif kind == "applied":
            self.applied += minor
        elif posted:
            self.advanced_posted += minor

    def totals(self, currency: str) -> ProjectTotals:
        return ProjectTotals(
            billed=from_minor(sum(self.billed.values()), currency),
            retained=from_minor(self.held - self.released, currency),
            advance_left=from_minor(self.advanced_posted - self.applied, currency),
            billed_by_line={line: from_minor(self.billed[line], currency) for line in sorted(self.billed)},
            expenses=from_minor(self.expenses, currency),
        )


def movements_of(row: InvoiceRow) -> Movements:
    """What `row` uses and adds. A credit note has its invoice's signs and gives back.

    Raises `StoreError` when its lines do not bear out the retention or advance it states.
    """
    moved: dict[tuple[str, int], int] = defaultdict(int)
    if row.priced is None:
        return moved
    back = -1 if row.credits else 1
    for priced in row.priced.lines:
        line, minor = priced.line, to_minor(priced.line.net)
        kind, sign = _KINDS.get(line.kind, ("billed", 1))
        moved[kind, line.contract_line] += back * sign * minor
        if line.kind == "expense":
            counted = minor if priced.before_markup is None else to_minor(priced.before_markup)
            moved["expenses", line.contract_line] += back * counted
    _bear_out(row, moved, "held", row.priced.retention, "retention")
    _bear_out(row, moved, "applied", row.priced.advance_applied, "advance_applied")
    return moved


def _bear_out(row: InvoiceRow, moved: Movements, kind: str, stated: Money, name: str) -> None:
    found = abs(_sum(moved, kind))
    if found != abs(to_minor(stated)):
        raise StoreError(
            f"invoice {row.id} states {name} {stated}, its lines of that kind sum to"
            f" {from_minor(found, stated.currency)}; price it again"
        )


def check_seen(row: InvoiceRow, seen: ProjectTotals | None, now: ProjectTotals) -> None:
    """Raises `OverDrawn` when the totals that `row` was priced on have changed since."""
    if seen is not None and seen != now:
        raise OverDrawn(
            f"invoice {row.id} was priced when {seen.billed} of project {row.project} were billed, by now"
            f" it is {now.billed}; another invoice was faster, price this one again"
        )


def check_limits(contract: ProjectContract, row: InvoiceRow, used: Used) -> None:
    """Raises `OverDrawn` when `row`, beside what others use, takes more than there is."""
    moved = movements_of(row)
    for problem in (*_balances(contract, moved, used), *_caps(contract, row, moved, used)):
        raise OverDrawn(f"invoice {row.id} {problem}; another invoice was faster, price this one again")


def _balances(contract: ProjectContract, moved: Movements, used: Used) -> Iterable[str]:
    currency, of = contract.currency, f"project {contract.project}"
    applied, left = _sum(moved, "applied"), used.advanced_posted - used.applied
    if applied > 0 and applied > left:
        yield _beyond("applies", applied, f"the advance of {of}", left, currency)
    released, held = _sum(moved, "released"), used.held_posted - used.released
    if released > 0 and released > held:
        yield _beyond("releases", released, f"the retention of {of}", held, currency)
    most, more = contract.terms.retention.most_held, _sum(moved, "held")
    room = to_minor(most) - (used.held - used.released) if most else more
    if more > 0 and more > room:
        yield _beyond("holds", more, f"what may be held of {of}", room, currency)


def _caps(contract: ProjectContract, row: InvoiceRow, moved: Movements, used: Used) -> Iterable[str]:
    """Hard caps; a soft one only warns, when the invoice is priced.

    A fixed amount is never cut by pricing: above a line's cap it stands, above the contract's it blocks,
    and a blocked price is no claim on the cap, since it is priced again before it can be posted.
    """
    if contract.terms.cap_kind == "soft" or row.priced is None or row.priced.blocked:
        return
    cap, billed = contract.terms.cap, _sum(moved, "billed")
    room = to_minor(cap) - sum(used.billed.values()) if cap else billed
    if billed > 0 and billed > room:
        yield _beyond("bills", billed, f"the cap of contract {contract.number}", room, contract.currency)
    for line in contract.lines:
        if line.cap is None:
            continue
        worked = _worked(row.priced, line.number, row.events)
        fixed = moved.get(("billed", line.number), 0) - worked
        room = max(to_minor(line.cap) - used.billed.get(line.number, 0) - fixed, 0)
        if worked > 0 and worked > room:
            of = f"the cap of line {line.number} of contract {contract.number}"
            yield _beyond("bills", worked, of, room, contract.currency)


def _worked(priced: PricedInvoice, number: int, events: Collection[str]) -> int:
    """What is billed of one contract line by entries, which caps cut, and not by events."""
    mine = [p for p in priced.lines if p.line.contract_line == number and p.line.kind in ("time", "expense")]
    by_events = [to_minor(share.net) for p in mine for share in p.shares if share.key in events]
    return sum(to_minor(p.line.net) for p in mine) - sum(by_events)


def _beyond(does: str, minor: int, of: str, left: int, currency: str) -> str:
    return f"{does} {from_minor(minor, currency)} of {of}, of which {from_minor(left, currency)} is left"


def _sum(moved: Movements, kind: str) -> int:
    return sum(minor for (found, _), minor in moved.items() if found == kind)
