"""What staffing finds in the store: people of HR, what the PSA plans, a demand, a difference. From today."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from domain.people import UnavailableDay, Worker, WorkerSkill
from domain.psa_people import PsaAssignment
from domain.resource_sync import Difference
from domain.staffing_demand import StaffingRequest
from store.people_ports import Told
from store.sql.engine import SqlStore

NOW = datetime.now(UTC).replace(microsecond=0)
TODAY = NOW.date()
MONDAY = TODAY + timedelta(days=7 - TODAY.weekday())
"""Of next week."""
DEAL = "006ANNA00000001"
PROCESS = f"activation/fairlead-demo/{DEAL}"


def worker(number: str, name: str, **changes: Any) -> Worker:
    facts: dict[str, Any] = {
        "id": f"worker:workday:{number}",
        "source": "workday",
        "external_id": number,
        "number": number,
        "name": name,
        "email": f"{number.lower()}@fairlead.example",
        "entity": "DE01",
        "role": "Architect",
        "grade": "Senior",
        "calendar": "DE",
        "weekly_hours": Decimal(40),
        "hired_on": TODAY - timedelta(days=900),
        "version": NOW,
    }
    return Worker.model_validate(facts | changes)


async def staffed(store: SqlStore) -> None:
    """Anna is free and knows Cloud, Ben is planned for all of it, Cleo has left."""
    people = store.people
    anna = worker("W-0001", "Anna Beck", skills=(WorkerSkill(name="Cloud", level=Decimal(4)),))
    ben, cleo = worker("W-0002", "Ben Roth"), worker("W-0003", "Cleo Wolf", ends_on=TODAY - timedelta(days=1))
    await people.keep_workers([anna, ben, cleo])
    for number, user in (("W-0001", "11"), ("W-0002", "12")):
        await people.tell(Told(key=f"kantata:person:worker:workday:{number}", external_id=user, revision=1))
    friday, end = MONDAY + timedelta(days=4), MONDAY + timedelta(days=60)
    off = UnavailableDay(worker_external_id="W-0001", day=MONDAY, hours=Decimal(8))
    await people.keep_unavailable("workday", ["W-0001"], [off], TODAY, friday)
    days = sum(1 for n in range((end - TODAY).days + 1) if (TODAY + timedelta(days=n)).weekday() < 5)
    full = PsaAssignment(
        external_id="a1",
        person_external_id="12",
        project_external_id="1",
        starts_on=TODAY,
        ends_on=end,
        hours=Decimal(8 * days),
    )
    await people.keep_assignments("kantata", [full], [])
    await people.ask([demand(), demand(key=f"{PROCESS}/2/1", ref="2", role="Tester", skills=())])
    found = Difference(
        scope="psa_people", person="W-0002", field="title", problem="title differs", found_at=NOW
    )
    await people.differ("workday", "psa_people", ["W-0002"], [found], NOW)


def demand(**changes: Any) -> StaffingRequest:
    facts: dict[str, Any] = {
        "key": f"{PROCESS}/1/1",
        "process": PROCESS,
        "project": "DE01-7K3QXW",
        "entity": "DE01",
        "ref": "1",
        "role": "Architect",
        "grade": "Senior",
        "skills": ("Cloud:3",),
        "hours": Decimal(32),
        "starts_on": MONDAY,
        "ends_on": MONDAY + timedelta(days=4),
        "asked_at": NOW - timedelta(days=2),
    }
    return StaffingRequest.model_validate(facts | changes)
