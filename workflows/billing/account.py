"""What a project's billing knows, and what it is to look at next. All of it but the marks travels on."""

from collections.abc import Callable
from datetime import datetime

from temporalio import workflow

from domain.attention import EventRef
from domain.project_processes import (
    CLOSED,
    FINAL_ACCOUNT,
    ON_HOLD,
    OPEN_FOR_BILLING,
    ProjectBillingState,
)
from workflows.shared import search_attributes
from workflows.shared.checklist import Checklist


class BillingAccount:
    """The state of one project, and the marks of this run.

    Args:
        checklist: shows the stage.
        changed: called after each change, to refresh the live checklist.
    """

    def __init__(self, state: ProjectBillingState, checklist: Checklist, changed: Callable[[], None]) -> None:
        self.state = state
        self.born = state.period
        """Month of this run."""
        self.look = False
        """Something may have become due."""
        self.observe = False
        """The ERP's own bills are to be read."""
        self.wake_at: datetime | None = None
        self.poll_at: datetime | None = None
        self._checklist = checklist
        self._changed = changed
        checklist.stage = self.stage

    @property
    def stage(self) -> str:
        if self.state.closed:
            return CLOSED
        if self.state.on_hold:
            return ON_HOLD
        return FINAL_ACCOUNT if self.state.closing else OPEN_FOR_BILLING

    @property
    def next_at(self) -> datetime | None:
        """When to look next without being woken."""
        return min([at for at in (self.wake_at, self.poll_at) if at is not None], default=None)

    @property
    def is_due_to_look(self) -> bool:
        return self.look or (self.wake_at is not None and workflow.now() >= self.wake_at)

    @property
    def month_is_over(self) -> bool:
        return self.state.period != self.born

    def keep(self, **changes: object) -> None:
        self.state = self.state.with_changes(**changes)
        self._changed()

    def enter(self, **changes: object) -> None:
        """Keep what leads to another stage, and show it."""
        self.keep(**changes)
        self._checklist.stage = self.stage
        search_attributes.upsert(stage=self.stage)

    def knows(self, event: EventRef) -> bool:
        """Whether `event` waits to be looked at already."""
        return any(known.id == event.id for known in self.state.events)
