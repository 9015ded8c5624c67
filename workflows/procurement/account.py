"""What a project's procurement knows, and what it is to look at next. All of it but the marks travels on."""

from collections.abc import Callable
from datetime import datetime, timedelta

from temporalio import workflow

from domain import procurement
from domain.attention import EventRef
from domain.policy import ProcurementLimits
from domain.procurement_process import CLOSED, ProcurementLine, ProcurementState
from workflows.shared import search_attributes
from workflows.shared.checklist import Checklist

_LONGEST_POLL = timedelta(hours=6)


class ProcurementAccount:
    """The state of one project, and the marks of this run.

    Args:
        checklist: shows the stage.
        changed: called after each change, to refresh the live checklist.
    """

    def __init__(self, state: ProcurementState, checklist: Checklist, changed: Callable[[], None]) -> None:
        self.state = state
        self.look = True
        """Procurement is to be read: at the beginning of a run, and when something may have changed."""
        self.looked_at: datetime | None = None
        self.limits = ProcurementLimits()
        self._checklist = checklist
        self._changed = changed
        self._shown = ""
        checklist.stage = self.stage

    @property
    def stage(self) -> str:
        return CLOSED if self.state.closed else procurement.stage(self.state.lines)

    @property
    def waits(self) -> bool:
        """Whether an answer of procurement is awaited that no event may bring: an approval or a refusal."""
        return any(line.state in ("requested", "approved") for line in self.state.lines)

    @property
    def next_at(self) -> datetime | None:
        """When to look next without being woken; never where nobody is waited for."""
        times = [procurement.silent_at(line, self.limits) for line in self.state.lines]
        due = [at for at in times if at is not None and (self.looked_at is None or at > self.looked_at)]
        if self.waits and self.limits.poll_minutes and self.looked_at is not None:
            due.append(self.looked_at + self._pause())
        return min(due, default=None)

    @property
    def is_due_to_look(self) -> bool:
        return self.look or (self.next_at is not None and workflow.now() >= self.next_at)

    def _pause(self) -> timedelta:
        doubled: timedelta = timedelta(minutes=self.limits.poll_minutes) * (1 << min(self.state.polls, 10))
        return min(doubled, _LONGEST_POLL)

    def keep(self, **changes: object) -> None:
        self.state = self.state.with_changes(**changes)
        self._changed()

    def take(self, lines: tuple[ProcurementLine, ...]) -> None:
        """Keep the lines as they are now, and show the stage that follows from them."""
        self.keep(lines=lines)
        self.show()

    def show(self) -> None:
        self._checklist.stage = self.stage
        if self.stage != self._shown:
            self._shown = self.stage
            search_attributes.upsert(stage=self.stage)

    def knows(self, event: EventRef) -> bool:
        """Whether `event` waits to be looked at already."""
        return any(known.id == event.id for known in self.state.events)
