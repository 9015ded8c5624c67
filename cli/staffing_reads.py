"""What staffing and capacity read of the store: people with what takes their hours away, and open demand."""

from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING

from domain.rules.availability import Availability
from domain.rules.candidates import Need, SkillNeed

if TYPE_CHECKING:
    from cli.context import Session
    from domain.people import UnavailableDay, Worker
    from domain.psa_people import PsaAssignment
    from domain.staffing_demand import StaffingRequest
    from store.ports import ProcessRow

_PAGE = 500


async def people(session: "Session", first: date, last: date) -> list[Availability]:
    """Everybody who is employed on some day of the range; nobody where the firm has no HR."""
    hr, psa = session.firm.parts.roles.hr, session.firm.parts.roles.psa
    if hr is None:
        return []
    store = (await session.store()).people
    workers = [one for one in await _workers(session, hr) if _employed(one, first, last)]
    told = await store.told([f"{psa}:person:{worker.id}" for worker in workers])
    calendars = {calendar.code: calendar for calendar in await store.calendars(hr)}
    away: defaultdict[str, list[UnavailableDay]] = defaultdict(list)
    for day in await store.unavailable(hr, first, last):
        away[day.worker_external_id].append(day)
    planned: defaultdict[str, list[PsaAssignment]] = defaultdict(list)
    for one in await store.assignments(psa, since=first):
        planned[one.person_external_id].append(one)
    found = []
    for worker in workers:
        link = told.get(f"{psa}:person:{worker.id}")
        found.append(
            Availability(
                worker=worker,
                calendar=calendars.get(worker.calendar),
                unavailable=tuple(away[worker.external_id]),
                assignments=tuple(planned[link.external_id]) if link else (),
            )
        )
    return found


async def open_demand(session: "Session") -> "list[tuple[StaffingRequest, ProcessRow | None]]":
    """Requests nobody has answered, of processes that still wait for it; each with its process."""
    store = await session.store()
    rows: dict[str, ProcessRow | None] = {}
    found = []
    for asked in await store.people.demand():
        if asked.process not in rows:
            rows[asked.process] = await store.processes.get(asked.process)
        row = rows[asked.process]
        if row is None or row.state == "running":
            found.append((asked, row))
    return found


def need(asked: "StaffingRequest") -> Need:
    return Need(
        role=asked.role,
        starts_on=asked.starts_on,
        ends_on=asked.ends_on,
        hours=asked.hours,
        grade=asked.grade,
        entity=asked.entity,
        skills=tuple(SkillNeed.parse(skill) for skill in asked.skills),
    )


async def _workers(session: "Session", hr: str) -> "list[Worker]":
    store, found = (await session.store()).people, list["Worker"]()
    while True:
        page = await store.workers(hr, after=found[-1].id if found else "", limit=_PAGE)
        found += page
        if len(page) < _PAGE:
            return found


def _employed(worker: "Worker", first: date, last: date) -> bool:
    return worker.hired_on <= last and (worker.ends_on is None or worker.ends_on >= first)
