"""The firm of the billing drill: its projects on stage, their stories at once, and how all of it ends."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date

from drill import billing_checks as checks
from drill.billing_cast import FIRM_VALUES, Role, cast, prepare
from drill.billing_stage import Stage, Systems, systems_of
from drill.billing_state import Standing, standing
from drill.billing_story import Project, Stuck, take_in
from drill.lane import Lane, lane
from drill.planted import COVERAGE

PAGE = 5
"""Entries on a page of intake: small, so that there are several."""


@dataclass
class Firm:
    """A lane with its projects on stage."""

    lane: Lane
    systems: Systems
    projects: list[tuple[Role, Project]] = field(default_factory=list)

    def only(self, keys: Iterable[str]) -> None:
        """Play only the projects that are attacked by name; what is worked comes in of all of them."""
        named = list(keys)
        self.projects = [one for one in self.projects if any(f"/{one[0].number}:" in key for key in named)]


@asynccontextmanager
async def staged(today: date, planted_bug: str = "") -> AsyncIterator[Firm]:
    """A firm with every project ready to be billed; nothing has happened yet."""
    async with AsyncExitStack() as stack:
        bug = "" if planted_bug == COVERAGE else planted_bug
        attacked = await stack.enter_async_context(lane(planted_bug=bug, firm_values=FIRM_VALUES))
        systems = await stack.enter_async_context(systems_of(attacked.setup))
        stage = Stage(attacked.setup.firm, attacked.store, attacked.sandbox, systems)
        firm = Firm(attacked, systems)
        for role in cast(today, await stage.signed_deals()):
            contract = await stage.put(role.to_bill)
            firm.projects.append((role, Project(attacked, contract, write_down=role.write_down)))
        await prepare(attacked, today)
        yield firm


async def play(
    firm: Firm, today: date, faults: Sequence[dict[str, object]] = (), *, in_turn: bool = False
) -> list[str]:
    """Take in the work, then every story at once, under `faults`; what did not come to its end.

    `in_turn` for kills: one that is meant for a project would strike another in the middle of a write, which
    is then found, and the point that is armed there is never passed.
    """

    async def told(role: Role, project: Project) -> str:
        try:
            async with project.people():
                await role.story(project, today)
        except Stuck as stuck:
            return str(stuck)
        return ""

    try:
        await take_in(firm.lane, firm.systems.psa.system, page_size=PAGE)
    except Stuck as stuck:
        return [str(stuck)]
    for fault in faults:
        await firm.lane.arm_fault(**fault)
    stories = [told(role, project) for role, project in firm.projects]
    ends = [await story for story in stories] if in_turn else await asyncio.gather(*stories)
    return [end for end in ends if end]


async def stand(firm: Firm) -> list[Standing]:
    """How every project stands; from here on nothing is armed."""
    await firm.lane.sandbox.delete("/_faults")
    return [await standing(project, firm.systems) for _, project in firm.projects]


async def broken(firm: Firm, standings: Sequence[Standing], today: date) -> list[str]:
    """What should always hold, and does not."""
    ledger = await checks.Ledger(firm.lane, firm.systems).read()
    found: list[str] = []
    for one in standings:
        found += [*checks.sums_differ(one), *checks.strangers(one), *checks.billed_twice_or_lost(one)]
        found += ledger.postings_differ(one)
    return found + await ledger.books_differ(standings, today)
