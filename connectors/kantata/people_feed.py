"""People page by page, and the assignments that changed.

People have no order of change: all of them are read, each page beginning with the last rows of the one
before, so that somebody who leaves the list meanwhile hides nobody. Allocations are read in order of change;
that one is gone is told by the change feed alone, where the account has it.

Source: Kantata OX API, users, skill memberships, workspace allocations, subscribed events.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from pydantic import ValidationError

from connectors.errors import Rejected
from connectors.kantata import mapping
from connectors.kantata.account import OVERLAP, Account
from connectors.kantata.feed import Feed, change_bound
from connectors.kantata.models import Person, PlannedAllocation, SkillMembership
from connectors.kantata.people import PERSON
from connectors.kantata.window import LARGEST_PAGE, Cursor, Window
from domain.intake import FeedPosition
from domain.psa_people import (
    FACTS,
    AssignmentPage,
    PersonFact,
    PsaAssignment,
    PsaPeoplePage,
    PsaPerson,
    PsaSkill,
)

PEOPLE, PLANNED = "read people", "read assignments"
MOST_CHANGES = 2_000
ALLOCATIONS: Mapping[str, str | int] = {
    "include": "workspace,workspace_resource,user",
    "order": "updated_at:asc",
}


class PeopleFeed:
    """Both reads of one account."""

    def __init__(self, account: Account, feed: Feed) -> None:
        self._account = account
        self._feed = feed
        self._window = Window(account, "workspace_allocations", ALLOCATIONS, by_change=True)

    # ---- people

    async def people(self, page: str, limit: int) -> PsaPeoplePage:
        """One page. Raises `Rejected` for a page token that is not ours."""
        start = self._offset(page)
        size = min(max(limit, OVERLAP + 1), LARGEST_PAGE)
        params: dict[str, str | int] = {
            **{"limit": size, "offset": start, "include": PERSON, "on_my_account": "true"},
            "order": "alphabetical",
        }
        rows = await self._account.page("users", params, operation=PEOPLE)
        found = [self._account.read_row(Person, "users", row, PEOPLE) for row in rows]
        skills = await self._skills([person.id for person in found])
        return PsaPeoplePage(
            people=tuple(self._person(person, skills.get(person.id, ())) for person in found),
            facts=self._facts(),
            next_page=str(start + len(rows) - OVERLAP) if len(rows) >= size else "",
        )

    def _facts(self) -> tuple[PersonFact, ...]:
        """Those that a user of this account has a place for."""
        settings = self._account.settings
        fields = {
            "entity": settings.entity_field,
            "region": settings.region_field,
            "last_day": settings.last_day_field,
        }
        return tuple(name for name in FACTS if fields.get(name, 1))

    def _offset(self, page: str) -> int:
        if not page:
            return 0
        if not page.isdigit():
            words = f"{page[:80]!r} is no page token of this connector; begin the reading anew"
            raise self._account.error(Rejected, PEOPLE, words, field="page")
        return int(page)

    def _person(self, person: Person, skills: Sequence[PsaSkill]) -> PsaPerson:
        facts = mapping.person_fields(person, self._account.settings)
        return PsaPerson(
            external_id=person.id,
            email=person.email_address,
            role=person.role.name if person.role else "",
            skills=tuple(skills),
            **facts,
        )

    async def _skills(self, people: Sequence[str]) -> Mapping[str, Sequence[PsaSkill]]:
        if not people:
            return {}
        params: dict[str, str | int] = {
            "user_ids": ",".join(people),
            "include": "user",
            "order": "created_at:asc",
        }
        rows = await self._account.search(SkillMembership, "skill_memberships", params, operation=PEOPLE)
        found: defaultdict[str, list[PsaSkill]] = defaultdict(list)
        for row in rows:
            found[row.user_id or ""].append(
                PsaSkill(external_id=row.id, name=row.cached_skill_name, level=row.level or 0)
            )
        return found

    # ---- assignments

    async def assignments(self, position: FeedPosition, limit: int) -> AssignmentPage:
        """One page. Raises `Rejected` for a page token that is not ours."""
        cursor = self._cursor(position)
        page = await self._window.read(cursor, min(max(limit, 1), LARGEST_PAGE), PLANNED)
        rows = [
            self._account.read_row(PlannedAllocation, "workspace_allocations", seen.row, PLANNED)
            for seen in page.new
        ]
        gone = await self._gone(position.since) if page.ended else ()
        following = self._window.after(page, len(page.new))
        return AssignmentPage(
            assignments=tuple(_assignment(row) for row in rows if row.user_id and row.hard),
            gone=(*gone, *(row.id for row in rows if not (row.user_id and row.hard))),
            next_page="" if page.ended else following.model_dump_json(),
            mark=max((seen.at for seen in page.came), default=position.since),
        )

    def _cursor(self, position: FeedPosition) -> Cursor:
        if position.page:
            try:
                return Cursor.model_validate_json(position.page)
            except ValidationError:
                words = f"{position.page[:80]!r} is no page token of this connector; begin the reading anew"
                raise self._account.error(Rejected, PLANNED, words, field="page") from None
        if position.since is None:
            return Cursor()
        return Cursor(after=datetime.fromisoformat(change_bound(position.since, self._account.settings)))

    async def _gone(self, since: datetime | None) -> Sequence[str]:
        """Allocations deleted since; where the account has no feed, nothing tells."""
        if since is None:
            return ()
        changes = await self._feed.changes(since, MOST_CHANGES)
        return [
            one.subject_id
            for one in changes
            if one.subject == "workspace_allocation" and one.verb == "deleted"
        ]


def _assignment(row: PlannedAllocation) -> PsaAssignment:
    return PsaAssignment(
        external_id=row.id,
        person_external_id=row.user_id or "",
        project_external_id=row.workspace_id or "",
        starts_on=row.start_date,
        ends_on=row.end_date,
        hours=(Decimal(row.minutes) / 60).quantize(Decimal("0.01")),
    )
