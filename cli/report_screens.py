"""Drawing reports: figures first, then definition, source and as-of time."""

from typing import TYPE_CHECKING, Any

from cli.output import counted, fields, local_time, plain, table
from cli.views import spoken, title
from cli.worklist_screens import percent

if TYPE_CHECKING:
    from rich.console import Console


def draw_burn(console: "Console", document: dict[str, Any]) -> None:
    projects = document["projects"]
    if not projects:
        console.print("No project has a contract here yet: billing begins when a deal is active.")
    elif len(projects) == 1:
        _draw_one(console, projects[0])
    else:
        _draw_all(console, projects)
    _draw_source(console, document)


def draw_leakage(console: "Console", document: dict[str, Any]) -> None:
    period = f"{document['first']} to {document['last']}"
    entity = f", entity {document['entity']}" if document["entity"] else ""
    console.print(plain(f"Leakage of {period}{entity}, target {document['target_days']} days"), style="bold")
    if not document["currencies"]:
        console.print("No project has a contract here yet, so nothing was earned.")
    for group in document["currencies"]:
        _draw_currency(console, group, period)
    if document["refused_at_intake"]:
        console.print(title("Refused at intake, without a value"))
        for line in document["refused_at_intake"]:
            console.print(plain(f"  {line['count']}  {line['rule']}"))
    console.print(title("Not measured"))
    for text in document["not_measured"]:
        console.print(plain(f"  {text}"))
    _draw_source(console, document)


def _draw_all(console: "Console", projects: list[dict[str, Any]]) -> None:
    rows = table("Project", "Limit", "Billed", "Unbilled", "Left", "Used", "Retained", "Advance left")
    for column in rows.columns[1:]:
        column.justify = "right"
    for line in projects:
        rows.add_row(
            plain(f"{line['project']}\n{line['customer']}"),
            plain(f"{line['limit']}\n{line['limit_is']}" if line["limit"] else "none"),
            str(line["billed"]),
            str(line["unbilled"]),
            str(line["left"]) if line["left"] is not None else "",
            percent(line["used_percent"]),
            _if_any(line["retained"]),
            _if_any(line["advance_left"]),
        )
    console.print(rows)


def _draw_one(console: "Console", line: dict[str, Any]) -> None:
    without = line["entries_without_rate"]
    console.print(
        fields(
            [
                ("Project", plain(f"{line['project']} {line['title']}")),
                ("Customer", plain(line["customer"])),
                ("Contract value", str(line["value"] or "")),
                ("Limit", f"{line['limit']} ({line['limit_is']})" if line["limit"] else "none agreed"),
                ("Billed", str(line["billed"])),
                ("Unbilled approved", f"{line['unbilled']}, of which held {line['unbilled_held']}"),
                ("Above a cap", _if_any(line["above_cap"])),
                ("Without a rate", counted(without, "entry", "entries") if without else ""),
                ("Left", str(line["left"]) if line["left"] is not None else ""),
                ("Used", percent(line["used_percent"])),
                ("Retained", str(line["retained"])),
                ("Advance left", str(line["advance_left"])),
                ("Not valued", plain(line["problem"])),
            ]
        )
    )


def _draw_currency(console: "Console", group: dict[str, Any], period: str) -> None:
    console.print(title(group["currency"]))
    for problem in group["problems"]:
        console.print(plain(f"Not valued: {problem}"), style="yellow")
    if group["entries_without_rate"]:
        without = counted(group["entries_without_rate"], "entry has", "entries have")
        console.print(f"{without} no rate and no value.", style="yellow")
    if group["total"] is None:
        console.print(f"Nothing was earned from {period}.")
        return
    if not group["causes"]:
        console.print(f"Nothing leaked of {group['earned']} earned.", style="green")
        return
    rows = table("Cause", "Meaning", "Count", "Value", "Of it billed late", right=("Count", "Value"))
    rows.columns[4].justify = "right"
    for line in group["causes"]:
        rows.add_row(
            spoken(line["cause"]),
            plain(line["meaning"]),
            str(line["count"]),
            str(line["value"]),
            _if_any(line["late"]),
        )
    console.print(rows)
    console.print(plain(f"{group['total']} of {group['earned']} earned: {group['percent']}%"), style="bold")
    console.print(plain(group["formula"]), style="dim")
    if group["largest"]:
        console.print(title("Largest that are still open"))
        largest = table("Key", "Cause", "Earned", "Value", fold=("Key",), right=("Value",))
        for line in group["largest"]:
            largest.add_row(
                plain(line["key"]), spoken(line["cause"]), str(line["earned_on"]), str(line["value"])
            )
        console.print(largest)


def _draw_source(console: "Console", document: dict[str, Any]) -> None:
    console.print()
    console.print(
        fields(
            [
                ("Definition", plain(document["definition"])),
                ("Source", plain(document["source"])),
                ("As of", local_time(document["as_of"])),
            ]
        )
    )


def _if_any(amount: Any) -> str:
    return str(amount) if amount is not None and amount.amount else ""
