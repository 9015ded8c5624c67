"""Caps: how much of what was worked may be billed, by contract, line, task, resource and period.

Source: rule 7; Oracle Projects' hard and soft limits (an item that crosses a hard limit is split so that
the parts equal it exactly, as 1,000 of 6,940; a soft limit warns). Consumption has one order, work date
then key, so that a repetition bills the same; reversals come first, for they give room back.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Literal

from domain.base import Value
from domain.invariants import distinct, in_currency
from domain.invoice_state import InvoiceFinding
from domain.money import Money, total
from domain.project_contract import CapTerm, ProjectContract
from domain.rules.errors import RuleError

Choice = Literal["raise_cap", "write_off", "park"]
CHOICES: tuple[Choice, ...] = ("raise_cap", "write_off", "park")


class CapError(RuleError):
    """A cap, or an item under it, that cannot be judged."""


class CapItem(Value):
    """Something priced that counts against caps."""

    key: str
    work_date: date
    line: int
    task_ref: str = ""
    resource: str = ""
    net: Money


class CappedItem(Value):
    """`bill` and `above` sum to the item's net. `caps` are those that left no more room."""

    key: str
    bill: Money
    above: Money
    caps: tuple[str, ...] = ()


class CapUse(Value):
    """A cap after this run. `above` is what it kept out (hard) or let pass beyond it (soft)."""

    cap: CapTerm
    before: Money
    after: Money
    above: Money
    keys: tuple[str, ...] = ()
    """Items above it."""

    @property
    def choices(self) -> tuple[Choice, ...]:
        """What a person may do about what is above; a soft cap asks for nothing."""
        return CHOICES if self.cap.kind == "hard" and self.keys else ()


class CapResult(Value):
    items: tuple[CappedItem, ...] = ()
    """In order of work date and key."""
    uses: tuple[CapUse, ...] = ()

    @property
    def findings(self) -> tuple[InvoiceFinding, ...]:
        return tuple(_finding(use) for use in self.uses if use.keys)


def caps_of(contract: ProjectContract) -> tuple[CapTerm, ...]:
    """Every cap of the contract: its own (`contract`), its lines' (`line:<number>`) and its terms'."""
    terms = contract.terms
    caps = [
        CapTerm(
            ref=f"line:{line.number}", scope="line", of=str(line.number), limit=line.cap, kind=terms.cap_kind
        )
        for line in contract.lines
        if line.cap is not None
    ]
    if terms.cap is not None:
        caps.insert(0, CapTerm(ref="contract", limit=terms.cap, kind=terms.cap_kind))
    return (*caps, *terms.caps)


def apply_caps(
    items: Sequence[CapItem], caps: Sequence[CapTerm], used: Mapping[str, Money] | None = None
) -> CapResult:
    """What of each item may be billed, where `used` (by the ref of the cap) was billed before.

    A cap that is already passed bills nothing more and takes nothing back. Raises `CapError` for a cap
    below zero, mixed currencies, and refs or keys given twice.
    """
    used = used or {}
    _check(items, caps, used)
    counters = {cap.ref: used.get(cap.ref, Money.zero(cap.limit.currency)) for cap in caps}
    outcomes: dict[str, CappedItem] = {}
    for item in sorted(items, key=lambda i: (i.net.amount >= 0, i.work_date, i.key)):
        matching = [cap for cap in caps if covers(cap, item)]
        outcome = _capped(item, [cap for cap in matching if cap.kind == "hard"], counters)
        outcomes[item.key] = outcome
        for cap in matching:
            counters[cap.ref] = counters[cap.ref] + outcome.bill
    ordered = sorted(items, key=lambda i: (i.work_date, i.key))
    uses = [_use(cap, ordered, outcomes, used) for cap in caps]
    return CapResult(items=tuple(outcomes[item.key] for item in ordered), uses=tuple(uses))


def covers(cap: CapTerm, item: CapItem) -> bool:
    """Whether `item` counts against `cap`: its scope, and its work date within the cap's days."""
    subject = {"contract": "", "line": str(item.line), "task": item.task_ref, "resource": item.resource}
    in_time = (cap.first or item.work_date) <= item.work_date <= (cap.last or item.work_date)
    return in_time and (cap.scope == "contract" or subject[cap.scope] == cap.of)


def _capped(item: CapItem, hard: Sequence[CapTerm], counters: Mapping[str, Money]) -> CappedItem:
    currency = item.net.currency
    room = {cap.ref: max(cap.limit.amount - counters[cap.ref].amount, Decimal(0)) for cap in hard}
    bill = Money.of(min([item.net.amount, *room.values()]), currency)
    above = item.net - bill
    binding = tuple(ref for ref, left in room.items() if above.amount and left == bill.amount)
    return CappedItem(key=item.key, bill=bill, above=above, caps=binding)


def _use(
    cap: CapTerm, items: Sequence[CapItem], outcomes: Mapping[str, CappedItem], used: Mapping[str, Money]
) -> CapUse:
    """How the cap stands, walking its items in the order in which they were consumed."""
    currency = cap.limit.currency
    before = used.get(cap.ref, Money.zero(currency))
    mine = [item for item in items if covers(cap, item)]
    after = before + total([outcomes[item.key].bill for item in mine], currency)
    if cap.kind == "hard":
        keys = tuple(item.key for item in mine if cap.ref in outcomes[item.key].caps)
        above = total([outcomes[key].above for key in keys], currency)
        return CapUse(cap=cap, before=before, after=after, above=above, keys=keys)
    over = Money.of(max(after.amount - cap.limit.amount, Decimal(0)), currency)
    return CapUse(cap=cap, before=before, after=after, above=over, keys=_last_ones(mine, outcomes, over))


def _last_ones(items: Sequence[CapItem], outcomes: Mapping[str, CappedItem], over: Money) -> tuple[str, ...]:
    """The items that carry what is over a soft cap: the last ones billed."""
    keys, left = [], over.amount
    for item in reversed(items):
        bill = outcomes[item.key].bill.amount
        if left > 0 and bill > 0:
            keys.append(item.key)
            left -= bill
    return tuple(reversed(keys))


def _finding(use: CapUse) -> InvoiceFinding:
    cap = use.cap
    what = f"{cap.scope} {cap.of}".strip()
    where = f"cap {cap.ref} of {cap.limit} on {what}: {use.before} billed before, {use.after} with this"
    if cap.kind == "soft":
        problem = f"{where}; it is passed by {use.above}, which is billed: tell the customer"
    else:
        problem = f"{where}; {use.above} is above it: raise the cap, write it off, or park it"
    return InvoiceFinding(
        rule=f"cap.{cap.kind}",
        field=f"caps.{cap.ref}",
        problem=problem,
        amount=use.above,
        blocking=False,
        owner="delivery_operations",
        keys=use.keys,
    )


def _check(items: Sequence[CapItem], caps: Sequence[CapTerm], used: Mapping[str, Money]) -> None:
    for cap in caps:
        where = f"caps.{cap.ref}"
        if cap.limit.amount < 0:
            raise CapError(where, "7 caps", "is below zero: enter what may be billed in all", cap.limit)
        before = used.get(cap.ref)
        under = [item.net for item in items if covers(cap, item)]
        _same(where, cap.limit.currency, [*under, *([before] if before else [])])
    try:
        distinct([cap.ref for cap in caps], "cap")
        distinct([item.key for item in items], "entry")
    except ValueError as error:
        raise CapError("caps", "7 caps", str(error)) from error


def _same(where: str, currency: str, amounts: Sequence[Money]) -> None:
    try:
        in_currency(currency, amounts, where)
    except ValueError as error:
        raise CapError(where, "10 currency", str(error)) from error
