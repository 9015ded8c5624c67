"""Invoice lines cut to what the caps leave: the shares above stay out, flagged, and wait.

Source: rule 7. A line that is cut loses quantity and unit price, since they no longer multiply to its net;
a line of which nothing is left is not on the invoice.
"""

from collections.abc import Mapping, Sequence

from domain.base import Value
from domain.billable import Billable
from domain.invoice_state import InvoiceFinding, LineShare, PricedLine
from domain.money import Money, total
from domain.project_contract import CapTerm
from domain.rules.caps import CapItem, CapResult, apply_caps
from domain.rules.errors import RuleError


class LinesError(RuleError):
    """Lines whose shares are not of known entries."""


class CappedLines(Value):
    lines: tuple[PricedLine, ...] = ()
    above: tuple[LineShare, ...] = ()
    """What is kept out, by entry: with what is billed it sums to the full price."""
    findings: tuple[InvoiceFinding, ...] = ()


def cut_lines(
    lines: Sequence[PricedLine],
    entries: Sequence[Billable],
    caps: Sequence[CapTerm],
    used: Mapping[str, Money] | None = None,
) -> CappedLines:
    """`lines` within `caps`; every share is of one of `entries`. Raises `LinesError`, `CapError`."""
    known = {entry.key: entry for entry in entries}
    result = apply_caps([_item(share, known) for line in lines for share in line.shares], caps, used)
    bills = {item.key: item.bill for item in result.items}
    kept = [cut for line in lines if (cut := _cut(line, bills)) is not None]
    return CappedLines(lines=tuple(kept), above=_above(result), findings=result.findings)


def _item(share: LineShare, known: Mapping[str, Billable]) -> CapItem:
    entry = known.get(share.key)
    if entry is None:
        raise LinesError(f"shares.{share.key}", "7 caps", "is of no entry given: add the entry", share.net)
    return CapItem(
        key=share.key,
        work_date=entry.work_date,
        line=entry.line,
        task_ref=entry.task_ref,
        resource=entry.resource,
        net=share.net,
    )


def _cut(line: PricedLine, bills: Mapping[str, Money]) -> PricedLine | None:
    shares = [LineShare(key=share.key, net=bills[share.key]) for share in line.shares]
    if tuple(shares) == line.shares:
        return line
    left = tuple(share for share in shares if share.net.amount)
    if not left:
        return None
    net = total([share.net for share in left], line.line.net.currency)
    description = f"{line.line.description} (up to the agreed cap)"
    draft = line.line.with_changes(net=net, quantity=None, unit="", unit_price=None, description=description)
    return PricedLine(line=draft, shares=left)


def _above(result: CapResult) -> tuple[LineShare, ...]:
    return tuple(LineShare(key=item.key, net=item.above) for item in result.items if item.above.amount)
