"""What of a contract falls due by the calendar: cycles of time, subscription periods, advance, retention.

Days are those of the billing entity. Milestones are not here: they fall due when they are accepted, and
percent-complete lines when progress is agreed. Only lines that Fairlead bills count; what a PSA or an ERP
bills falls due there. Pure: the same contract and the same kept events give the same events.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain.calendar import Period
from domain.invoice_state import BillingEventRow, EventKind
from domain.money import Money, total
from domain.project_contract import ProjectContract
from domain.rules.errors import RuleError
from domain.rules.proration import Span, prorate
from domain.rules.subscription import SubscriptionPeriod, subscription_periods
from domain.selling import Authority, BillingMethod, ContractLine

WHOLE_CONTRACT = 0
"""Contract line of events that concern the contract as a whole: time cycles, advance, retention."""
ADVANCE = "advance"
RETENTION = "retention"
FINAL = "final"
"""Occasions that come once."""
_DAY = timedelta(days=1)


class Overbilled(RuleError):
    """More of a line is billed than it costs by now: to be credited, not to be billed."""


def due_events(
    contract: ProjectContract,
    after: date | None,
    until: date,
    kept: Sequence[BillingEventRow] = (),
    *,
    late_work: bool = False,
) -> list[BillingEventRow]:
    """Events due after `after` and on or before `until`, in the order they are billed.

    `kept` are the project's events so far: a kept one is given back as it stands, a void one (a cycle that
    nothing was billed of) is not due again, and a subscription whose price a signed change has altered bills
    what its kept periods leave. With `late_work` the months after
    the last cycle are cycles too, for time that was approved late. Raises `RuleError` naming line and field.
    """
    known = {(event.line, event.occasion): event for event in kept if not event.void}
    void = {(event.line, event.occasion) for event in kept} - set(known)
    found = [
        known.get((event.line, event.occasion), event)
        for event in _planned(contract, until, list(known.values()), late_work)
        if (after is None or after < event.due_on) and event.due_on <= until
        if (event.line, event.occasion) not in void
    ]
    return sorted(found, key=lambda event: (event.due_on, event.key))


def next_due(contract: ProjectContract, after: date) -> date:
    """The next day to look again: something falls due, or a month has ended. Always after `after`."""
    days = [event.due_on for event in _planned(contract, after, [], late_work=False)]
    release = contract.terms.retention.release_on if contract.terms.retention.release == "date" else None
    later = [day for day in [*days, release] if day is not None and day > after]
    return min([*later, Period.of(after).next.first])


def final_events(
    contract: ProjectContract, on: date, kept: Sequence[BillingEventRow], *, open_work: bool
) -> list[BillingEventRow]:
    """What the final account of day `on` bills beside what is due by then: the last cycle, if work is open,
    and the begun part of subscription periods in arrears, by their days."""
    known = {(event.line, event.occasion): event for event in kept if not event.void}
    found: list[BillingEventRow] = []
    span = _cycle_span(contract)
    if span is not None and (open_work or (WHOLE_CONTRACT, FINAL) in known):
        void = sum(1 for event in kept if event.occasion == FINAL and event.void)
        first = min(span.first, on)
        found.append(_event(contract, WHOLE_CONTRACT, "time", FINAL, None, on, first, on, revision=1 + void))
    if contract.terms.in_arrears:
        void_keys = {event.key for event in kept if event.void}
        begun = [event for line in _lines(contract, _SUBSCRIPTION) for event in _begun(contract, line, on)]
        found += [event for event in begun if event.key not in void_keys]
    return [known.get((event.line, event.occasion), event) for event in found]


def interim_event(
    contract: ProjectContract, until: date, on: date, kept: Sequence[BillingEventRow]
) -> BillingEventRow | None:
    """Work up to `until` billed on day `on`, before its cycle ends; None where no line bills time.

    Asked again for the same day it is another revision, once the first is on an invoice.
    """
    span = _cycle_span(contract)
    if span is None:
        return None
    mine = [event for event in kept if (event.line, event.occasion) == (WHOLE_CONTRACT, until.isoformat())]
    waiting = next((event for event in mine if not event.void and not event.invoice), None)
    if waiting is not None:
        return waiting
    first = min(max(Period.of(until).first, span.first), until)
    return _event(
        contract, WHOLE_CONTRACT, "time", until.isoformat(), None, on, first, until, revision=len(mine) + 1
    )


def retention_release(
    contract: ProjectContract, amount: Money, on: date, kept: Sequence[BillingEventRow]
) -> BillingEventRow:
    """The release of `amount` held back, as an event of its own; a kept one that is not billed stands."""
    mine = [event for event in kept if (event.line, event.occasion) == (WHOLE_CONTRACT, RETENTION)]
    waiting = next((event for event in mine if not event.void and not event.invoice), None)
    if waiting is not None:
        return waiting
    first = min(contract.starts_on, on)
    kind: EventKind = "retention_release"
    return _event(contract, WHOLE_CONTRACT, kind, RETENTION, amount, on, first, on, revision=len(mine) + 1)


def retention_due(contract: ProjectContract, on: date) -> bool:
    """Whether retention is released by a date that has come."""
    terms = contract.terms.retention
    return bool(
        terms.tiers and terms.release == "date" and terms.release_on is not None and terms.release_on <= on
    )


def billed_by(contract: ProjectContract, authority: Authority) -> list[ContractLine]:
    """The lines of which `authority` makes the bills."""
    return [line for line in contract.lines if line.billing_authority == authority]


def instant_of(day: date, time_zone: str) -> datetime:
    """When `day` begins where the billing entity is, in UTC."""
    return datetime.combine(day, time.min, ZoneInfo(time_zone)).astimezone(UTC)


# -- what falls due -----------------------------------------------------------------------------------

_TIME = BillingMethod.TIME_AND_MATERIALS
_SUBSCRIPTION = BillingMethod.SUBSCRIPTION


def _planned(
    contract: ProjectContract, until: date, kept: Sequence[BillingEventRow], late_work: bool
) -> Iterator[BillingEventRow]:
    yield from _advance(contract)
    yield from _cycles(contract, until if late_work else None)
    for line in _lines(contract, _SUBSCRIPTION):
        yield from _periods(contract, line, kept)


def _advance(contract: ProjectContract) -> Iterator[BillingEventRow]:
    amount = contract.terms.advance
    if amount is not None and amount.amount > 0 and billed_by(contract, "fairlead"):
        start, end = contract.starts_on, contract.ends_on
        yield _event(contract, WHOLE_CONTRACT, "advance", ADVANCE, amount, start, start, max(start, end))


def _cycles(contract: ProjectContract, late_until: date | None) -> Iterator[BillingEventRow]:
    """One event per calendar month for all lines billed by time, due on the day after its last day."""
    span = _cycle_span(contract)
    if span is None:
        return
    period, last = Period.of(span.first), Period.of(span.last)
    while period <= last or (late_until is not None and period.last < late_until):
        regular = period <= last
        first = max(period.first, span.first)
        end = min(period.last, span.last) if regular else period.last
        occasion = str(period)
        yield _event(contract, WHOLE_CONTRACT, "time", occasion, None, end + _DAY, first, end)
        period = period.next


def _cycle_span(contract: ProjectContract) -> Span | None:
    """First to last day on which lines billed by time run; None without such lines."""
    lines = _lines(contract, _TIME)
    if not lines:
        return None
    first = min(line.starts_on or contract.starts_on for line in lines)
    last = max(line.ends_on or contract.ends_on for line in lines)
    return Span(first=first, last=max(first, last))


def _periods(
    contract: ProjectContract, line: ContractLine, kept: Sequence[BillingEventRow]
) -> Iterator[BillingEventRow]:
    for period in _priced_periods(contract, line, kept):
        yield _event(
            contract,
            line.number,
            "subscription",
            period.occasion,
            period.amount,
            period.due_on,
            period.span.first,
            period.span.last,
        )


def _priced_periods(
    contract: ProjectContract, line: ContractLine, kept: Sequence[BillingEventRow]
) -> list[SubscriptionPeriod]:
    """The periods of `line`. Where kept ones cost something else, they stand, and the others share the rest
    of the line's amount in their proportion, so that the line is still billed exactly."""
    periods = list(subscription_periods(line, contract))
    billed = {event.occasion: event.amount for event in kept if event.line == line.number and event.amount}
    changed = any(billed.get(period.occasion, period.amount) != period.amount for period in periods) or bool(
        set(billed) - {period.occasion for period in periods}
    )
    if not changed or line.amount is None:
        return periods
    rest = line.amount - total(list(billed.values()), contract.currency)
    if rest.amount < 0:
        raise Overbilled(
            line.path("amount"),
            "6 modification",
            f"{line.name} costs {line.amount} by now and {line.amount - rest} of it is billed: credit it",
            -rest,
        )
    open_ones = [period for period in periods if period.occasion not in billed]
    weights = [period.amount.amount for period in open_ones]
    if not open_ones or not sum(weights):
        return periods
    shares = dict(
        zip([period.occasion for period in open_ones], rest.allocate(weights), strict=True),
    )
    return [period.with_changes(amount=shares.get(period.occasion, period.amount)) for period in periods]


def _begun(contract: ProjectContract, line: ContractLine, on: date) -> Iterator[BillingEventRow]:
    """The period of `line` that runs on day `on` and is not due yet, by its days."""
    for period in subscription_periods(line, contract):
        if period.span.first <= on < period.due_on:
            used = Span(first=period.span.first, last=min(on, period.span.last))
            yield _event(
                contract,
                line.number,
                "subscription",
                period.occasion,
                prorate(period.amount, used, period.span),
                on,
                used.first,
                used.last,
            )


def _lines(contract: ProjectContract, method: BillingMethod) -> list[ContractLine]:
    return [line for line in billed_by(contract, "fairlead") if line.billing_method is method]


def _event(
    contract: ProjectContract,
    line: int,
    kind: EventKind,
    occasion: str,
    amount: Money | None,
    due_on: date,
    first: date,
    last: date,
    *,
    revision: int = 1,
) -> BillingEventRow:
    return BillingEventRow(
        key=f"{contract.project}/{line}/{occasion}/{revision}",
        project=contract.project,
        line=line,
        kind=kind,
        occasion=occasion,
        revision=revision,
        amount=amount,
        due_on=due_on,
        service_from=first,
        service_to=last,
    )
