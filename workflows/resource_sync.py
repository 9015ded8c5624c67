"""Resource sync: people of one HR account and the PSA that staffs them, kept the same on both sides.

    wait for a wake -> both sides are read into the store, part by part, slice by slice -> each is told what
    the other owns -> what they do not agree on is one exception per owner -> wait

HR owns person, employment, absence and skills; the PSA owns assignments and time. Each part goes only one
way, and what was told is remembered, so that nothing comes back as an echo.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.resources import ResourceActivities
    from activities.resources_hr import HrActivities
    from activities.resources_psa import PsaPeopleActivities
    from domain.attention import Action, Decision
    from domain.policy import Role, Route
    from domain.readiness import OwnerGroup
    from domain.resource_sync import (
        PARTS,
        RESOURCES,
        DifferencesOf,
        OpenDifferences,
        OwnerDifferences,
        Part,
        ResourceSyncState,
        ResourceSyncView,
        SyncCounts,
        Synced,
        SyncInput,
        SyncProgress,
        WakeSync,
    )
    from workflows.shared import options
    from workflows.shared.account import AccountProcess
    from workflows.shared.desk import refused
    from workflows.shared.routing import is_cancelled

_LABELS: dict[Part, tuple[str, Role]] = {
    "hr_people": ("People and skills", "hr"),
    "hr_absences": ("Unavailable hours", "hr"),
    "psa_assignments": ("Assignments", "psa"),
    "psa_people": ("People in the PSA", "psa"),
    "psa_newcomers": ("Who is new", "psa"),
    "psa_absences": ("Days off in the PSA", "psa"),
    "hr_assignments": ("Assignments in HR", "hr"),
    "hr_hours": ("Approved hours in HR", "hr"),
}
_ACTS: dict[Part, Callable[..., Awaitable[SyncProgress]]] = {
    "hr_people": HrActivities.read_people,
    "hr_absences": HrActivities.read_absences,
    "psa_assignments": PsaPeopleActivities.read_assignments,
    "psa_people": PsaPeopleActivities.keep_people,
    "psa_newcomers": PsaPeopleActivities.invite_people,
    "psa_absences": PsaPeopleActivities.keep_absences,
    "hr_assignments": HrActivities.tell_assignments,
    "hr_hours": HrActivities.tell_hours,
}


@workflow.defn(name="ResourceSync")
class ResourceSync(AccountProcess):
    """One HR account. Workflow id `resources/<firm>/<hr account>`; owned by delivery operations.

    By account and not by legal entity, since HR tells changes of the whole tenant in one frozen reading, and
    somebody who moves from one entity to another is one change. It has nothing to undo: what is told stays
    HR's or the PSA's word, and is corrected at its source.
    """

    step_actions = (Action.RETRY, Action.HAND_OVER)

    @workflow.init
    def __init__(self, state: ResourceSyncState) -> None:
        AccountProcess.__init__(self, f"people of {state.hr} and {state.psa}")
        self._state = state
        self.desk.reopen(state.attention, state.exception_numbers)
        for part, (label, role) in _LABELS.items():
            self.checklist.declare(part, label, state.hr if role == "hr" else state.psa)
        self.checklist.declare("differences", "What HR and PSA do not agree on")

    @workflow.run
    async def run(self, state: ResourceSyncState) -> None:
        await self._open(RESOURCES, state.requested_by)
        try:
            while not self._run_is_full():
                if self._state.part is not None or self._wanted > self._state.served:
                    await self._sync()
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

    # -- one sync ---------------------------------------------------------------------------------

    async def _sync(self) -> None:
        """All parts to their ends, or until this run has to continue as new in the middle."""
        self._enter("syncing people")
        if self._state.part is None:
            self._keep(part=PARTS[0], progress=None, counts={}, serving=self._wanted, began_at=workflow.now())
        while self._state.part is not None:
            if self._run_is_full():
                return
            await self._slice(self._state.part)
        found = await self.step("differences", self._differences)
        await self._show(found)
        state = self._state
        synced = Synced(
            started_at=state.began_at or workflow.now(),
            ended_at=workflow.now(),
            counts=state.counts,
            open=found.owners,
        )
        self._keep(served=state.serving, syncs=state.syncs + 1, last=synced)

    async def _slice(self, part: Part) -> None:
        progress = await self.step(part, lambda: self._act(part), role=_LABELS[part][1])
        self._slices += 1
        if not progress.finished:
            self._keep(progress=progress)
            return
        following = PARTS[PARTS.index(part) + 1 :]
        counts = {**self._state.counts, part: progress.counts}
        self._keep(part=following[0] if following else None, progress=None, counts=counts)

    # -- what they do not agree on ----------------------------------------------------------------

    async def _show(self, open: OpenDifferences) -> None:
        """One exception per owner group, changed in place, and gone when nothing of that owner is left."""
        by_owner = {found.owner: found for found in open.owners}
        for owner in OwnerGroup:
            step, found = f"differences.{owner.value}", by_owner.get(owner)
            item = self.desk.item(step)
            if found is not None:
                await self._raise(step, found)
            elif item is not None:
                await self.desk.resolve(item, "HR and PSA agree again")

    async def _raise(self, step: str, found: OwnerDifferences) -> None:
        oldest = [f"{one.found_at:%Y-%m-%d} {one.person}: {one.problem}" for one in found.oldest]
        await self.desk.raise_item(
            step,
            f"{found.spoken} between {self._state.hr} and {self._state.psa}",
            owner=found.owner,
            detail="Oldest: " + " | ".join(oldest),
            object=self._object,
            systems=(self._state.hr, self._state.psa),
            error_class="Conflict",
            actions=self.step_actions,
            facts={"all of them": "fairlead worklist staffing"},
        )

    # -- waiting ----------------------------------------------------------------------------------

    async def _pause(self) -> None:
        self._enter("waiting for changes")
        decision = await self.decided("Waiting for changes of people and assignments")
        if decision is not None and decision.action == "retry":
            self.desk.wake()

    @workflow.signal(name="wake")
    def wake(self, wake: WakeSync) -> None:
        """Something changed, or somebody asks: sync once more."""
        self.desk.wake()

    @workflow.query(name="status")
    def status(self) -> ResourceSyncView:
        state = self._state
        now = {state.part: state.progress.counts} if state.part and state.progress else {}
        return ResourceSyncView(
            hr=state.hr,
            psa=state.psa,
            stage=self.checklist.stage,
            wanted=self._wanted,
            served=state.served,
            syncs=state.syncs,
            counts={**state.counts, **now},
            last=state.last,
            attention=self.desk.open_items,
            blocked=any(self.desk.item(step) for step in (*PARTS, "differences")),
        )

    def check_decision(self, decision: Decision) -> None:
        if decision.action not in ("retry", "hand_over"):
            raise refused(
                f"{decision.action!r} is not possible for {self._object}: put it right in HR or the PSA, then"
                " retry"
            )

    def details(self) -> str:
        last = self._state.last
        told = "" if last is None else f"Last sync ended {last.ended_at:%Y-%m-%d %H:%M} UTC: {spoken(last)}"
        return "\n\n".join(part for part in (super().details(), told) if part)

    # -- inside -----------------------------------------------------------------------------------

    def _act(self, part: Part) -> Awaitable[SyncProgress]:
        state, policies, (label, role) = self._state, self.known_policies, _LABELS[part]
        act: Any = _ACTS[part]
        return workflow.execute_activity_method(
            act,
            SyncInput(
                part=part,
                process=workflow.info().workflow_id,
                firm=state.firm,
                hr=state.hr,
                psa=state.psa,
                progress=state.progress,
                policy=policies.resources,
                page_size=state.page_size,
                pages=state.slice_pages,
            ),
            **options.bulk(
                self._route(role), policies.timing, f"{label}: {state.hr} and {state.psa}", state.slice_pages
            ),
        )

    def _differences(self) -> Awaitable[OpenDifferences]:
        return workflow.execute_local_activity_method(
            ResourceActivities.differences,
            DifferencesOf(source=self._state.hr),
            **options.bookkeeping("Count what does not agree, by owner", self.known_policies.timing),
        )

    def _route(self, role: Role) -> Route:
        return self._account(role, self._state.hr if role == "hr" else self._state.psa)

    @property
    def _wanted(self) -> int:
        return self._state.wanted + self.desk.wakes

    def _run_is_full(self) -> bool:
        return self._is_full(self._state.slices_per_run)

    def _kept(self) -> ResourceSyncState:
        return self._state.with_changes(
            wanted=self._wanted,
            attention=self.desk.open_items,
            exception_numbers=self.desk.numbers,
        )

    def _keep(self, **changes: object) -> None:
        self._state = self._state.with_changes(**changes)


def spoken(synced: Synced) -> str:
    """What a sync brought, in words."""
    total = SyncCounts()
    for counts in synced.counts.values():
        total = total.plus(counts)
    return f"{total.new + total.changed:,} came in, {total.written:,} told, {total.refused:,} refused"
