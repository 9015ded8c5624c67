"""Drawing `fairlead report activation`."""

from typing import TYPE_CHECKING, Any

from cli.output import counted, local_time, plain, table
from cli.views import title

if TYPE_CHECKING:
    from rich.console import Console


def draw(console: "Console", document: dict[str, Any]) -> None:
    """Durations by stage, then what is open."""
    active = document["active"]
    if active is None:
        console.print("No activation has ended in an active project yet.", style="dim")
    else:
        number = counted(active.count, "activation")
        console.print(f"{number}: median {active.median:f} h, p90 {active.p90:f} h.")
        rows = table("Stage", "Median", "p90", right=("Median", "p90"))
        for line in document["stages"]:
            hours = line["hours"]
            if hours is not None:
                rows.add_row(line["stage"], f"{hours.median:f} h", f"{hours.p90:f} h")
        console.print(rows)
    _draw_open(console, document["open"])
    console.print(plain(document["definition"]), style="dim")
    console.print(plain(f"{document['source']}, {local_time(document['as_of'])}"), style="dim")


def _draw_open(console: "Console", rows: list[dict[str, Any]]) -> None:
    console.print(title(f"Not active yet  {len(rows)}" if rows else "Not active yet"))
    if not rows:
        console.print("None is on its way.", style="dim")
        return
    drawn = table("Activation", "Stage", "Hours", "Stuck with", right=("Hours",))
    for row in rows:
        stuck = ", ".join(row["stuck_with"])
        why = "; ".join(row["why"])
        drawn.add_row(
            plain(row["title"] or row["process"]),
            row["stage"],
            f"{row['hours']:.1f}",
            plain(f"{stuck}: {why}" if stuck else "nobody"),
        )
    console.print(drawn)
