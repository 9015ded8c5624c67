"""What falls due without work behind it becomes lines: milestones, periods, advances, the PSA's bill."""

from collections.abc import Sequence

from domain.billing_commands import DraftLine, LineKind
from domain.intake import PsaInvoice
from domain.invoice_state import BillingEventRow, InvoiceFinding, LineShare, PricedLine
from domain.money import Money, total
from domain.project_contract import ProjectContract
from domain.rules.errors import RuleError

NO_REVENUE: tuple[LineKind, ...] = ("advance", "retention_release", "retention", "advance_applied")
"""Lines that bill no value of their own: a liability, and what was billed before."""
_KIND_OF: dict[str, LineKind] = {
    "milestone": "milestone",
    "subscription": "subscription",
    "percent": "percent",
    "advance": "advance",
    "retention_release": "retention_release",
    "above_cap": "time",
}
_OF_EXPENSE = ":expense:"


def fixed_events(events: Sequence[BillingEventRow]) -> list[BillingEventRow]:
    """Those with an amount of their own, in the order in which they fall due."""
    fixed = [event for event in events if event.amount is not None and event.kind in _KIND_OF]
    return sorted(fixed, key=lambda event: (event.due_on, event.key))


def sum_of(events: Sequence[BillingEventRow], contract: ProjectContract) -> Money:
    return total([event.amount for event in events if event.amount], contract.currency)


def revenue_events(events: Sequence[BillingEventRow]) -> list[BillingEventRow]:
    """Those that use up caps."""
    return [event for event in events if event.amount and event.kind not in NO_REVENUE]


def event_line(event: BillingEventRow, contract: ProjectContract) -> PricedLine:
    """One line for `event`. Raises `RuleError` for an event without an amount."""
    if event.amount is None:
        raise RuleError(f"events.{event.key}", "3 milestones", "has no amount: only work is priced later")
    named = next((line.name for line in contract.lines if line.number == event.line), contract.title)
    said = {
        "milestone": f"{named}, accepted: {event.evidence}" if event.evidence else named,
        "subscription": f"{named}, {event.service_from} to {event.service_to}",
        "advance": f"Advance payment, contract {contract.number}",
        "retention_release": f"Release of retention, contract {contract.number}",
        "above_cap": f"{named}, within the raised cap",
    }
    draft = DraftLine(
        ref=event.key,
        kind=_kind(event),
        description=said.get(event.kind, f"{named}, {event.occasion}"),
        net=event.amount,
        contract_line=event.line,
    )
    cost = _before_markup(event.amount, contract) if draft.kind == "expense" else None
    return PricedLine(line=draft, shares=(LineShare(key=event.key, net=event.amount),), before_markup=cost)


def over_contract_cap(
    contract: ProjectContract, billed: Money, events: Sequence[BillingEventRow]
) -> list[InvoiceFinding]:
    """A fixed amount is never cut by itself: above the cap it needs a changed contract."""
    cap, mine = contract.terms.cap, sum_of(revenue_events(events), contract)
    if cap is None or contract.terms.cap_kind == "soft" or mine.amount <= 0 or billed + mine <= cap:
        return []
    over = billed + mine - cap
    return [
        InvoiceFinding(
            rule="cap.hard",
            field="terms.cap",
            problem=f"{mine} fall due, {billed} of the cap of {cap} are billed: {over} too much; "
            "raise the cap by a signed change, or void the event",
            amount=over,
            keys=tuple(event.key for event in events),
        )
    ]


def psa_lines(
    document: PsaInvoice, event: BillingEventRow, contract: ProjectContract, billed: Money
) -> tuple[list[PricedLine], list[InvoiceFinding]]:
    """The PSA's prices stand; the cap is checked by us, and that its lines are what was released."""
    lines = [
        PricedLine(
            line=DraftLine(
                ref=part.ref,
                kind="adjustment" if part.kind == "other" else part.kind,
                description=part.description,
                net=part.net,
                contract_line=event.line,
            ),
            shares=(LineShare(key=event.key, net=part.net),),
        )
        for part in document.lines
    ]
    findings = over_contract_cap(contract, billed, [event.with_changes(amount=document.net)])
    return lines, [*findings, *_other_amount(document, event)]


def _other_amount(document: PsaInvoice, event: BillingEventRow) -> list[InvoiceFinding]:
    """The document may have changed since it was released to us, or not add up."""
    summed = total([part.net for part in document.lines], document.currency)
    name = document.number or document.external_id
    problems = []
    if summed != document.net:
        problems.append(("psa.sum", f"its lines sum to {summed}, it is over {document.net}", summed))
    if event.amount is not None and event.amount != document.net:
        what = f"it was released over {event.amount} and is over {document.net} by now"
        problems.append(("psa.changed", what, document.net))
    return [
        InvoiceFinding(
            rule=rule,
            field="psa_invoice",
            problem=f"invoice {name} of the PSA: {what}; correct it there, then retry",
            amount=amount,
            owner="delivery_operations",
            keys=(event.key,),
        )
        for rule, what, amount in problems
    ]


def _kind(event: BillingEventRow) -> LineKind:
    """What a cap kept back of an expense is an expense still; its key says what it is."""
    if event.kind == "above_cap" and _OF_EXPENSE in event.evidence:
        return "expense"
    return _KIND_OF[event.kind]


def _before_markup(net: Money, contract: ProjectContract) -> Money:
    factor = (100 + contract.terms.expense_markup_percent) / 100
    return Money.rounded(net.amount / factor, net.currency) if factor else Money.zero(net.currency)
