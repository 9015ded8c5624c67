"""What approved work is worth at its contract's price, before write-downs, caps of the contract and tax.

Source: rules 1, 12 and 20 of `docs/rules.md`. The values are shares of the lines that an invoice of just this
work would have, so they sum to those lines to the cent. Work without a rate has no value, never a default.
"""

from collections.abc import Iterable, Mapping, Sequence

from domain.base import Value
from domain.billable import Billable
from domain.invoice_state import InvoiceFinding
from domain.money import Money, total
from domain.project_contract import ProjectContract
from domain.rules.expense_lines import expense_lines
from domain.rules.grouping import time_lines
from domain.rules.pricing import Rate, rate_entries
from domain.selling import RateCard


class ValuedWork(Value):
    """Entries with a value, by key; of the others a finding says what is missing."""

    values: dict[str, Money] = {}
    """Before write-downs and write-ups."""
    rates: dict[str, Rate] = {}
    """Of time."""
    findings: tuple[InvoiceFinding, ...] = ()

    def sum_of(self, entries: Iterable[Billable], currency: str) -> Money:
        """What `entries` would be billed at, write-downs and write-ups included; those without value are
        left out."""
        return total([worth for entry in entries if (worth := self.worth(entry)) is not None], currency)

    def worth(self, entry: Billable) -> Money | None:
        """The value of one entry with its adjustment; none without a rate."""
        value = self.values.get(entry.key)
        if value is None or entry.adjustment is None:
            return value
        return value + entry.adjustment.amount

    def without_value(self, entries: Iterable[Billable]) -> list[str]:
        return [entry.key for entry in entries if entry.key not in self.values]


def value_work(
    entries: Sequence[Billable],
    contract: ProjectContract,
    cards: Sequence[RateCard],
    rebilled_before: Money | None = None,
) -> ValuedWork:
    """Value the billable `entries` of one contract. `rebilled_before` counts against the expense cap.

    Raises `RuleError` for work that has no right answer, such as an expense in another currency.
    """
    rated = rate_entries(entries, contract, cards)
    before = rebilled_before or Money.zero(contract.currency)
    spent = expense_lines(entries, contract, before)
    values = {
        share.key: share.net
        for line in (*time_lines(rated.entries, contract), *spent.lines)
        for share in line.shares
    }
    nothing = Money.zero(contract.currency)
    for entry in entries:
        if entry.kind == "expense" and entry.billable:
            values.setdefault(entry.key, nothing)  # a per diem or the expense cap leaves nothing of it
    return ValuedWork(
        values=values,
        rates={each.entry.key: each.rate for each in rated.entries},
        findings=(*rated.findings, *spent.findings),
    )


def by_line(entries: Iterable[Billable]) -> Mapping[int, list[Billable]]:
    """Entries by the number of their contract line, both in order."""
    lines: dict[int, list[Billable]] = {}
    for entry in sorted(entries, key=lambda e: (e.line, e.work_date, e.key)):
        lines.setdefault(entry.line, []).append(entry)
    return lines
