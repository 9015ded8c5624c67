"""`[billing]`, `[fx]` and `[alerts]`: how the firm bills, where a contract is silent or differs.

What stands at a contract goes before what stands at its entity, and that before what stands for the firm.
Amounts stand at contracts only, in the contract's currency; limits per currency stand in `[limits]`.
"""

from datetime import date, timedelta
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from domain.base import Edge
from domain.money import Exact, Money, MoneyError
from firm.values import Code, Currency, Duration, Name

Percent = Annotated[Exact, Field(ge=0, le=100)]
Positive = Annotated[Exact, Field(gt=0)]
RatedBy = Literal["spot", "closing"]


class TermsSection(Edge):
    """`[billing.entities.<code>]`: terms in words and percent; None is said one level further out."""

    grouping: Literal["entry", "person", "role", "task"] | None = None
    cap_kind: Literal["hard", "soft"] | None = None
    retention_percent: Percent | None = None
    """Flat; tiers stand at a contract."""
    retention_release: Literal["final_account", "date", "event"] | None = None
    expense_markup_percent: Annotated[Exact, Field(ge=0, le=1000)] | None = None
    in_arrears: bool | None = None
    periods_from: Literal["start", "calendar"] | None = None
    tax_rounding: Literal["line", "group"] | None = None
    payment_terms: Name | None = None
    po_required: bool | None = None
    prebill: bool | None = None
    prebill_hours: int | None = Field(default=None, ge=0, le=24 * 90)
    hours_per_day: Annotated[Exact, Field(gt=0, le=24)] | None = None
    cycle_day: int | None = Field(default=None, ge=1, le=28)
    """Day of the month on which time is billed; every month has the 28th."""


class TierSection(Edge):
    """One tier of a retention: `percent` of what is billed up to `up_to` in all."""

    up_to: Positive | None = None
    percent: Percent


class ContractTermsSection(TermsSection):
    """`[billing.contracts."<number>"]`: what this contract says, its amounts in `currency`."""

    currency: Currency | None = None
    cap: Positive | None = None
    retention_tiers: tuple[TierSection, ...] | None = None
    retention_most: Positive | None = None
    """Held at most, in all."""
    retention_release_on: date | None = None
    advance: Positive | None = None
    expense_cap: Positive | None = None

    @model_validator(mode="after")
    def _sound(self) -> Self:
        for rule in (self._amounts, self._tiers, self._release):
            problem = rule()
            if problem:
                raise ValueError(problem)
        return self

    def amounts(self) -> dict[str, Any]:
        """Every amount stated here, by its key."""
        named = ("cap", "retention_most", "advance", "expense_cap")
        stated = {name: getattr(self, name) for name in named}
        for number, tier in enumerate(self.retention_tiers or ()):
            stated[f"retention_tiers[{number}].up_to"] = tier.up_to
        return {name: amount for name, amount in stated.items() if amount is not None}

    def _amounts(self) -> str:
        stated = self.amounts()
        if stated and self.currency is None:
            return f'states {", ".join(stated)} without a currency; add currency = "EUR" or what it is in'
        for name, amount in stated.items():
            try:
                Money.of(amount, self.currency or "")
            except MoneyError as error:
                return f"has a wrong {name}: {error}; correct the amount"
        return ""

    def _tiers(self) -> str:
        tiers = self.retention_tiers
        if tiers is None:
            return ""
        if self.retention_percent is not None:
            return "states retention_percent and retention_tiers; keep one of the two"
        ends = [tier.up_to for tier in tiers]
        if not tiers or ends[-1] is not None or None in ends[:-1]:
            return "has retention_tiers that do not cover every amount; leave up_to out of the last one alone"
        bounds = [end for end in ends if end is not None]
        if any(low >= high for low, high in pairwise(bounds)):
            return "has retention_tiers out of order; let each up_to be above the one before"
        return ""

    def _release(self) -> str:
        if (self.retention_release == "date") != (self.retention_release_on is not None):
            return 'names one of retention_release = "date" and retention_release_on; state both or neither'
        return ""


class EntityTermsSection(TermsSection):
    """A date of release is that of one contract."""

    retention_release: Literal["final_account", "event"] | None = None


class BillingSection(TermsSection):
    """`[billing]`: the firm's terms, then those of its entities and of single contracts."""

    retention_release: Literal["final_account", "event"] | None = None
    intake_poll_every: Duration = timedelta(minutes=15)
    """How often a PSA is asked for approved work that no event told of; zero for never."""
    intake_from: date | None = None
    """A PSA is read from what changed on this day (UTC) on, not from the beginning of its history."""
    expense_source: Name | None = None
    """System that owns expenses where that is not the PSA they are read from."""
    entities: dict[Code, EntityTermsSection] = {}
    contracts: dict[str, ContractTermsSection] = {}


class FxSection(Edge):
    """`[fx]`: where exchange rates come from, and how many days one stands for days without any.

    A contract rate stands until it is replaced, an average is that of its own month: neither grows old.
    """

    source: Name = "ECB euro reference rates"
    history: str | None = None
    """A newer history of the bank (its zip), beside the firm's file; else the one that is installed."""
    max_age_days: dict[RatedBy, Annotated[int, Field(ge=0, le=31)]] = {}


class AlertsSection(Edge):
    """`[alerts]`: thresholds in days, as `domain.policy.AlertThresholds` explains them."""

    unbilled_days: int = Field(default=30, ge=1, le=365)
    invoice_delay_days: int = Field(default=3, ge=0, le=365)
    late_approval_days: int = Field(default=5, ge=0, le=365)
    missed_event_days: int = Field(default=2, ge=0, le=365)
    late_approval_window_days: int = Field(default=7, ge=1, le=365)
    refused_days: int = Field(default=2, ge=0, le=365)
    stalled_days: int = Field(default=3, ge=1, le=365)
    quarter_end_stalled_days: int = Field(default=1, ge=1, le=365)
    waiting_event_days: int = Field(default=1, ge=0, le=365)
    escalation_days: int = Field(default=7, ge=1, le=365)
    watch_every: Duration = timedelta(hours=1)
    """How often all of it is looked at; zero for never."""
