"""The work list of a project manager: pre-bills, held and refused work, and how much of each cap is used."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cli import billing_reads
from cli.billing_reads import standing, today
from cli.burn import burn_line
from cli.prebill_waiting import waiting

if TYPE_CHECKING:
    from cli.billing_reads import Standing
    from cli.context import Session

_PROBLEMS = 1000


async def gather(session: "Session", person: str | None) -> dict[str, Any]:
    """Of the projects that `person` manages, or of all."""
    mine = [
        contract
        for contract in await billing_reads.contracts(session)
        if person is None or contract.terms.project_manager.casefold() == person.casefold()
    ]
    stands = [await standing(session, contract, today()) for contract in mine]
    return {
        "as_of": datetime.now(UTC),
        "projects": len(mine),
        "prebills": await waiting(session, manager=person),
        "held": [line for stand in stands for line in _held(stand)],
        "purchases": await _purchases(session, {contract.project for contract in mine}),
        "burn": sorted((burn_line(stand) for stand in stands), key=_most_used),
        "refused": await _refused(session, {contract.project for contract in mine}, person),
    }


async def _purchases(session: "Session", projects: set[str]) -> list[dict[str, Any]]:
    """Requisitions and orders that somebody is waited for."""
    from domain.procurement_process import ACCEPTED, PROCUREMENT, WITHDRAWN

    rows = await (await session.store()).processes.list(kind=PROCUREMENT, state="running", limit=_PROBLEMS)
    return [
        {
            "project": row.project,
            "stage": row.stage,
            "what": row.title.removeprefix(f"project {row.project}: "),
            "since": row.updated_at,
        }
        for row in rows
        if row.project in projects and row.stage and row.stage not in (ACCEPTED, WITHDRAWN)
    ]


def _held(stand: "Standing") -> list[dict[str, Any]]:
    return [
        {
            "entry": entry.key,
            "project": entry.project,
            "date": entry.work_date,
            "person": entry.resource,
            "reason": entry.hold_reason,
            "value": stand.work.valued.worth(entry),
        }
        for entry in stand.work.of("held")
    ]


async def _refused(session: "Session", projects: set[str], person: str | None) -> list[dict[str, Any]]:
    """Entries that were not taken in: cured where they were written."""
    problems = await (await session.store()).billing.problems(limit=_PROBLEMS)
    return [
        {
            "entry": problem.key,
            "project": problem.project,
            "field": problem.field,
            "problem": problem.problem,
            "amount": problem.amount,
            "owner": problem.owner,
            "found_at": problem.found_at,
        }
        for problem in problems
        if person is None or problem.project in projects
    ]


def _most_used(line: dict[str, Any]) -> tuple[Any, ...]:
    used = line["used_percent"]
    return (used is None, -(used or 0), line["project"])
