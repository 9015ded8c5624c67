"""The ledger: cost, labour, revenue and the journals that carry them. `book` says for whom they are kept.

Group revenue is never copied into a local book; every schedule, balance and journal names its book.
"""

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Literal, Self

from pydantic import Field, model_validator

from domain.base import Canonical, Value
from domain.calendar import Period
from domain.invariants import distinct, sums_to
from domain.money import Exact, Money
from domain.selling import RevenueMethod

MIN_POOL = 5
"""People in a cost pool; below it a cost would show somebody's pay."""


class CostTransaction(Canonical):
    """One cost of a project, in the currency it arose in and in that of the entity that bears it."""

    id: str
    source: str
    kind: Literal["labour", "expense", "subcontract", "intercompany", "other"]
    period: Period
    entity: str
    project: str
    task: str
    transaction: Money
    functional: Money
    rate: Exact | None = Field(default=None, gt=0)
    """Rate used from transaction to functional currency; none where both are the same."""
    intercompany: str | None = None
    """Id that both sides of an intercompany pair share."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        same = self.transaction.currency == self.functional.currency
        if same and self.transaction != self.functional:
            raise ValueError(
                f"cost {self.id}: {self.transaction} and {self.functional} differ in one currency"
            )
        if same != (self.rate is None):
            raise ValueError(f"cost {self.id} needs a rate where its currencies differ, and only there")
        if (self.kind == "intercompany") != (self.intercompany is not None):
            raise ValueError(
                f"cost {self.id}: an intercompany cost, and no other, shares an id with its pair"
            )
        return self


class PayrollInput(Canonical):
    """Approved minutes of one worker for one pay period. Contingent workers are paid by invoice instead."""

    worker: str
    calendar: str
    pay_from: date
    pay_to: date
    pay_class: Literal["hourly", "overtime", "salaried"]
    """Salaried hours distribute labour only; the others are earnings."""
    minutes: int
    adjustment: bool = False
    """Belongs to an earlier, locked pay period."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.minutes < 0 and not self.adjustment:
            raise ValueError(f"payroll input of {self.worker}: only an adjustment may be negative")
        if self.pay_from > self.pay_to:
            raise ValueError(f"payroll input of {self.worker}: the pay period ends before it begins")
        return self


class PayrollCost(Canonical):
    """Posted labour cost of a pool (grade and entity), never of a person."""

    entity: str
    grade: str
    period: Period
    headcount: int
    hours: Exact = Field(gt=0)
    cost: Money

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.headcount < MIN_POOL:
            raise ValueError(
                f"the pool {self.entity}/{self.grade} has {self.headcount} people: "
                f"below {MIN_POOL} its cost is not shown; join it with another grade"
            )
        return self


class ScheduledRevenue(Value):
    period: Period
    amount: Money


class RevenueSchedule(Canonical):
    """When the price of a contract line becomes revenue, in one book."""

    contract: str
    line: int
    book: str = Field(min_length=1)
    method: RevenueMethod
    price: Money
    entries: tuple[ScheduledRevenue, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        what = f"revenue schedule of {self.contract}/{self.line}"
        sums_to(self.price, [entry.amount for entry in self.entries], what)
        periods = [entry.period for entry in self.entries]
        distinct(periods, f"{what}: period")
        if periods != sorted(periods, key=lambda period: (period.year, period.month)):
            raise ValueError(f"{what}: its periods are not in order")
        return self


class ContractBalance(Canonical):
    """Roll-forward of one contract in one book: above zero an asset, below zero a liability, never both."""

    contract: str
    book: str = Field(min_length=1)
    period: Period
    opening: Money
    earned: Money
    billed: Money
    adjusted: Money
    """Modification catch-up, write-offs, moves of retention, exchange differences, reclassification."""
    closing: Money

    @property
    def side(self) -> Literal["asset", "liability", "none"]:
        if self.closing.amount == 0:
            return "none"
        return "asset" if self.closing.amount > 0 else "liability"

    @model_validator(mode="after")
    def _sound(self) -> Self:
        moves = [self.opening, self.earned, -self.billed, self.adjusted]
        sums_to(self.closing, moves, f"opening and moves of {self.contract} in {self.period}")
        return self


class JournalLine(Value):
    """One side of a journal: `debit` or `credit`, above zero."""

    entity: str
    account: str
    """Account role, such as `contract_account`; the firm's file maps it to the chart of accounts."""
    debit: Money | None = None
    credit: Money | None = None
    project: str | None = None
    partner: str | None = None
    """The other entity of an intercompany posting."""

    @property
    def signed(self) -> Money:
        """Debit above zero, credit below."""
        if self.credit is not None:
            return -self.credit
        assert self.debit is not None  # noqa: S101  the validator leaves exactly one of them
        return self.debit

    @model_validator(mode="after")
    def _sound(self) -> Self:
        given = [side for side in (self.debit, self.credit) if side is not None]
        if len(given) != 1 or given[0].amount <= 0:
            raise ValueError(f"a line on {self.account} needs either a debit or a credit above zero")
        return self


class JournalEntry(Canonical):
    """A posting in one book. It balances in every entity and currency it touches."""

    id: str
    book: str = Field(min_length=1)
    period: Period
    posted_on: date
    text: str
    lines: tuple[JournalLine, ...] = Field(min_length=2)
    reverses: str | None = None

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if not self.period.contains(self.posted_on):
            raise ValueError(f"journal {self.id} is posted on {self.posted_on}, outside {self.period}")
        balances: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for line in self.lines:
            balances[line.entity, line.signed.currency] += line.signed.amount
        for (entity, currency), difference in sorted(balances.items()):
            if difference:
                raise ValueError(
                    f"journal {self.id} does not balance in {entity}: debit less credit is "
                    f"{Money.of(difference, currency)}"
                )
        return self
