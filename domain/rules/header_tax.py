"""Tax of a whole invoice: rounded per line or per rate group, shared back to the lines, shown by code.

Source: rule 1 (header tax); directive 2006/112/EC leaves the method to the members. Which one
applies is set by law and ERP: three lines of 0.33 at 20% are 0.21 per line and 0.20 per group.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Literal

from domain.base import Value
from domain.books import TaxComponent, TaxDecision
from domain.invoice_state import TaxLine
from domain.money import Money, total
from domain.rules.errors import RuleError
from domain.rules.shares import share_out

Rounding = Literal["line", "group"]


class TaxableLine(Value):
    """What one line is taxed by. Negative for retention, an applied advance, a reversal."""

    ref: str
    net: Money
    decision: TaxDecision


class LineTax(Value):
    ref: str
    net: Money
    tax: Money


class HeaderTax(Value):
    """Net and tax of an invoice; `gross` is their sum, and the lines sum to both."""

    lines: tuple[LineTax, ...]
    taxes: tuple[TaxLine, ...]
    """One for each code, in order of first use."""
    components: tuple[TaxLine, ...] = ()
    """What the law wants shown apart, such as CGST and SGST; they sum to their codes."""
    net: Money
    tax: Money
    gross: Money


def header_tax(lines: Sequence[TaxableLine], currency: str, rounding: Rounding) -> HeaderTax:
    """Tax of `lines`, all in `currency`.

    A code made of components is the sum of its components, each rounded by itself, as they stand on the
    invoice. Raises `RuleError` for a code with two rates, and `MoneyError` for a line in another currency.
    """
    taxes: list[TaxLine] = []
    components: list[TaxLine] = []
    by_line = [Money.zero(currency)] * len(lines)
    for code in dict.fromkeys(line.decision.code for line in lines):
        positions = [n for n, line in enumerate(lines) if line.decision.code == code]
        decision = _one_decision([lines[n].decision for n in positions])
        nets = [lines[n].net for n in positions]
        shares, parts = _of_code(decision, nets, currency, rounding)
        for n, share in zip(positions, shares, strict=True):
            by_line[n] = share
        taxes.append(_tax_line(code, decision.rate_percent, nets, total(shares, currency), decision.words))
        components += parts if decision.components else []
    net, tax = total([line.net for line in lines], currency), total(by_line, currency)
    taxed = zip(lines, by_line, strict=True)
    return HeaderTax(
        lines=tuple(LineTax(ref=line.ref, net=line.net, tax=share) for line, share in taxed),
        taxes=tuple(taxes),
        components=tuple(components),
        net=net,
        tax=tax,
        gross=net + tax,
    )


def _of_code(
    decision: TaxDecision, nets: Sequence[Money], currency: str, rounding: Rounding
) -> tuple[list[Money], list[TaxLine]]:
    """Tax of each line under one code, and of each component over all of them."""
    shares = [Money.zero(currency)] * len(nets)
    parts: list[TaxLine] = []
    for part in decision.components or (_whole(decision),):
        of_part = _rounded(nets, part.rate_percent, currency, rounding)
        shares = [share + more for share, more in zip(shares, of_part, strict=True)]
        parts.append(_tax_line(part.code, part.rate_percent, nets, total(of_part, currency), ""))
    return shares, parts


def _rounded(nets: Sequence[Money], percent: Decimal, currency: str, rounding: Rounding) -> list[Money]:
    """Tax of each line: rounded by itself, or its share of the group's."""
    if rounding == "line":
        return [net.times(percent / 100) for net in nets]
    group = total(nets, currency).times(percent / 100)
    return share_out(group, [net.amount * percent / 100 for net in nets])


def _one_decision(decisions: Iterable[TaxDecision]) -> TaxDecision:
    first, *others = decisions
    for other in others:
        if (other.rate_percent, other.components) != (first.rate_percent, first.components):
            raise RuleError(
                "tax.code",
                "14 tax",
                f"the code {first.code} is charged with {first.rate_percent}% and {other.rate_percent}% on "
                "one invoice: a code has one rate, bill the days before and after the change apart",
            )
    return first


def _whole(decision: TaxDecision) -> TaxComponent:
    return TaxComponent(code=decision.code, rate_percent=decision.rate_percent)


def _tax_line(code: str, percent: Decimal, nets: Sequence[Money], tax: Money, words: str) -> TaxLine:
    base = total(nets, tax.currency)
    return TaxLine(code=code, rate_percent=percent, base=base, tax=tax, words=words)
