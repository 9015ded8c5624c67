"""What becomes of approved work: a billable, or a problem that names its owner. Pure.

A page is judged entry by entry on what was looked up for all of it; a refused entry never stops the rest.
Source: rules 12 (rate of the work date), 20 (one source owns an expense). What an entry lacks for its price
is a finding for pricing and keeps no entry out.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from domain.billable import Billable, IntakeProblem, WorkedTime
from domain.delivery import EntryApproval, Expense, TimeEntry
from domain.intake import Unreadable, WorkPage
from domain.intake_entries import entry_key, expense_billable, minutes, spoken, time_billable, worth
from domain.intake_lines import expense_line, line_of
from domain.intake_refusals import Refusal, Rule
from domain.project_contract import ProjectContract
from domain.rules.errors import RuleError
from domain.rules.pricing import Rate, rate_of
from domain.selling import RateCard

DAY = 24 * 60
"""Minutes that one person can work on one day."""


@dataclass(frozen=True)
class KnownProject:
    """A project of ours. Without a contract it was not activated here, or a backup lost it."""

    number: str
    contract: ProjectContract | None = None


@dataclass(frozen=True)
class Ground:
    """What a page is judged on, looked up for the whole page."""

    source: str
    """System that the page came from."""
    projects: Mapping[str, KnownProject]
    """By the source's id; those that are not here are unknown."""
    now: datetime
    worked: Sequence[WorkedTime] = ()
    """Time kept of the page's people on its days."""
    card: Callable[[str], RateCard | None] = lambda code: None
    expense_source: str = ""
    """System that owns expenses; empty means the source of the page."""
    since: datetime | None = None
    """Where the feed stood before this page."""


@dataclass(frozen=True)
class Refused:
    """A problem, with the hash of the content it was found in: content that is kept already is none."""

    problem: IntakeProblem
    content_hash: str = ""


@dataclass
class Judged:
    """What became of a page."""

    entries: list[Billable] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    unpriced: list[str] = field(default_factory=list)
    """Keys of billable time that came in and that no rate prices yet."""


def judge(page: WorkPage, ground: Ground) -> Judged:
    """Everything on `page`, in its order."""
    judged, days = Judged(), _Days(ground.worked)
    for entry in page.entries:
        _time(entry, ground, days, judged)
    for expense in page.expenses:
        _expense(expense, ground, judged)
    judged.refused += [Refused(_unreadable(found, ground)) for found in page.unreadable]
    return judged


def days_of(page: WorkPage) -> list[tuple[str, date]]:
    """People and days whose time has to be looked up for `page`."""
    return sorted({(entry.resource, entry.work_date) for entry in page.entries})


def projects_of(page: WorkPage) -> list[str]:
    """The source's ids of the projects on `page`."""
    named = {entry.project for entry in page.entries} | {expense.project for expense in page.expenses}
    return sorted(named | {found.project_external_id for found in page.unreadable} - {""})


# -- time -----------------------------------------------------------------------------------------


def _time(entry: TimeEntry, ground: Ground, days: "_Days", judged: Judged) -> None:
    project = ground.projects.get(entry.project)
    contract = project.contract if project else None
    line = line_of(entry.task_ref, contract)
    made = time_billable(entry, ground.source, project.number if project else "", contract, line)
    found = list(_project_refusals(entry.project, project))
    if contract is not None:
        found += _task_refusals(entry, contract, line is not None)
        found += _date_refusals(entry.work_date, contract)
    found += _approval_refusals(entry.approvals, entry.resource)
    found += _quantity_refusals(entry)
    found += days.refusals(entry, made.key)
    if found:
        judged.refused.append(_refused(made, found, spoken(entry.quantity), project, entry.project, ground))
        return
    days.add(entry, made.key)
    judged.entries.append(made)
    if contract is not None and made.billable and not _has_rate(made, contract, ground.card):
        judged.unpriced.append(made.key)


def _task_refusals(entry: TimeEntry, contract: ProjectContract, known: bool) -> Iterator[Refusal]:
    if not known:
        what = (
            f"task {entry.task_ref or entry.task or 'none'} belongs to no line of contract {contract.number}"
        )
        yield Refusal("task", Rule.NO_LINE, f"{what}; book it on a task of the plan")
    if not entry.task_open:
        yield Refusal(
            "task",
            Rule.TASK_CLOSED,
            f"task {entry.task_ref or entry.task} is closed; reopen it, or book the time on an open one",
        )


def _quantity_refusals(entry: TimeEntry) -> Iterator[Refusal]:
    amount = entry.quantity.amount
    if amount == 0 or (amount < 0 and not entry.reverses):
        cure = "correct it; only a reversal may be below zero"
        yield Refusal("quantity", Rule.NOT_POSITIVE, f"the time is {entry.quantity}; {cure}")
    if entry.quantity.unit == "days" and amount > 1:
        yield Refusal("quantity", Rule.DAY_FULL, f"{entry.quantity} are written on one day; split the entry")


_Day = tuple[str, date]
"""A person's day."""


class _Days:
    """Minutes of each person on each day: what is kept, and what this page adds."""

    def __init__(self, worked: Iterable[WorkedTime]) -> None:
        self._entries: dict[str, tuple[_Day, int]] = {}
        self._sums: dict[_Day, int] = {}
        for time in worked:
            self._put(time.key, (time.resource, time.work_date), time.minutes)

    def refusals(self, entry: TimeEntry, key: str) -> Iterator[Refusal]:
        own, others = minutes(entry.quantity), self._others(entry, key)
        if own > 0 and others + own > DAY:
            yield Refusal(
                "quantity",
                Rule.DAY_FULL,
                f"with it {_hours(others + own)} are written on {entry.work_date} by one person;"
                " correct the day's entries",
            )

    def add(self, entry: TimeEntry, key: str) -> None:
        """Count `entry`, which came in, in the place of what is known under its key."""
        self._put(key, (entry.resource, entry.work_date), minutes(entry.quantity))

    def _others(self, entry: TimeEntry, key: str) -> int:
        day = (entry.resource, entry.work_date)
        known, own = self._entries.get(key, (None, 0))
        return self._sums.get(day, 0) - (own if known == day else 0)

    def _put(self, key: str, day: _Day, amount: int) -> None:
        if key in self._entries:
            former, own = self._entries[key]
            self._sums[former] -= own
        self._entries[key] = (day, amount)
        self._sums[day] = self._sums.get(day, 0) + amount


def _has_rate(made: Billable, contract: ProjectContract, card: Callable[[str], RateCard | None]) -> bool:
    known = card(contract.rate_card) if contract.rate_card else None
    try:
        return isinstance(rate_of(made, contract, [known] if known else []), Rate)
    except RuleError:
        return False


# -- expenses -------------------------------------------------------------------------------------


def _expense(expense: Expense, ground: Ground, judged: Judged) -> None:
    project = ground.projects.get(expense.project)
    contract = project.contract if project else None
    line = expense_line(expense.task_ref, contract)
    made = expense_billable(expense, ground.source, project.number if project else "", contract, line)
    found = list(_project_refusals(expense.project, project))
    if contract is not None:
        found += _expense_refusals(expense, contract, line is not None)
        found += _date_refusals(expense.spent_on, contract)
    found += _source_refusals(expense, ground)
    found += _approval_refusals(expense.approvals, expense.resource)
    if expense.gross.amount <= 0:
        found.append(
            Refusal("gross", Rule.NOT_POSITIVE, f"the expense is {expense.gross}; correct it at its source")
        )
    if found:
        judged.refused.append(_refused(made, found, str(expense.gross), project, expense.project, ground))
    else:
        judged.entries.append(made)


def _expense_refusals(expense: Expense, contract: ProjectContract, known: bool) -> Iterator[Refusal]:
    if not known:
        place = f"task {expense.task_ref}" if expense.task_ref else "no task"
        what = f"it is booked on {place}, which tells no line of contract {contract.number}"
        yield Refusal("task", Rule.NO_LINE, f"{what}; book it on a task of the plan")
    if expense.gross.currency != contract.currency:
        yield Refusal(
            "gross.currency",
            Rule.CURRENCY,
            f"it is in {expense.gross.currency}, contract {contract.number} in {contract.currency};"
            " enter it in the contract's currency",
        )


def _source_refusals(expense: Expense, ground: Ground) -> Iterator[Refusal]:
    owner = ground.expense_source or ground.source
    if expense.source != owner:
        yield Refusal(
            "source",
            Rule.NOT_OWNER,
            f"it is a copy of {expense.source or 'an unnamed source'}; expenses come from {owner} alone",
        )


# -- both -----------------------------------------------------------------------------------------


def _project_refusals(external_id: str, project: KnownProject | None) -> Iterator[Refusal]:
    if project is None:
        what = f"project {external_id} is none of ours; it comes in when the project is activated"
        yield Refusal("project", Rule.UNKNOWN_PROJECT, what)
    elif project.contract is None:
        what = f"project {project.number} has no contract here; it comes in when its activation has kept one"
        yield Refusal("project", Rule.NO_CONTRACT, what)


def _date_refusals(day: date, contract: ProjectContract) -> Iterator[Refusal]:
    if not contract.starts_on <= day <= contract.ends_on:
        term = f"{contract.starts_on} to {contract.ends_on}"
        yield Refusal(
            "work_date",
            Rule.OUTSIDE_CONTRACT,
            f"{day} is outside contract {contract.number} ({term}); correct the date or extend the contract",
        )


def _approval_refusals(approvals: Sequence[EntryApproval], resource: str) -> Iterator[Refusal]:
    if approvals and approvals[-1].outcome != "approved":
        yield Refusal("approvals", Rule.NOT_APPROVED, f"it is {approvals[-1].outcome}; have it approved")
    if any(step.outcome == "approved" and step.by == resource for step in approvals):
        yield Refusal(
            "approvals", Rule.OWN_APPROVAL, "it was approved by who entered it; another must approve"
        )


def _refused(
    made: Billable,
    found: Sequence[Refusal],
    amount: str,
    project: KnownProject | None,
    external_project: str,
    ground: Ground,
) -> Refused:
    """The first refusal says who owns it; the words name them all, so that one visit cures them."""
    first = found[0]
    problem = IntakeProblem(
        key=made.key,
        field=first.field,
        rule=first.rule,
        problem="; ".join(refusal.words for refusal in found),
        owner=first.rule.owner.value,
        project=project.number if project else external_project,
        amount=amount,
        external_id=made.external_id,
        since=ground.since,
        content_hash=made.content_hash,
        found_at=ground.now,
    )
    return Refused(problem, made.content_hash)


def _unreadable(found: Unreadable, ground: Ground) -> IntakeProblem:
    project = ground.projects.get(found.project_external_id)
    return IntakeProblem(
        key=entry_key(ground.source, found.kind, found.external_id),
        field=found.field,
        rule=Rule.UNREADABLE,
        problem=found.problem,
        owner=Rule.UNREADABLE.owner.value,
        project=project.number if project else found.project_external_id,
        external_id=found.external_id,
        since=ground.since,
        found_at=ground.now,
    )


def changed_after(made: Billable, why: str, ground: Ground) -> IntakeProblem:
    """What the store refused: it keeps what came first."""
    return IntakeProblem(
        key=made.key,
        field="version",
        rule=Rule.CHANGED,
        problem=why,
        owner=Rule.CHANGED.owner.value,
        project=made.project,
        amount=worth(made),
        external_id=made.external_id,
        since=ground.since,
        content_hash=made.content_hash,
        found_at=ground.now,
    )


def _hours(minutes: int) -> str:
    return f"{minutes // 60} h {minutes % 60:02d} min"
