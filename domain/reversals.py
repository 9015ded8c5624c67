"""What a reversal takes back: what was billed of the entry it reverses, and never more.

Source: rule 12 (correction = reversal + new entry). The source reverses time or cost; the customer was
billed after write-downs, caps and credits. So a reversal mirrors the bill, not the rate card.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from domain.base import Value
from domain.billable import Billable
from domain.invoice_state import InvoiceFinding, PricedLine
from domain.money import Money


class BilledEntry(Value):
    """An entry on a live invoice, and what is billed of it: its share, less credits, with what was above
    a cap and is billed by now."""

    entry: Billable
    net: Money


class Reversals(Value):
    """How the reversals of one invoice are billed."""

    changes: dict[str, Money] = {}
    """Key of the reversal -> what to add to its own price."""
    waiting: tuple[str, ...] = ()
    """Reversals of what is not billed yet: they stay out until it is."""
    findings: tuple[InvoiceFinding, ...] = ()


def judge_reversals(
    entries: Sequence[Billable],
    lines: Sequence[PricedLine],
    adjustments: Mapping[str, Money],
    billed: Sequence[BilledEntry],
) -> Reversals:
    """The reversals among `entries`, priced by `lines` as if they were work below zero."""
    prices = {share.key: share.net for line in lines for share in line.shares}
    here = {entry.key: entry for entry in entries}
    before = {one.entry.key: one for one in billed}
    changes: dict[str, Money] = {}
    waiting: list[str] = []
    for entry in entries:
        own = prices.get(entry.key)
        if not entry.reverses or own is None:
            continue
        if entry.reverses in here:
            original = here[entry.reverses]
            price = prices.get(original.key)
            worth = price + adjustments[original.key] if price and original.key in adjustments else price
        elif entry.reverses in before:
            original, worth = before[entry.reverses].entry, before[entry.reverses].net
        else:
            worth = None
        if worth is None:
            waiting.append(entry.key)
        else:
            changes[entry.key] = -_part(worth, entry, original) - own
    return Reversals(
        changes={key: change for key, change in changes.items() if change.amount},
        waiting=tuple(sorted(waiting)),
        findings=tuple(_waits(here[key]) for key in sorted(waiting)),
    )


def _part(worth: Money, reversal: Billable, original: Billable) -> Money:
    """All of `worth` for a whole reversal, else in proportion to what is reversed."""
    taken, whole = _size(reversal), _size(original)
    return worth if taken == whole or not whole else worth.times(taken / whole)


def _size(entry: Billable) -> Decimal:
    if entry.quantity is not None:
        minutes = {"minutes": 1, "hours": 60, "days": 1}[entry.quantity.unit]
        return abs(entry.quantity.amount) * minutes
    return abs(entry.amount.amount) if entry.amount is not None else Decimal(0)


def _waits(entry: Billable) -> InvoiceFinding:
    return InvoiceFinding(
        rule="reversal.waits",
        field="entry.reverses",
        problem=f"entry {entry.key} of {entry.work_date} reverses {entry.reverses}, which is on no invoice: "
        "both are billed together, or not at all",
        blocking=False,
        owner="delivery_operations",
        keys=(entry.key,),
    )
