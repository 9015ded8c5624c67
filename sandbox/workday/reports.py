"""Reports as a Service: one custom report of the tenant, work calendars with their holidays.

The whole report comes at once under `Report_Entry`; scalars are text, a column of many values is a list of
objects; an empty report has no list at all.
"""

from datetime import date
from typing import Any

from sandbox.core.call import Answer, Call
from sandbox.workday import history, rest
from sandbox.workday.errors import bad_request, not_found
from sandbox.workday.seeding import CALENDARS

PATH = "/ccx/service/customreport2/{tenant}/{owner}/{report}"
OWNER, REPORT = "ISU_Fairlead", "Fairlead_Work_Calendars"


def work_calendars(call: Call) -> Answer:
    """`GET .../ISU_Fairlead/Fairlead_Work_Calendars?format=json`: this year's holidays and the next's."""
    if (call.params["owner"], call.params["report"]) != (OWNER, REPORT):
        raise not_found("report", f"{call.params['owner']}/{call.params['report']}")
    rest.parameters(call, "format")
    if call.query.get("format") != "json":
        raise bad_request("this sandbox gives reports as json only; add format=json")
    entries = [
        {
            "Calendar_ID": row["code"],
            "Country_Code": row["country"],
            "Weekly_Hours": row["weekly_hours"],
            "Holidays": [{"Holiday_Date": day.isoformat()} for day in _holidays(row["country"])],
        }
        for row in call.store.rows(CALENDARS)
    ]
    body: dict[str, Any] = {"Report_Entry": entries} if entries else {}
    return Answer(200, body)


def _holidays(country: str) -> list[date]:
    import holidays  # lazily: it is large, and few runs ask for calendars

    year = history.today().year
    return sorted(holidays.country_holidays(country, years=(year, year + 1)))
