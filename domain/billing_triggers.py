"""From what others tell to a billing event: an accepted milestone, agreed progress, an invoice of the PSA.

Nothing is billed twice or on a word that does not fit: the same again is the same event, other content under
the same name is an exception that shows both amounts, and what the contract does not know is named. Pure.
"""

from collections.abc import Sequence
from datetime import date

from domain.base import Value
from domain.billing_calendar import WHOLE_CONTRACT, billed_by
from domain.billing_events import MilestoneAccepted, ProgressReported
from domain.intake import PsaInvoice
from domain.invoice_state import BillingEventRow, EventKind
from domain.money import Money, MoneyError, total
from domain.project_contract import ProjectContract
from domain.readiness import OwnerGroup
from domain.rules.errors import RuleError
from domain.rules.percent import percent_bill
from domain.selling import BillingMethod, ContractLine


class BillingProblem(Value):
    """What a person has to decide before it can be billed. `step` is stable: told again, it is one."""

    step: str
    headline: str
    detail: str
    amount: str = ""
    owner: OwnerGroup = OwnerGroup.FINANCE_SYSTEMS


class Verdict(Value):
    """What is told becomes an event, a problem, or nothing; then `note` says why."""

    event: BillingEventRow | None = None
    problem: BillingProblem | None = None
    note: str = ""
    heals: str = ""
    """Step of the problem that this settles."""
    void: str = ""
    """Key of an event that is not billed any more."""


def milestone_verdict(
    contract: ProjectContract, told: MilestoneAccepted, kept: Sequence[BillingEventRow], today: date
) -> Verdict:
    """Billable on stored acceptance (document, by, date), not on a project manager's tick. Source: rule 3."""
    step, ref = f"milestone.{told.milestone}", told.milestone
    line = _line(contract, ref, BillingMethod.MILESTONE)
    if line is None:
        known = ", ".join(str(one.number) for one in contract.lines if one.billing_method == "milestone")
        return _refused(
            step,
            f"Milestone {ref} is not in the contract",
            f"it was reported as accepted, but contract {contract.number}, revision {contract.revision}, has "
            f"{f'the milestones {known}' if known else 'no milestones'}: correct the reference at its "
            "source, or have the change of contract signed",
            told.amount,
        )
    name = f"Milestone {ref} {line.name}"
    lacking = _lacking_acceptance(told, today)
    if lacking:
        return _refused(step, f"{name} is not accepted", f"{lacking}; nothing is billed", line.amount)
    if line.billing_authority != "fairlead":
        return Verdict(note=f"{name} is billed by the {line.billing_authority}", heals=step)
    assert told.accepted_on is not None  # noqa: S101  looked at with the document
    stated = _stated(told, contract)
    if isinstance(stated, str):
        return _refused(step, f"{name} was accepted with an amount that is none", stated, line.amount)
    event = _event(contract, line, "milestone", ref, line.amount, told.accepted_on, told.revision)
    event = event.with_changes(
        evidence=f"{told.document}, by {told.accepted_by} on {told.accepted_on.isoformat()}"
    )
    return _judged(step, name, event, stated, kept)


def progress_verdict(
    contract: ProjectContract, told: ProgressReported, kept: Sequence[BillingEventRow], today: date
) -> Verdict:
    """What agreed progress allows to be billed to date, less what was billed before. Source: rules 2, 3."""
    step = f"progress.{told.line}.{told.period}"
    line = _line(contract, told.line, BillingMethod.PERCENT_COMPLETE)
    if line is None or line.amount is None:
        return _refused(
            step,
            f"Line {told.line} is not billed by progress",
            f"progress of {told.percent}% was reported for {told.period}, but contract {contract.number} "
            "has no such line: correct the line at its source",
        )
    name = f"Progress of line {line.number} {line.name} for {told.period}"
    if line.billing_authority != "fairlead":
        return Verdict(note=f"{name} is billed by the {line.billing_authority}", heals=step)
    if not (told.document and told.agreed_by):
        return _refused(
            step, f"{name} is not agreed", "it names no document, or nobody who agreed; nothing is billed"
        )
    try:
        bill = percent_bill(line.amount, told.percent, _billed_before(contract, line, told.period, kept))
    except RuleError as error:
        return _refused(step, f"{name} cannot be billed", str(error))
    finding = bill.finding(line.number)
    if finding is not None:
        return _refused(
            step, f"{name} has fallen back", finding.problem, bill.to_credit, OwnerGroup.DELIVERY_OPERATIONS
        )
    event = _event(contract, line, "percent", told.period, bill.due, today, told.revision)
    event = event.with_changes(evidence=f"{told.percent}%, {told.document}, by {told.agreed_by}")
    if not bill.due.amount and not _named(event, kept):
        return Verdict(note=f"{name} adds nothing to what is billed", heals=step)
    return _judged(step, name, event, None, kept)


def psa_verdict(
    contract: ProjectContract, released: PsaInvoice | None, invoice: str, kept: Sequence[BillingEventRow]
) -> Verdict:
    """An invoice the PSA released becomes exactly one event; its evidence is the PSA's id. Our own never."""
    step = f"psa.{invoice}"
    if released is None:
        return _refused(
            step,
            f"Invoice {invoice} of the PSA cannot be found",
            f"it was told as released for project {contract.project}, but the PSA does not show it there",
        )
    name = f"Invoice {released.number or released.external_id} of the PSA"
    if released.ours:
        return Verdict(note=f"{name} tells what we have billed", heals=step)
    mine = [one for one in kept if (one.line, one.occasion) == (WHOLE_CONTRACT, _occasion(released))]
    if released.state == "cancelled":
        return _cancelled(step, name, mine)
    if released.state == "draft":
        return Verdict(note=f"{name} is not released")
    refused = _not_to_bill(contract, released, step, name)
    if refused is not None:
        return refused
    # Cancelled and released again is another revision: what is void stays void.
    revision = 1 + sum(1 for one in mine if one.void)
    return _judged(step, name, _released_event(contract, released, revision), None, kept)


# -- inside -------------------------------------------------------------------------------------------


def _not_to_bill(contract: ProjectContract, released: PsaInvoice, step: str, name: str) -> Verdict | None:
    """Why the PSA's invoice cannot become one of the ERP; None when it can."""
    if not billed_by(contract, "psa"):
        return _refused(
            step,
            f"{name} is for lines the PSA does not bill",
            f"no line of contract {contract.number} is billed by the PSA: two would bill the same; cancel "
            "the invoice there, or change who bills the line by a signed change",
            released.net,
        )
    if released.currency != contract.currency or released.net.amount <= 0:
        return _refused(
            step,
            f"{name} cannot become an invoice",
            f"it is over {released.net}; the contract is in {contract.currency}, and an invoice is above "
            "zero: correct it in the PSA",
            released.net,
        )
    return None


def _released_event(contract: ProjectContract, released: PsaInvoice, revision: int) -> BillingEventRow:
    return BillingEventRow(
        key=f"{contract.project}/{WHOLE_CONTRACT}/{_occasion(released)}/{revision}",
        revision=revision,
        project=contract.project,
        line=WHOLE_CONTRACT,
        kind="psa",
        occasion=_occasion(released),
        amount=released.net,
        due_on=released.dated,
        service_from=min(contract.starts_on, released.dated),
        service_to=released.dated,
        evidence=released.external_id,
    )


def _judged(
    step: str, name: str, event: BillingEventRow, stated: Money | None, kept: Sequence[BillingEventRow]
) -> Verdict:
    """A new event, the same as before, or two words about one thing."""
    before = _named(event, kept)
    amount = before.amount if before else event.amount
    if stated is not None and stated != amount:
        which = "kept and may be billed with" if before else "in the contract with"
        return _refused(
            step,
            f"{name} was told with another amount",
            f"it was told with {stated}, and is {which} {amount}: nothing was changed; correct the source, "
            "or have the change of contract signed",
            stated,
        )
    if before is None and any(one.key == event.key for one in kept):
        return Verdict(note=f"{name} is void: it is billed under a new revision only", heals=step)
    if before is None:
        return Verdict(event=event, heals=step)
    if before.amount != event.amount or before.revision != event.revision:
        return _refused(
            step,
            f"{name} was told again and differs",
            f"it is kept as revision {before.revision} over {before.amount}, and was told as revision "
            f"{event.revision} over {event.amount}: the first stands; credit and rebill if the second holds",
            event.amount,
        )
    if before.invoice:
        return Verdict(note=f"{name} is on invoice {before.invoice}", heals=step)
    return Verdict(event=before, heals=step)


def _cancelled(step: str, name: str, mine: Sequence[BillingEventRow]) -> Verdict:
    live = [event for event in mine if not event.void]
    if not live:
        return Verdict(note=f"{name} was cancelled before it was billed", heals=step)
    (event,) = live
    if not event.invoice:
        return Verdict(note=f"{name} was cancelled", void=event.key, heals=step)
    return _refused(
        step,
        f"{name} was cancelled after it was billed",
        f"{event.amount} of it is on invoice {event.invoice}: credit that, or release it again in the PSA",
        event.amount,
    )


def _lacking_acceptance(told: MilestoneAccepted, today: date) -> str:
    """What of document, person and day the acceptance lacks, in words; empty when it is whole."""
    lacking = [
        what
        for what, there in (
            ("the document", told.document),
            ("who accepted", told.accepted_by),
            ("the day", told.accepted_on),
        )
        if not there
    ]
    if lacking:
        return f"its acceptance lacks {' and '.join(lacking)}"
    if told.accepted_on is not None and told.accepted_on > today:
        return f"its acceptance is dated {told.accepted_on}, which has not come"
    return ""


def _stated(told: MilestoneAccepted, contract: ProjectContract) -> Money | str | None:
    """The amount the event states, or what is wrong with it."""
    if told.amount is None:
        return None
    try:
        return Money.of(told.amount, told.currency or contract.currency)
    except MoneyError as error:
        return str(error)


def _billed_before(
    contract: ProjectContract, line: ContractLine, period: str, kept: Sequence[BillingEventRow]
) -> Money:
    """Net of the line's events of earlier periods, and of none told for this one."""
    amounts = [
        event.amount
        for event in kept
        if event.line == line.number and event.kind == "percent" and not event.void and event.amount
        if event.occasion != period
    ]
    return total(amounts, contract.currency)


def _named(event: BillingEventRow, kept: Sequence[BillingEventRow]) -> BillingEventRow | None:
    """What is kept of the same line and occasion, whatever its revision."""
    mine = [one for one in kept if (one.line, one.occasion) == (event.line, event.occasion) and not one.void]
    return mine[-1] if mine else None


def _line(contract: ProjectContract, ref: str, method: BillingMethod) -> ContractLine | None:
    return next(
        (line for line in contract.lines if str(line.number) == ref and line.billing_method is method), None
    )


def _event(
    contract: ProjectContract,
    line: ContractLine,
    kind: EventKind,
    occasion: str,
    amount: Money | None,
    on: date,
    revision: int,
) -> BillingEventRow:
    return BillingEventRow(
        key=f"{contract.project}/{line.number}/{occasion}/{revision}",
        project=contract.project,
        line=line.number,
        kind=kind,
        occasion=occasion,
        revision=revision,
        amount=amount,
        due_on=on,
        service_from=min(line.starts_on or contract.starts_on, on),
        service_to=on,
    )


def _occasion(released: PsaInvoice) -> str:
    return f"psa-{released.external_id}"


def _refused(
    step: str,
    headline: str,
    detail: str,
    amount: Money | object | None = None,
    owner: OwnerGroup = OwnerGroup.FINANCE_SYSTEMS,
) -> Verdict:
    return Verdict(
        problem=BillingProblem(
            step=step,
            headline=headline,
            detail=detail,
            amount="" if amount is None else str(amount),
            owner=owner,
        )
    )
