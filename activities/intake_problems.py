"""What intake refused, by owner: counted and shown by its oldest few, however much there is."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from temporalio import activity

from domain.billable import IntakeProblem
from domain.readiness import OwnerGroup
from domain.time_posting import OldProblem, OpenProblems, OwnerProblems, ProblemsOf, SetAside
from store.ports import Store

MOST = 1000
"""Problems of one owner that are counted; beyond it the count says "more than"."""
SHOWN = 3
LONGEST = 300
"""Characters of a problem in an exception; the whole is on the work list."""


class IntakeProblemActivities:
    """On our own queue: Fairlead's store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @activity.defn(name="intake.problems")
    async def problems(self, input: ProblemsOf) -> OpenProblems:
        """What is refused now of one source, by owner group."""
        owners = []
        for owner in OwnerGroup:
            found = await self._store.billing.problems(owner=owner.value, limit=MOST + 1)
            mine = [problem for problem in found if problem.key.startswith(f"{input.source}:")]
            if mine:
                owners.append(_of(owner, mine[:MOST], more=len(found) > MOST))
        return OpenProblems(owners=tuple(owners))

    @activity.defn(name="intake.set_aside")
    async def set_aside(self, input: SetAside) -> None:
        """Leave out what people have decided is none of ours, until it changes."""
        await self._store.billing.set_aside(input)


def _of(owner: OwnerGroup, problems: Sequence[IntakeProblem], *, more: bool) -> OwnerProblems:
    oldest = [
        OldProblem(
            external_id=problem.external_id[:100],
            project=problem.project[:100],
            problem=problem.problem[:LONGEST],
            amount=problem.amount,
            found_at=problem.found_at,
        )
        for problem in problems[:SHOWN]
    ]
    return OwnerProblems(
        owner=owner, count=len(problems), more=more, amounts=_sums(problems), oldest=tuple(oldest)
    )


def _sums(problems: Sequence[IntakeProblem]) -> str:
    """`96.00 h, 119.00 EUR`: amounts are `<number> <unit>`; those of unreadable records are unknown."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for problem in problems:
        number, _, unit = problem.amount.partition(" ")
        if unit:
            sums[unit] += Decimal(number.replace(",", ""))
    return ", ".join(f"{total:,} {unit}" for unit, total in sorted(sums.items()))
