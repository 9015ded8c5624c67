"""The rules of alerts: pure functions from what is so to the conditions that last too long.

Thresholds are those of the firm's file (`[alerts]`), in days; a day is one of the entity that bills. Each
condition has one owner group, and says what to do. Source: requirements 83 to 89.
"""

import shlex
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta

from domain.alert_facts import (
    Moment,
    OpenEvent,
    OpenWork,
    ProjectRef,
    QuietProcess,
    StandingInvoice,
    StuckEvents,
    UncheckedRule,
)
from domain.alert_state import AlertRule, Condition, Worth
from domain.alert_worth import worth_of_problems
from domain.billable import Billable, IntakeProblem
from domain.calendar import Period
from domain.invoice_state import InvoiceStage
from domain.policy import AlertThresholds
from domain.readiness import OwnerGroup

DELIVERY, FINANCE = OwnerGroup.DELIVERY_OPERATIONS, OwnerGroup.FINANCE_SYSTEMS
QUARTER_END = 14
"""Days before the end of a calendar quarter in which a stalled activation is told sooner."""
_DAY = timedelta(days=1)


# -- unbilled work ------------------------------------------------------------------------------------


def unbilled_work(found: Sequence[OpenWork], moment: Moment) -> list[Condition]:
    """Approved work on no invoice; `found` holds what is older than `unbilled_days`, one of each project."""
    return [_unbilled(work, moment) for work in found if work.entries and not work.worth.is_nothing]


def _unbilled(work: OpenWork, moment: Moment) -> Condition:
    causes = {"ready": work.ready, "held": work.held, "parked above a cap": work.parked}
    told = ", ".join(f"{count:,} {cause}" for cause, count in causes.items() if count)
    if work.ready:
        owner, cure, command = FINANCE, "bill it", f"fairlead bill {work.of.project}"
    elif work.held:
        owner, cure, command = DELIVERY, "release or write off what is held", _prebill(work.of.project)
    else:
        owner, cure, command = DELIVERY, "have the cap raised, or write it off", _prebill(work.of.project)
    return _about(
        work.of,
        Condition(
            rule=AlertRule.UNBILLED_WORK,
            object=work.of.project,
            headline=f"Approved work of {work.of.spoken} is not billed",
            detail=f"{_counted(work.entries, 'entry', 'entries')} worked until {work.up_to}: {told}",
            worth=work.worth,
            count=work.entries,
            since=moment.begin(work.oldest, work.of.entity),
            owner=owner,
            cure=cure,
            command=command,
        ),
    )


# -- delayed invoices ---------------------------------------------------------------------------------


def delayed_events(found: Sequence[OpenEvent], limits: AlertThresholds, moment: Moment) -> list[Condition]:
    """Billing events that are neither void nor on an invoice `invoice_delay_days` after they fell due."""
    return [
        _delayed(open_event, moment)
        for open_event in found
        if moment.days_since(open_event.event.due_on, open_event.of.entity) > limits.invoice_delay_days
    ]


def _delayed(found: OpenEvent, moment: Moment) -> Condition:
    event, project = found.event, found.of.project
    cure, owner = "see why no invoice was made, then bill it", FINANCE
    if event.kind == "above_cap":
        cure, owner = "have a change of contract signed that raises the cap", DELIVERY
    return _about(
        found.of,
        Condition(
            rule=AlertRule.DELAYED_INVOICE,
            object=event.key,
            headline=f"{_event_name(found)} of {found.of.spoken} has no invoice",
            detail=f"it was due on {event.due_on}{f', by {event.evidence}' if event.evidence else ''}",
            worth=found.worth,
            since=moment.begin(event.due_on, found.of.entity),
            owner=owner,
            cure=cure,
            command=f"fairlead bill {project}",
        ),
    )


_STANDS: dict[InvoiceStage, tuple[OwnerGroup, str, str]] = {
    "collected": (DELIVERY, "review the pre-bill and release it", "fairlead prebill show"),
    "priced": (FINANCE, "settle its findings, then approve or reject it", "fairlead invoice show"),
    "approved": (FINANCE, "see what its process waits for", "fairlead status"),
    "drafted": (FINANCE, "see why the ERP does not post it", "fairlead status"),
}
"""Stage before posting -> who moves it on, how, and the command that shows it."""
STAGES_BEFORE_POSTING = tuple(_STANDS)


def standing_invoices(
    found: Sequence[StandingInvoice], limits: AlertThresholds, moment: Moment
) -> list[Condition]:
    """Invoices that have not changed for `invoice_delay_days` and are not posted."""
    return [
        _standing(one, moment)
        for one in found
        if one.invoice.stage in _STANDS and moment.at - one.changed_at > limits.invoice_delay_days * _DAY
    ]


def _standing(found: StandingInvoice, moment: Moment) -> Condition:
    invoice = found.invoice
    owner, cure, command = _STANDS[invoice.stage]
    kind = "Credit note" if invoice.credits else "Invoice"
    return _about(
        found.of,
        Condition(
            rule=AlertRule.DELAYED_INVOICE,
            object=invoice.id,
            headline=f"{kind} of {found.of.spoken} stands still, {invoice.stage}",
            detail=f"for {invoice.service_from} to {invoice.service_to}, unchanged since "
            f"{found.changed_at:%Y-%m-%d %H:%M} UTC",
            worth=found.worth,
            since=found.changed_at,
            owner=owner,
            cure=cure,
            command=f"{command} {shlex.quote(invoice.id)}",
        ),
    )


# -- missed events ------------------------------------------------------------------------------------


def missed_events(found: Sequence[OpenEvent], moment: Moment) -> list[Condition]:
    """What the calendar of a contract makes due and nobody planned (see `domain.alert_calendar`)."""
    return [_missed(one, moment) for one in found]


def _missed(found: OpenEvent, moment: Moment) -> Condition:
    event, project = found.event, found.of.project
    milestone = event.kind == "milestone"
    cure = "see why its billing did not plan it, then bill it"
    if milestone:
        cure = "have its acceptance sent (event milestone.accepted), or its day changed in the contract"
    what = "is not accepted" if milestone else "was due and is not there"
    return _about(
        found.of,
        Condition(
            rule=AlertRule.MISSED_EVENT,
            object=event.key,
            headline=f"{_event_name(found)} of {found.of.spoken} {what}",
            detail=f"contract and calendar say {event.due_on}",
            worth=found.worth,
            since=moment.begin(event.due_on, found.of.entity),
            owner=DELIVERY if milestone else FINANCE,
            cure=cure,
            command=f"fairlead status {project}",
        ),
    )


def unknown_calendar(of: ProjectRef, problem: str) -> Condition:
    """A contract that does not say what is due: nothing of it can be told as missed."""
    return _about(
        of,
        Condition(
            rule=AlertRule.MISSED_EVENT,
            object=of.project,
            headline=f"What {of.spoken} should have billed cannot be told",
            detail=problem,
            owner=FINANCE,
            cure="put the contract right by a signed change",
            command=f"fairlead status {of.project}",
        ),
    )


# -- late approvals -----------------------------------------------------------------------------------


def late_approvals(
    found: Sequence[tuple[ProjectRef, Sequence[Billable], Worth]], limits: AlertThresholds
) -> list[Condition]:
    """Work approved more than `late_approval_days` after it was done, taken in of late; by project."""
    return [_late(of, entries, worth, limits) for of, entries, worth in found if entries]


def _late(of: ProjectRef, entries: Sequence[Billable], worth: Worth, limits: AlertThresholds) -> Condition:
    delays = {entry.key: (approved_on(entry) - entry.work_date).days for entry in entries}
    worst = max(entries, key=lambda entry: (delays[entry.key], entry.key))
    return _about(
        of,
        Condition(
            rule=AlertRule.LATE_APPROVAL,
            object=of.project or "no project",
            headline=f"Work of {of.spoken} is approved late",
            detail=f"{_counted(len(entries), 'entry', 'entries')} in {limits.late_approval_window_days} "
            f"days, more than {limits.late_approval_days} days after the work; the worst, of "
            f"{worst.work_date}, after {delays[worst.key]}",
            worth=worth,
            count=len(entries),
            since=min(entry.approved_at for entry in entries if entry.approved_at),
            owner=DELIVERY,
            cure="have time approved each week; it clears when no more comes late",
            command=_prebill(of.project),
        ),
    )


def approved_on(entry: Billable) -> date:
    """Day of the approval in UTC, as the store counts it; of an entry without one, the work date."""
    return entry.approved_at.astimezone(UTC).date() if entry.approved_at else entry.work_date


# -- refused work -------------------------------------------------------------------------------------


def refused_work(found: Sequence[IntakeProblem], limits: AlertThresholds, moment: Moment) -> list[Condition]:
    """What intake refused `refused_days` ago and was not cured since, by owner and project."""
    groups: dict[tuple[str, str], list[IntakeProblem]] = defaultdict(list)
    for problem in found:
        if moment.at - problem.found_at > limits.refused_days * _DAY:
            groups[problem.owner, problem.project].append(problem)
    return [_refused(owner, project, group) for (owner, project), group in sorted(groups.items())]


def _refused(owner: str, project: str, problems: Sequence[IntakeProblem]) -> Condition:
    oldest = min(problems, key=lambda problem: (problem.found_at, problem.key))
    rules = Counter(problem.rule for problem in problems).most_common(3)
    of = ProjectRef(project=project)
    return _about(
        of,
        Condition(
            rule=AlertRule.REFUSED_WORK,
            object=f"{owner}:{project or 'no project'}",
            headline=f"Approved work of {of.spoken} was refused and is not cured",
            detail=f"{_counted(len(problems), 'entry', 'entries')}"
            f" ({', '.join(f'{rule}: {count:,}' for rule, count in rules)}); "
            f"oldest {oldest.external_id or oldest.key}: {oldest.problem[:300]}",
            worth=worth_of_problems(problems),
            count=len(problems),
            since=oldest.found_at,
            owner=OwnerGroup(owner),
            cure="correct the entries at their source, then have them taken in",
            command="fairlead post-time --wait",
        ),
    )


# -- processes and events -----------------------------------------------------------------------------


def stalled_activations(
    found: Sequence[QuietProcess], limits: AlertThresholds, moment: Moment
) -> list[Condition]:
    """Activations that run and have not changed for `stalled_days`, near the end of a quarter for fewer."""
    at_end = near_quarter_end(moment.at)
    days = min(limits.stalled_days, limits.quarter_end_stalled_days) if at_end else limits.stalled_days
    return [_stalled(one, at_end) for one in found if moment.at - one.changed_at > days * _DAY]


def near_quarter_end(at: datetime) -> bool:
    """Whether a calendar quarter ends within `QUARTER_END` days."""
    period = Period.of(at.date())
    return period.month % 3 == 0 and (period.last - at.date()).days < QUARTER_END


def _stalled(found: QuietProcess, at_end: bool) -> Condition:
    deal = found.key.rpartition("/")[2]
    detail = f"unchanged since {found.changed_at:%Y-%m-%d %H:%M} UTC"
    if found.waits_for:
        detail += f"; it waits: {found.waits_for}"
    if at_end:
        detail += "; the quarter ends soon"
    return _about(
        found.of,
        Condition(
            rule=AlertRule.STALLED_ACTIVATION,
            object=found.key,
            headline=f"Activation of {found.title or deal} stands still, {found.stage or 'starting'}",
            detail=detail,
            since=found.changed_at,
            owner=found.owner,
            cure="settle what it waits for",
            command=f"fairlead watch {deal}",
        ),
    )


def stuck_events(found: Sequence[StuckEvents], limits: AlertThresholds, moment: Moment) -> list[Condition]:
    """Events that nobody can apply, and those that wait for longer than `waiting_event_days`."""
    return [
        _stuck(group)
        for group in found
        if group.state == "poison" or moment.at - group.oldest > limits.waiting_event_days * _DAY
    ]


def _stuck(group: StuckEvents) -> Condition:
    poison = group.state == "poison"
    events = _counted(group.count, "event", "events")
    return Condition(
        rule=AlertRule.STUCK_EVENT,
        object=f"{group.source}:{group.type}:{group.state}",
        headline=f"{events} {group.type} of {group.source} "
        + ("cannot be applied" if poison else "not applied yet"),
        detail=f"oldest received {group.oldest:%Y-%m-%d %H:%M} UTC{f': {group.note}' if group.note else ''}",
        count=group.count,
        since=group.oldest,
        owner=group.owner,
        cure="cure the reason, then replay them" if poison else "start the process they wait for",
        command=f"fairlead events list --state {group.state} --type {group.type}",
    )


def unchecked_rules(found: Iterable[UncheckedRule]) -> list[Condition]:
    """Rules that could not be looked at: their alerts are as of an earlier look."""
    return [
        Condition(
            rule=AlertRule.UNCHECKED_RULE,
            object=one.rule.value,
            headline=f'The alerts "{one.rule.label}" are not up to date',
            detail=one.problem[:500],
            since=one.looked_at,
            owner=OwnerGroup.PLATFORM_ENGINEERING,
            cure="see the log of the worker and mend what it names",
            command="fairlead doctor",
        )
        for one in found
    ]


# -- wording ------------------------------------------------------------------------------------------


def _about(of: ProjectRef, condition: Condition) -> Condition:
    about = {"project": of.project, "entity": of.entity, "customer": of.customer}
    return condition.model_copy(update=about)


def _event_name(found: OpenEvent) -> str:
    event = found.event
    names = {
        "milestone": f"Milestone {event.occasion} {found.line}".rstrip(),
        "time": f"Time of {event.occasion}",
        "subscription": f"Line {event.line} {found.line}".rstrip() + f" for {event.occasion}",
        "percent": f"Progress of line {event.line} for {event.occasion}",
        "advance": "The advance",
        "retention_release": "Released retention",
        "psa": f"Invoice {event.evidence} of the PSA",
        "above_cap": f"Work above the cap ({event.occasion})",
    }
    return names[event.kind]


def _prebill(project: str) -> str:
    return f"fairlead prebill show {project}"


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
