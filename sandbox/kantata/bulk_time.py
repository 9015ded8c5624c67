"""Very many approved time entries at once, for benches and tests of volume.

    bulk_time.seed(store, BulkTime(entries=100_000, projects=1_000))

Every project has one task; people take turns, eight hours a day; a person's five entries of a week are one
approved timesheet. Change stamps are spread over the `days` before now, oldest first. Nothing is an
effect, and the change feed does not tell of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sandbox.core import clock
from sandbox.core.records import Record, RecordStore
from sandbox.kantata import rates, writing
from sandbox.kantata.time_rules import OPEN_STATUS

LARGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class BulkTime:
    """How much. `workspace_ids`: projects to spread it over, by turns, instead of new ones."""

    entries: int
    projects: int = 1
    days: int = 30
    workspace_ids: Sequence[int | str] = field(default=())

    def __post_init__(self) -> None:
        for name, most in (("entries", LARGEST), ("projects", 100_000), ("days", 3650)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= most:
                raise ValueError(f"{name} must be a whole number from 1 to {most}, not {value!r}")


def seed(store: RecordStore, wanted: BulkTime) -> dict[str, Any]:
    """Make the entries; what was made: counts, and the ids of the projects."""
    people = [user for user in store.rows("users") if user.get("role_id")]
    if not people:
        raise ValueError("the account has no people with a role to write time")
    places = _given(store, wanted) if wanted.workspace_ids else _projects(store, wanted.projects)
    made = _Making(store, wanted, people, places)
    made.run()
    return {
        "entries": wanted.entries,
        "submissions": made.submissions,
        "workspaces": [workspace.id for workspace, _ in places],
    }


class _Making:
    """Entries in turns over projects and people; a timesheet is closed when its person has a week of them."""

    def __init__(
        self,
        store: RecordStore,
        wanted: BulkTime,
        people: Sequence[Record],
        places: Sequence[tuple[Record, Record]],
    ) -> None:
        self._store = store
        self._wanted = wanted
        self._people = people
        self._places = places
        self._last = clock.now()
        self._first = self._last - wanted.days * 86_400
        self._prices: dict[tuple[str, str], tuple[int, int]] = {}
        self._weeks: dict[str, date] = {}
        self.submissions = 0

    def run(self) -> None:
        """Five entries of one person on one project make a timesheet."""
        number = 0
        sheet = 0
        while number < self._wanted.entries:
            size = min(5, self._wanted.entries - number)
            self._sheet(sheet, number, size)
            number += size
            sheet += 1

    def _sheet(self, sheet: int, number: int, size: int) -> None:
        workspace, story = self._places[sheet % len(self._places)]
        person = self._people[sheet % len(self._people)]
        monday = self._free_week(person)
        submission_id = str(self._store.next_number("timesheet_submissions"))
        entries = [
            self._entry(number + n, workspace, story, person, monday + timedelta(n), submission_id)
            for n in range(size)
        ]
        self.submissions += 1
        data = {
            "title": None,
            "comment": None,
            "workspace_id": workspace.id,
            "user_id": person.id,
            "status": "approved",
            "currency": workspace["currency"],
            "start_date": monday.isoformat(),
            "end_date": (monday + timedelta(size - 1)).isoformat(),
            "time_entry_ids": entries,
            "current_resolution_creator_id": "1",
            "current_resolution_created_at_date": monday.isoformat(),
            "current_resolution_description": "",
        }
        at = self._stamp(number + size - 1)
        self._store.create("timesheet_submissions", data, id=submission_id, at=at, derived=True)

    def _free_week(self, person: Record) -> date:
        """The latest week of a person that has no time yet, and is not this one."""
        today = clock.utc(self._last).date()
        monday = self._weeks.get(person.id) or today - timedelta(days=today.weekday())
        monday -= timedelta(days=7)
        while any(
            self._store.find("time_entries", "user_day", (person.id, (monday + timedelta(n)).isoformat()))
            for n in range(5)
        ):
            monday -= timedelta(days=7)
        self._weeks[person.id] = monday
        return monday

    def _entry(
        self, number: int, workspace: Record, story: Record, person: Record, day: date, submission_id: str
    ) -> str:
        bill, cost = self._price(workspace, person)
        data = {
            "workspace_id": workspace.id,
            "user_id": person.id,
            "story_id": story.id,
            "role_id": person["role_id"],
            "date_performed": day.isoformat(),
            "time_in_minutes": 480,
            "billable": True,
            "notes": None,
            "rate_in_cents": bill,
            "cost_rate_in_cents": cost,
            "taxable": False,
            "currency": workspace["currency"],
            "approved": True,
            "is_invoiced": False,
            "active_submission_id": submission_id,
        }
        return self._store.create("time_entries", data, at=self._stamp(number), derived=True).id

    def _price(self, workspace: Record, person: Record) -> tuple[int, int]:
        key = (workspace["currency"], person.id)
        if key not in self._prices:
            self._prices[key] = rates.of(self._store, workspace, person, person["role_id"])
        return self._prices[key]

    def _stamp(self, number: int) -> float:
        return self._first + (self._last - self._first) * (number + 1) / (self._wanted.entries + 1)


def _projects(store: RecordStore, count: int) -> list[tuple[Record, Record]]:
    made = []
    for number in range(count):
        title = {"title": f"Volume {number + 1}", "status_key": OPEN_STATUS}
        workspace = store.create("workspaces", {**writing.DEFAULTS["workspaces"], **title}, derived=True)
        made.append((workspace, _story(store, workspace)))
    return made


def _given(store: RecordStore, wanted: BulkTime) -> list[tuple[Record, Record]]:
    found = []
    for id in wanted.workspace_ids:
        workspace = store.get("workspaces", str(id))
        if workspace is None:
            raise ValueError(f"workspace {id} does not exist")
        tasks = [
            row
            for row in store.find("stories", "workspace_id", workspace.id)
            if row["story_type"] == "task" and row["state"] != "completed"
        ]
        found.append((workspace, tasks[0] if tasks else _story(store, workspace)))
    return found


def _story(store: RecordStore, workspace: Record) -> Record:
    data = {
        **writing.DEFAULTS["stories"],
        "workspace_id": workspace.id,
        "title": "Delivery",
        "story_type": "task",
    }
    return store.create("stories", data, derived=True)
