"""Time posting: approved time and expenses of one PSA become billables.

    wait for a wake -> drain the feed of time, then that of expenses, slice by slice, to their ends
    -> what was refused is one exception per owner, which goes when the store has no more of it -> wait

A wake says nothing but "look": however many come during a drain, one more drain answers them all. Volume
stays out of histories: entries go from the PSA to the store inside the activity, and only counts come back.
"""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.intake import IntakeActivities
    from activities.intake_problems import IntakeProblemActivities
    from domain.attention import Action, AttentionItem, Decision
    from domain.readiness import OwnerGroup
    from domain.time_posting import (
        FEEDS,
        TIME,
        Counts,
        Drained,
        DrainInput,
        DrainProgress,
        Feed,
        OpenProblems,
        OwnerProblems,
        ProblemsOf,
        SetAside,
        TimePostingState,
        TimePostingView,
        Wake,
    )
    from workflows.shared import options
    from workflows.shared.account import AccountProcess
    from workflows.shared.desk import refused
    from workflows.shared.routing import is_cancelled

_LABELS: dict[Feed, str] = {"time": "Approved time", "expenses": "Approved expenses"}
_REFUSED = "refused."
"""Step of the exception of one owner's refused entries, before the owner."""
_LONGEST_AGAIN = 24
"""Hours between two drains that go back to what stays refused: the pause doubles up to here."""


@workflow.defn(name="TimePosting")
class TimePosting(AccountProcess):
    """One PSA account. Workflow id `time/<firm>/<system>`; owned by delivery operations.

    It has nothing to undo: what came in is corrected at its source. So a failed step is tried again or handed
    over, and only Temporal itself can cancel it. What was refused may also be set aside, by two persons.
    """

    step_actions = (Action.RETRY, Action.HAND_OVER)

    @workflow.init
    def __init__(self, state: TimePostingState) -> None:
        AccountProcess.__init__(self, f"time and expenses of {state.system}")
        self._state = state
        self._again = state.again_wanted
        self.desk.reopen(state.attention, state.exception_numbers)
        for feed in FEEDS:
            self.checklist.declare(feed, _LABELS[feed], state.system)
        self.checklist.declare("refused", "What was refused")

    @workflow.run
    async def run(self, state: TimePostingState) -> None:
        await self._open(TIME, state.requested_by)
        try:
            while not self._run_is_full():
                if self._state.feed is not None or self._wanted > self._state.served:
                    await self._drain()
                else:
                    await self._pause()
        except (asyncio.CancelledError, ActivityError) as error:
            if isinstance(error, ActivityError) and not is_cancelled(error):
                raise
            if not self.cancelled_by_temporal():
                raise
            await self._close()
            raise
        await workflow.wait_condition(workflow.all_handlers_finished)
        workflow.continue_as_new(self._kept())

    # -- the drain --------------------------------------------------------------------------------

    async def _drain(self) -> None:
        """Both feeds to their ends, or until this run has to continue as new in the middle."""
        self._enter("taking in approved work")
        if self._state.feed is None:
            self._begin_drain()
        while self._state.feed is not None:
            if self._run_is_full():
                return
            await self._drain_slice(self._state.feed)
        problems = await self.step("refused", self._problems)
        await self._show(problems)
        self._end_drain(problems)

    async def _drain_slice(self, feed: Feed) -> None:
        progress = await self.step(feed, lambda: self._slice(feed), role="psa")
        self._slices += 1
        if not progress.finished:
            self._keep(progress=progress)
            return
        following = FEEDS[FEEDS.index(feed) + 1 :]
        counts = self._state.counts.plus(progress.counts)
        self._keep(feed=following[0] if following else None, progress=None, counts=counts)

    def _begin_drain(self) -> None:
        now = workflow.now()
        due = self._state.again_at is not None and now >= self._state.again_at
        self._keep(
            feed=FEEDS[0],
            progress=None,
            counts=Counts(),
            serving=self._wanted,
            again=self._again or due,
            drain_started_at=now,
        )
        self._again = False

    def _end_drain(self, problems: OpenProblems) -> None:
        state = self._state
        drained = Drained(
            started_at=state.drain_started_at or workflow.now(),
            ended_at=workflow.now(),
            counts=state.counts,
            refused=problems.owners,
        )
        self._keep(
            served=state.serving,
            drains=state.drains + 1,
            total=state.total.plus(state.counts),
            counts=Counts(),
            last=drained,
            **self._next_again(problems),
        )

    def _next_again(self, problems: OpenProblems) -> dict[str, object]:
        """When to go back to what is refused: a project that is activated meanwhile is seen without this."""
        state = self._state
        if not problems.owners:
            return {"again": False, "again_at": None, "again_hours": 1}
        if state.again_at is not None and not state.again:
            return {}
        hours = min(state.again_hours * 2, _LONGEST_AGAIN) if state.again else state.again_hours
        again_at = workflow.now() + timedelta(hours=hours)
        return {"again": False, "again_at": again_at, "again_hours": hours}

    # -- what was refused -------------------------------------------------------------------------

    async def _show(self, problems: OpenProblems) -> None:
        """One exception per owner group, changed in place, and gone when nothing of that owner is left."""
        by_owner = {found.owner: found for found in problems.owners}
        for owner in OwnerGroup:
            step, found = f"{_REFUSED}{owner.value}", by_owner.get(owner)
            item = self.desk.item(step)
            if found is not None:
                await self._raise(step, found)
            elif item is not None:
                await self.desk.resolve(item, "all of it has come in")

    async def _raise(self, step: str, found: OwnerProblems) -> AttentionItem:
        oldest = [
            f"{old.found_at:%Y-%m-%d} {old.external_id} of project {old.project or 'unknown'}"
            f"{f' ({old.amount})' if old.amount else ''}: {old.problem}"
            for old in found.oldest
        ]
        return await self.desk.raise_item(
            step,
            # What is refused grows and shrinks, and so does what it is worth: the headline says both.
            f"{found.spoken} of approved work refused{f', {found.amounts}' if found.amounts else ''}",
            owner=found.owner,
            detail="Oldest: " + " | ".join(oldest),
            object=self._object,
            systems=(self._state.system,),
            error_class="Rejected",
            actions=(*self.step_actions, Action.SKIP),
            facts={
                "entries": found.spoken.removesuffix(" entries").removesuffix(" entry"),
                "amounts": found.amounts,
                "all of them": f"fairlead worklist {found.owner.value}",
            },
        )

    # -- waiting ----------------------------------------------------------------------------------

    async def _pause(self) -> None:
        self._enter("waiting for approved work")
        decision = await self.decided("Waiting for approved time and expenses")
        if decision is None:
            return
        if decision.action == "retry":
            self._again = True
            self.desk.wake()
        elif decision.action == "skip":
            await self._leave_out(decision)

    async def _leave_out(self, decision: Decision) -> None:
        """What is refused is none of ours: no exception for it, until it changes."""
        item = self.item(decision.target)
        if item is None:
            return
        wish = SetAside(
            source=self._state.system,
            owner=OwnerGroup(item.step.removeprefix(_REFUSED)),
            process=workflow.info().workflow_id,
            decision=decision.id,
            decided_at=decision.at,
            actor=decision.actor,
            reason=decision.reason,
        )
        await workflow.execute_local_activity_method(
            IntakeProblemActivities.set_aside,
            wish,
            **options.bookkeeping("Set aside what was refused", self.known_policies.timing),
        )
        await self.desk.resolve(item, f"set aside by {decision.actor}: {decision.reason}")
        await self._show(await self._problems())

    @workflow.signal(name="wake")
    def wake(self, wake: Wake) -> None:
        """Something was approved, or somebody asks: drain once more."""
        self._again = self._again or wake.again
        self.desk.wake()

    @workflow.query(name="status")
    def status(self) -> TimePostingView:
        state = self._state
        now = state.counts.plus(state.progress.counts) if state.progress else state.counts
        return TimePostingView(
            system=state.system,
            stage=self.checklist.stage,
            wanted=self._wanted,
            served=state.served,
            drains=state.drains,
            now=now,
            last=state.last,
            total=state.total,
            attention=self.desk.open_items,
            blocked=any(self.desk.item(step) for step in (*FEEDS, "refused")),
        )

    def check_decision(self, decision: Decision) -> None:
        item = self.item(decision.target)
        of_entries = item is not None and item.step.startswith(_REFUSED)
        possible = ("retry", "hand_over", "second") + (("skip",) if of_entries else ())
        if decision.action not in possible:
            raise refused(
                f"{decision.action!r} is not possible for {self._object}: correct an entry at its source,"
                " then retry; what is none of ours is set aside with skip, by two persons"
            )

    def details(self) -> str:
        last = self._state.last
        told = "" if last is None else f"Last drain ended {last.ended_at:%Y-%m-%d %H:%M} UTC: {spoken(last)}"
        return "\n\n".join(part for part in (super().details(), told) if part)

    # -- inside -----------------------------------------------------------------------------------

    def _slice(self, feed: Feed) -> Awaitable[DrainProgress]:
        state, policies = self._state, self.known_policies
        return workflow.execute_activity_method(
            IntakeActivities.drain,
            DrainInput(
                feed=feed,
                progress=state.progress,
                again=state.again,
                page_size=state.page_size,
                pages=state.slice_pages,
                overlap_seconds=state.overlap_seconds,
                begin_on=policies.intake_from,
                expense_source=policies.expense_source,
            ),
            **options.bulk(
                self._account("psa", state.system),
                policies.timing,
                f"{_LABELS[feed]} of {state.system}",
                state.slice_pages,
            ),
        )

    def _problems(self) -> Awaitable[OpenProblems]:
        return workflow.execute_local_activity_method(
            IntakeProblemActivities.problems,
            ProblemsOf(source=self._state.system),
            **options.bookkeeping("Count what was refused, by owner", self.known_policies.timing),
        )

    @property
    def _wanted(self) -> int:
        return self._state.wanted + self.desk.wakes

    def _run_is_full(self) -> bool:
        return self._is_full(self._state.slices_per_run)

    def _kept(self) -> TimePostingState:
        return self._state.with_changes(
            wanted=self._wanted,
            again_wanted=self._again,
            attention=self.desk.open_items,
            exception_numbers=self.desk.numbers,
        )

    def _keep(self, **changes: object) -> None:
        self._state = self._state.with_changes(**changes)


def spoken(drained: Drained) -> str:
    """What a drain brought, in words."""
    counts = drained.counts
    return f"{counts.came_in:,} came in, {counts.same:,} known already, {counts.refused:,} refused"
