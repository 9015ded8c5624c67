"""`fairlead report capacity`: by role and week what is there, planned, demanded and short."""

from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

from cli import staffing_reads

if TYPE_CHECKING:
    from cli.context import Session

DEFINITION = (
    "Hours by role and week. Available: working days of people employed then, less unavailable hours."
    " Assigned: planned in the PSA. Demanded: open requests, evenly over their weekdays. Short: demanded"
    " beyond what is available and not assigned. The table shows free of available hours."
)


async def document(session: "Session", weeks: int) -> dict[str, Any]:
    """Of the whole firm, without names."""
    from domain.rules.capacity import capacity, weeks_from

    now = datetime.now(UTC)
    mondays = weeks_from(now.date(), weeks)
    people = await staffing_reads.people(session, mondays[0], mondays[-1] + timedelta(days=6))
    needs = [staffing_reads.need(asked) for asked, _ in await staffing_reads.open_demand(session)]
    found = capacity(people, needs, mondays)
    roles = session.firm.parts.roles
    return {
        "report": "capacity",
        "definition": DEFINITION,
        "source": f"{roles.hr or 'no HR'} and {roles.psa}, as last synced",
        "as_of": now,
        "weeks": mondays,
        "roles": [
            {
                "role": role,
                "weeks": [
                    {
                        "week": one.week,
                        "available": one.available,
                        "assigned": one.assigned,
                        "demanded": one.demanded,
                        "short": one.short,
                    }
                    for one in ones
                ],
            }
            for role, ones in groupby(found, key=lambda one: one.role)
        ],
    }
