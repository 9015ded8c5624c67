"""Drawing what staffing looks at: its work list, and capacity by role and week."""

from datetime import date
from typing import TYPE_CHECKING, Any

from cli.output import local_time, plain, table, until
from cli.views import title

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

Rows = list[dict[str, Any]]


def draw_staffing(console: "Console", document: dict[str, Any]) -> None:
    console.print(local_time(document["as_of"]), style="dim")
    for name, heading, empty, drawn in (
        ("demand", "Unanswered demand", "Nobody waits for staffing.", _demand),
        ("bench", "Bench of the next four weeks", "Nobody has half of it free.", _bench),
        ("differences", "What HR and PSA do not agree on", "They agree.", _differences),
    ):
        rows, number = document[name], document["totals"][name]
        count = f"  {len(rows)} of {number}" if len(rows) < number else f"  {number}" if number else ""
        console.print(title(heading + count))
        if rows:
            console.print(drawn(rows))
        else:
            console.print(empty, style="dim")


def draw_capacity(console: "Console", document: dict[str, Any]) -> None:
    if not document["roles"]:
        console.print("Nobody is known yet: fairlead sync resources reads them from HR.", style="dim")
    weeks = document["weeks"]
    rows = table("Role", *(_week(week) for week in weeks), right=[_week(week) for week in weeks])
    for line in document["roles"]:
        rows.add_row(line["role"], *(_cell(week) for week in line["weeks"]))
    if document["roles"]:
        console.print(rows)
    console.print(plain(document["definition"]), style="dim")
    console.print(plain(f"{document['source']}, {local_time(document['as_of'])}"), style="dim")


def _demand(rows: Rows) -> "Table":
    drawn = table("Project", "Role", "Dates", "Hours", "Age", "Due", "Could take it", right=("Hours",))
    for row in rows:
        role = " ".join(part for part in (row["grade"], row["role"]) if part)
        skills = f"\n{', '.join(row['skills'])}" if row["skills"] else ""
        best = [f"{one.name} ({one.covers_percent}%): {', '.join(one.reasons)}" for one in row["candidates"]]
        drawn.add_row(
            plain(row["project"]),
            plain(role + skills),
            f"{row['starts_on']}\n{row['ends_on']}",
            f"{row['hours']:f}",
            f"{row['age_days']} d",
            until(row["due_at"]),
            plain("\n".join(best) or "nobody"),
        )
    return drawn


def _bench(rows: Rows) -> "Table":
    drawn = table("Person", "Role", "Entity", "Free", "Share", right=("Free", "Share"))
    for row in rows:
        role = " ".join(part for part in (row["grade"], row["role"]) if part)
        drawn.add_row(
            plain(row["name"] or row["person"]),
            plain(role),
            row["entity"],
            f"{row['free_hours']:f} h",
            f"{row['free_percent']}%",
        )
    return drawn


def _differences(rows: Rows) -> "Table":
    drawn = table("Person", "What", "Owner", "Since")
    for row in rows:
        owner = row["owner"].replace("_", " ")
        drawn.add_row(row["person"], plain(row["problem"]), owner, local_time(row["found_at"]))
    return drawn


def _week(week: date) -> str:
    return f"{week:%d %b}"


def _cell(week: dict[str, Any]) -> str:
    """Free of available; what is short stands below."""
    free = max(week["available"] - week["assigned"], 0)
    short = f"\nshort {week['short']:.0f}" if week["short"] else ""
    return f"{free:.0f}/{week['available']:.0f}{short}"
