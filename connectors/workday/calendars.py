"""Work calendars out of a custom report of the tenant (Reports as a Service).

No service of Workday lists public holidays, so a report does: one row per calendar, its holidays as a
multi-instance column. The whole report comes at once; its scalars are text.

Source: Workday Reports as a Service, JSON output.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pydantic import ValidationError

from connectors.errors import Rejected
from connectors.workday.rest import Rest
from domain.people import WorkCalendar

OPERATION = "read work calendars"


async def work_calendars(rest: Rest) -> Sequence[WorkCalendar]:
    """The calendars of the report; none where the settings name no report."""
    settings = rest.settings
    if not settings.calendar_report:
        return []
    answer = await rest.http.call(
        "GET",
        f"/ccx/service/customreport2/{settings.tenant}/{settings.calendar_report}",
        operation=OPERATION,
        write=False,
        params={"format": "json"},
    )
    if not isinstance(answer.body, Mapping):
        words = "the answer is not as documented: Report_Entry is missing"
        raise rest.error(Rejected, OPERATION, words, field="Report_Entry", rule="schema.missing_field")
    # An empty report has an empty list, or none.
    return [_calendar(rest, row) for row in answer.body.get("Report_Entry") or ()]


def _calendar(rest: Rest, row: Mapping[str, Any]) -> WorkCalendar:
    column = rest.settings.calendar_columns
    for name in ("code", "weekly_hours"):
        if not row.get(column[name]):
            words = f"the report has no column {column[name]} ({name})"
            raise rest.error(Rejected, OPERATION, words, field=column[name], rule="schema.missing_field")
    try:
        return WorkCalendar(
            code=row[column["code"]],
            country=row.get(column["country"]) or "",
            weekly_hours=row[column["weekly_hours"]],
            holidays=tuple(
                sorted(
                    date.fromisoformat(str(day[column["holiday"]])[:10])
                    for day in row.get(column["holidays"]) or ()
                )
            ),
        )
    except (ValidationError, ValueError, KeyError, TypeError) as error:
        words = f"calendar {row[column['code']]} of the report cannot be read: {error}"
        raise rest.error(Rejected, OPERATION, words, rule="schema.changed_field") from None
