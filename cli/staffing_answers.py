"""Who is named when staffing is approved here: looked up in the store, kept with the demand."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cli import staffing_reads
from cli.exit_codes import refused, usage

if TYPE_CHECKING:
    from cli.context import Session
    from domain.people import Worker
    from domain.staffing_demand import StaffingRequest

Named = dict[str, "Worker"]


async def open_requests(session: "Session", process: str) -> "list[StaffingRequest]":
    """What the process has asked and nobody has answered."""
    return list(await (await session.store()).people.demand(process=process))


async def named(session: "Session", asked: "Sequence[StaffingRequest]", people: Sequence[str]) -> Named:
    """Worker by reference of the request, of `WHO` and `REF=WHO`. Raises `Stop` for who cannot take it."""
    found: Named = {}
    for text in people:
        ref, _, who = text.rpartition("=")
        request = _request(asked, ref.strip(), text)
        there = await staffing_reads.people(session, request.starts_on, request.ends_on)
        wanted = who.strip().casefold()
        same = [
            one.worker
            for one in there
            if wanted in (one.worker.number.casefold(), one.worker.email.casefold())
        ]
        if len(same) != 1:
            raise refused(
                f"Nobody who is employed from {request.starts_on} to {request.ends_on} is {who.strip()!r}.",
                "Name a worker's number or work address: fairlead worklist staffing shows candidates.",
            )
        if same[0].role.casefold() != request.role.casefold():
            raise refused(
                f"{same[0].number} is {same[0].role or 'without a role'}; request {request.ref} asks for"
                f" {request.role}.",
                "Name somebody of that role, or have the demand changed.",
            )
        found[request.ref] = same[0]
    return found


def payload(asked: "Sequence[StaffingRequest]", people: Named) -> dict[str, str]:
    """What the decision is about: the revision that was looked at, and who is named."""
    revision = {"revision": str(max(one.revision for one in asked))} if asked else {}
    return revision | {f"person.{ref}": worker.number for ref, worker in people.items()}


async def keep(session: "Session", process: str, asked: "Sequence[StaffingRequest]", people: Named) -> None:
    """The demand is answered: it leaves the work list, with who was named."""
    now = datetime.now(UTC)
    answers = [
        one.with_changes(
            state="approved",
            resource=people[one.ref].number if one.ref in people else one.resource,
            answered_at=now,
        )
        for one in asked
    ]
    await (await session.store()).people.answer(process, answers)


def _request(asked: "Sequence[StaffingRequest]", ref: str, text: str) -> "StaffingRequest":
    known = {one.ref: one for one in asked}
    if not known:
        raise refused("No request of this project is open: nobody can be named.", "Leave --person out.")
    if not ref and len(known) == 1:
        return next(iter(known.values()))
    if ref not in known:
        refs = ", ".join(f"{one.ref} ({one.role})" for one in known.values())
        raise usage(f"--person {text!r} names no open request.", f"Write REF=WHO; open are {refs}.")
    return known[ref]
