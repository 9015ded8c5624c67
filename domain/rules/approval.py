"""Approval of an invoice: what it binds to, when it is needed, and whether one given still holds.

Source: the firm's control rules: maker is not checker, a change after approval voids it. A limit is of an
entity's currency; where one is missing an approval is always needed.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from domain.base import Value
from domain.control import Approval
from domain.identity import content_hash
from domain.invoice_state import InvoiceFinding, PricedLine, TaxLine
from domain.money import Money
from domain.rules.fx import Converted, RateTable


class ApprovalNeed(Value):
    """Whether an invoice needs a second person, and the figures that say so."""

    needed: bool
    reason: str
    limit: Money | None = None
    compared: Converted | None = None
    """The invoice in the limit's currency, with the rate used."""


def lines_hash(lines: Sequence[PricedLine], taxes: Sequence[TaxLine] = ()) -> str:
    """SHA-256 of all that an approver sees: lines with what they cover, and taxes.

    The order of keys, of lines and of shares does not count, nor do zeros at the end of a number.
    """
    content = {
        "lines": sorted((_plain(line) for line in lines), key=_text),
        "taxes": sorted((_plain(tax) for tax in taxes), key=_text),
    }
    return content_hash(_text(content))


def approval_need(
    total: Money, limits: Mapping[str, Decimal], entity_currency: str, rates: RateTable, on: date
) -> ApprovalNeed:
    """Whether `total` is above the entity's limit: converted to its currency at the spot rate of `on`.

    A credit counts by its size. Raises `domain.rules.fx.NoRate` rather than to compare without a rate.
    """
    amount = limits.get(entity_currency)
    if amount is None:
        return ApprovalNeed(
            needed=True, reason=f"no limit is set in {entity_currency}: every invoice is approved"
        )
    limit = Money.of(amount, entity_currency)
    compared = rates.convert(total, entity_currency, on)
    size = abs(compared.amount.amount)
    needed = size > limit.amount
    what = f"{total}" if total.currency == entity_currency else f"{total} ({compared.amount})"
    reason = f"{what} is {'above' if needed else 'within'} the limit of {limit}"
    return ApprovalNeed(needed=needed, reason=reason, limit=limit, compared=compared)


def approval_findings(
    approval: Approval | None, need: ApprovalNeed, current_hash: str, prepared_by: str
) -> tuple[InvoiceFinding, ...]:
    """Why the invoice may not be posted yet; empty when it may."""
    if not need.needed:
        return ()
    if approval is None:
        return (_finding("missing", f"it waits for a second person: {need.reason}"),)
    findings = []
    if not approval.covers(current_hash):
        findings.append(
            _finding("void", f"it changed after {approval.approved_by} approved it: ask for a new approval")
        )
    if _same_person(approval.approved_by, prepared_by):
        findings.append(
            _finding("same_person", f"{prepared_by} prepared it and may not approve it: ask another person")
        )
    return tuple(findings)


def _same_person(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def _finding(rule: str, problem: str) -> InvoiceFinding:
    return InvoiceFinding(rule=f"approval.{rule}", field="approval", problem=problem)


def _plain(value: object) -> object:
    """Models as dicts, decimals as canonical text, sequences in an order of their own."""
    if isinstance(value, Value):
        return {name: _plain(each) for name, each in value}
    if isinstance(value, tuple | list):
        return sorted((_plain(each) for each in value), key=_text)
    if isinstance(value, Decimal):
        return f"{value.normalize() + 0:f}"
    return value


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
