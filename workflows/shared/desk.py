"""The desk of a process: its open exceptions, the decisions that arrive for them, and who is next to know.

State here is the truth; the store's rows are its projection. Waiting is durable: a decision, an event or
a cancel wakes the process, and each passed due time escalates to the next person.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from activities.attention import AttentionActivities
from activities.decisions import REFUSED
from domain.attention import Action, AttentionItem, Decision
from domain.policy import PolicySnapshot
from domain.readiness import Finding, OwnerGroup
from workflows.shared import options, search_attributes

_ITEM_ACTIONS = frozenset(action.value for action in Action)


class Desk:
    """Exceptions and decisions of one process.

    Args:
        process: workflow id.
        changed: called after each change, to refresh the live checklist.
    """

    def __init__(self, process: str, changed: Callable[[], None]) -> None:
        self._process = process
        self._changed = changed
        self._policies: PolicySnapshot | None = None
        self._items: dict[str, AttentionItem] = {}
        self._numbers: dict[str, int] = {}
        self._first: dict[str, Decision] = {}
        self._ready: list[Decision] = []
        self._wakes = 0

    def use(self, policies: PolicySnapshot) -> None:
        self._policies = policies

    @property
    def open_items(self) -> tuple[AttentionItem, ...]:
        return tuple(self._items.values())

    def item(self, step: str) -> AttentionItem | None:
        """The open exception of `step`."""
        return next((item for item in self._items.values() if item.step == step), None)

    @property
    def idle(self) -> bool:
        """Whether no decision that was taken in still waits to be acted on."""
        return not self._ready and not self._first

    @property
    def numbers(self) -> dict[str, int]:
        """How many exceptions each step has had: with `open_items` what a next run has to know."""
        return dict(self._numbers)

    def reopen(self, items: Sequence[AttentionItem], numbers: Mapping[str, int]) -> None:
        """Go on with the exceptions of the run before, which are shown already."""
        self._items = {item.id: item for item in items}
        self._numbers = dict(numbers)

    @property
    def wakes(self) -> int:
        """How often `wake` was called: taken before reading, it tells whether what was read is stale."""
        return self._wakes

    def wake(self) -> None:
        """Something outside has changed: whoever waits looks again."""
        self._wakes += 1

    # -- exceptions -------------------------------------------------------------------------------

    async def raise_item(
        self,
        step: str,
        headline: str,
        *,
        owner: OwnerGroup,
        detail: str = "",
        object: str = "",
        amount: str = "",
        systems: Sequence[str] = (),
        error_class: str = "",
        sla: timedelta | None = None,
        actions: Sequence[Action] = tuple(Action),
        skip_role: str | None = None,
        findings: Sequence[Finding] = (),
        facts: dict[str, str] | None = None,
    ) -> AttentionItem:
        """Open an exception of `step`, or refresh the one that is open."""
        known = self.item(step)
        now = workflow.now()
        if known is not None:
            item = known.with_changes(
                headline=headline, detail=detail, findings=tuple(findings), facts=facts or {}
            )
            if item == known:
                return known
        else:
            number = self._numbers.get(step, 0) + 1
            self._numbers[step] = number
            item = AttentionItem(
                id=f"{self._process}/{step}/{number}",
                process=self._process,
                step=step,
                headline=headline,
                detail=detail,
                object=object,
                amount=amount,
                systems=tuple(systems),
                error_class=error_class,
                owner=owner,
                person=self._person(owner),
                raised_at=now,
                due_at=now + (sla or timedelta(hours=self._known_policies.exception_sla_hours)),
                actions=tuple(actions),
                skip_role=skip_role,
                findings=tuple(findings),
                facts=facts or {},
            )
        await self._put(item)
        return item

    async def resolve(self, item: AttentionItem, resolution: str) -> None:
        """Close `item` with what was done about it."""
        await self._put(item.with_changes(state="resolved", resolution=resolution))

    async def hand_over(self, item: AttentionItem, decision: Decision) -> None:
        """Another group owns `item` from now on, with a new due time."""
        owner = OwnerGroup(decision.payload.get("owner", item.owner))
        due = workflow.now() + timedelta(hours=self._known_policies.exception_sla_hours)
        await self._put(item.with_changes(owner=owner, person=self._person(owner), due_at=due))

    # -- decisions --------------------------------------------------------------------------------

    async def deliver(self, decision: Decision, *, needs_second: bool = False) -> None:
        """Take a claimed decision in. Raises `DecisionRefused` when it does not fit what is open."""
        if decision.action == "second":
            self._ready.append(self._seconded(decision))
        elif needs_second:
            self._check(decision)
            self._first[decision.id] = decision
            await self._await_second(decision)
        else:
            self._check(decision)
            self._ready.append(decision)
        self._changed()

    def waiting(self, id: str) -> Decision | None:
        """The decision called `id`, while it waits for a second person."""
        return self._first.get(id)

    def agree(self, second: Decision) -> Decision:
        """What `second` agrees to, for a process that acts on it at once. Raises `DecisionRefused`."""
        return self._seconded(second)

    def _check(self, decision: Decision) -> None:
        if decision.action not in _ITEM_ACTIONS or (decision.action == "correct" and not decision.target):
            return
        item = self._items.get(decision.target)
        if item is None:
            raise refused(f"exception {decision.target!r} is not open; see `fairlead exceptions list`")
        if decision.action not in item.actions:
            allowed = ", ".join(item.actions)
            raise refused(f"{decision.action!r} is not possible for {item.id}; possible: {allowed}")

    def _seconded(self, second: Decision) -> Decision:
        first = self._first.get(second.target)
        if first is None:
            raise refused(f"no decision {second.target!r} waits for a second person here")
        if first.actor == second.actor:
            raise refused(f"{second.actor} decided first; a second person has to agree")
        item = self._items.get(first.target)
        if (
            first.action == "skip"
            and item
            and item.skip_role
            and item.skip_role not in (first.role, second.role)
        ):
            raise refused(f"a skip of {item.step} has to be approved by the role {item.skip_role}")
        del self._first[second.target]
        return first.with_changes(
            reason=f"{first.reason} (decided by {first.actor}, seconded by {second.actor})"
        )

    async def _await_second(self, decision: Decision) -> None:
        item = self._items.get(decision.target)
        if item is not None:
            await self._put(
                item.with_changes(
                    state="awaiting_second_person",
                    resolution=f"{decision.actor} decided {decision.action}: {decision.reason}; "
                    f"a second person agrees with `fairlead approve {decision.id}`",
                )
            )

    # -- waiting ----------------------------------------------------------------------------------

    async def next(
        self,
        what: str,
        *,
        interrupted: Callable[[], bool],
        item: AttentionItem | None = None,
        timeout: timedelta | None = None,
        since: int | None = None,
    ) -> Decision | None:
        """Wait for a decision, on `item` if given. None means: look again (an event, a cancel, `timeout`).

        A `wake` after the count `since` (default: now) ends the wait. Due times that pass escalate.
        """
        deadline = workflow.now() + timeout if timeout is not None else None
        wakes = self._wakes if since is None else since

        def ready() -> bool:
            return self._first_ready(item) is not None or self._wakes != wakes or interrupted()

        while not ready():
            until = min([t for t in (deadline, *self._due_times()) if t], default=None)
            try:
                await workflow.wait_condition(
                    ready,
                    timeout=max(until - workflow.now(), timedelta(0)) if until else None,
                    timeout_summary=what,
                )
            except TimeoutError:
                await self._escalate()
                if deadline and workflow.now() >= deadline:
                    break
        decision = self._first_ready(item)
        if decision is not None:
            self._ready.remove(decision)
        return decision

    def _first_ready(self, item: AttentionItem | None) -> Decision | None:
        """The oldest decision that concerns `item`; one without a target concerns everybody."""
        for decision in self._ready:
            if item is None or decision.target in ("", item.id):
                return decision
        return None

    def _due_times(self) -> list[datetime]:
        return [item.due_at for item in self._items.values()]

    async def _escalate(self) -> None:
        hours = timedelta(hours=self._known_policies.escalation_hours)
        for item in list(self._items.values()):
            if item.due_at <= workflow.now():
                await self._put(
                    item.with_changes(
                        escalations=item.escalations + 1,
                        person=self._known_policies.person(item.owner).escalates_to,
                        due_at=workflow.now() + hours,
                    )
                )

    # -- projection -------------------------------------------------------------------------------

    async def _put(self, item: AttentionItem) -> None:
        if item.state == "resolved":
            self._items.pop(item.id, None)
        else:
            self._items[item.id] = item
        self._show()
        self._changed()
        await workflow.execute_activity_method(
            AttentionActivities.put, item, **options.own(f"Show exception: {item.headline}"[:200])
        )

    def _show(self) -> None:
        if not self._items:
            search_attributes.upsert(attention=False, owner="", clear_due=True)
            return
        first = min(self._items.values(), key=lambda item: (item.due_at, item.id))
        search_attributes.upsert(attention=True, owner=first.owner.value, due=first.due_at)

    def _person(self, owner: OwnerGroup) -> str:
        return self._known_policies.person(owner).email

    @property
    def _known_policies(self) -> PolicySnapshot:
        if self._policies is None:
            raise RuntimeError("the desk is used before the policies are known")
        return self._policies


def refused(text: str) -> ApplicationError:
    """A decision that is not taken in; whoever made it is told why."""
    return ApplicationError(text, type=REFUSED, non_retryable=True)
