"""Entries become invoice lines, as the contract says: one per entry, person, role or task.

Source: rule 1. Minutes are summed exactly and priced once per line; the share of each entry in the
rounded line is by largest remainder. A line has one rate, so a change of rate begins another line. Order
is that of the first entry of each line by work date and key, whatever order the entries came in.
"""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from domain.billable import Billable
from domain.billing_commands import DraftLine
from domain.invariants import distinct
from domain.invoice_state import LineShare, PricedLine
from domain.money import Money
from domain.project_contract import ProjectContract
from domain.quantity import Quantity
from domain.rules.errors import RuleError
from domain.rules.pricing import Rate, RatedEntry, unrounded_price
from domain.rules.shares import share_out

Grouping = Literal["entry", "person", "role", "task"]
_SHOWN = Decimal("0.0001")
"""Hours on the document, from minutes. Shown only: the price is never computed from it."""


class GroupingError(RuleError):
    """Entries that cannot stand on one invoice."""


def time_lines(
    entries: Sequence[RatedEntry],
    contract: ProjectContract,
    tax_codes: Mapping[int, str] | None = None,
    first_ref: int = 1,
) -> tuple[PricedLine, ...]:
    """One priced line per group of the contract's terms; `tax_codes` by contract line.

    Raises `GroupingError` for an entry given twice, without time, or rated in another currency.
    """
    for rated in entries:
        if rated.rate.currency != contract.currency:
            raise GroupingError(
                f"{rated.entry.key}.rate",
                "10 currency",
                f"is in {rated.rate.currency}, the contract bills in {contract.currency}",
                rated.rate.price,
            )
    groups = grouped(entries, contract.terms.grouping)
    codes = tax_codes or {}
    return tuple(_line(str(ref), group, contract, codes) for ref, group in enumerate(groups, start=first_ref))


def grouped(entries: Sequence[RatedEntry], grouping: Grouping) -> list[list[RatedEntry]]:
    """The entries of each line, in order. Raises `GroupingError` for an entry given twice."""
    try:
        distinct([rated.entry.key for rated in entries], "entry")
    except ValueError as error:
        raise GroupingError("entries", "1 grouping", str(error)) from error
    groups: dict[tuple[object, ...], list[RatedEntry]] = {}
    for rated in sorted(entries, key=lambda r: (r.entry.work_date, r.entry.key)):
        groups.setdefault(_group_key(rated, grouping), []).append(rated)
    return list(groups.values())


def sum_of(quantities: Sequence[Quantity]) -> Quantity:
    """The exact sum: days stay days; hours beside minutes are brought to minutes."""
    units = {quantity.unit for quantity in quantities}
    if len(units) > 1:
        quantities = [_in_minutes(quantity) for quantity in quantities]
    return sum(quantities[1:], start=quantities[0])


def _group_key(rated: RatedEntry, grouping: Grouping) -> tuple[object, ...]:
    entry, rate = rated.entry, rated.rate
    in_days = _time(entry).unit == "days"
    by: dict[Grouping, tuple[str, ...]] = {
        "entry": (entry.key,),
        "person": (entry.resource,),
        "role": (entry.role, entry.grade),
        "task": (entry.task_ref,),
    }
    return entry.line, by[grouping], rate.price, rate.per, in_days


def _line(
    ref: str, group: list[RatedEntry], contract: ProjectContract, tax_codes: Mapping[int, str]
) -> PricedLine:
    first, rate = group[0].entry, group[0].rate
    day_length = contract.terms.hours_per_day
    quantity = sum_of([_time(rated.entry) for rated in group])
    net = Money.rounded(unrounded_price(quantity, rate, day_length), rate.currency)
    parts = [unrounded_price(_time(rated.entry), rate, day_length) for rated in group]
    shares = share_out(net, parts)
    shown, unit = _shown(quantity, rate, day_length)
    draft = DraftLine(
        ref=ref,
        kind="time",
        description=_description(first, contract),
        quantity=shown,
        unit=unit,
        unit_price=rate.price,
        net=net,
        tax_code=tax_codes.get(first.line, ""),
        contract_line=first.line,
        task_ref=first.task_ref if contract.terms.grouping in ("entry", "task") else "",
    )
    return PricedLine(
        line=draft,
        shares=tuple(
            LineShare(key=rated.entry.key, net=share) for rated, share in zip(group, shares, strict=True)
        ),
    )


def _description(entry: Billable, contract: ProjectContract) -> str:
    name, terms = contract.line(entry.line).name, contract.terms
    role = " ".join(part for part in (entry.role, entry.grade) if part)
    said: dict[Grouping, tuple[str, ...]] = {
        "entry": (entry.work_date.isoformat(), role, entry.narrative),
        "person": (entry.resource, role),
        "role": (role,),
        "task": (entry.task_ref,),
    }
    return ", ".join(part for part in (name, *said[terms.grouping]) if part)


def _shown(quantity: Quantity, rate: Rate, hours_per_day: Decimal | None) -> tuple[Decimal, str]:
    """Quantity in the unit of the rate, as the document shows it."""
    amount = quantity.amount
    if quantity.unit == "minutes":
        amount = amount / 60
    in_days = quantity.unit == "days"
    if hours_per_day is not None and in_days != (rate.per == "day"):
        amount = amount * hours_per_day if in_days else amount / hours_per_day
    if amount != amount.quantize(_SHOWN):
        amount = amount.quantize(_SHOWN, ROUND_HALF_UP)
    return amount, f"{rate.per}s"


def _in_minutes(quantity: Quantity) -> Quantity:
    if quantity.unit == "hours":
        return Quantity(amount=quantity.amount * 60, unit="minutes")
    return quantity


def _time(entry: Billable) -> Quantity:
    if entry.quantity is None:
        raise GroupingError(f"{entry.key}.quantity", "1 grouping", "is missing: only time is grouped by rate")
    return entry.quantity
