"""Drawing alerts for people."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cli import views
from cli.output import counted, fields, local_time, plain, table

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from domain.alert_state import Alert, AlertRule
    from store.ports import AuditEntry


def draw_list(
    console: "Console",
    found: "Sequence[Alert]",
    looked: "Mapping[AlertRule, datetime]",
    now: datetime,
    *,
    filtered: bool,
) -> None:
    """Each alert with what to do; below, as of when that is."""
    for alert in found:
        console.print(block(alert, now))
    if not found:
        console.print("No alert fits these filters." if filtered else "Nothing lasts too long.")
    if not looked:
        console.print(
            "Nobody has looked yet: the worker looks every hour, or as often as [alerts] watch_every says.",
            style="dim",
            markup=False,
        )
        return
    console.print(f"As of {local_time(min(looked.values()))}.", style="dim")
    if found:
        console.print("Everything about one: fairlead alerts show ID", style="dim")


def draw_alert(console: "Console", alert: "Alert", entries: "Sequence[AuditEntry]", now: datetime) -> None:
    console.print(block(alert, now))
    console.print(
        fields(
            [
                ("Rule", alert.rule.label),
                ("Project", plain(alert.project)),
                ("Entity", alert.entity),
                ("Customer", plain(alert.customer)),
                ("On", plain(alert.object)),
                ("Raised", local_time(alert.raised_at)),
                ("Last seen", local_time(alert.seen_at)),
                ("Cleared", local_time(alert.cleared_at)),
                ("Escalates to", plain(alert.escalates_to)),
            ]
        )
    )
    if entries:
        console.print(views.title("Story"))
        rows = table("When", "What", "Why")
        for entry in entries:
            rows.add_row(local_time(entry.at), plain(entry.what), plain(entry.why))
        console.print(rows)


def block(alert: "Alert", now: datetime) -> "RenderableType":
    """What is wrong, its worth, its age, whose it is, and what to do."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    cleared = alert.cleared_at is not None
    head = Text.assemble(
        (alert.headline, "dim" if cleared else "bold red"), ("  cleared" if cleared else "", "green")
    )
    owner = " · ".join(part for part in (views.spoken(alert.owner.value), alert.person) if part)
    times = ""
    if alert.escalations:
        times = f", escalated {counted(alert.escalations, 'time')} to {alert.escalates_to}"
    body = fields(
        [
            ("What", plain(alert.detail)),
            ("Worth", plain(str(alert.worth))),
            ("Age", plain(f"{age(alert.age(now))}, since {local_time(alert.since)}{times}")),
            ("Owner", plain(owner)),
            ("Do", "" if cleared else plain(f"{alert.cure}\n{alert.command}".strip())),
            ("Id", plain(alert.id)),
        ]
    )
    return Group(head, Padding(body, (0, 0, 1, 2)))


def age(lasted: timedelta) -> str:
    """`31 d`, below two days in hours, below two hours in minutes."""
    minutes = max(int(lasted.total_seconds() // 60), 0)
    if minutes >= 2 * 24 * 60:
        return f"{minutes // (24 * 60)} d"
    return f"{minutes // 60} h" if minutes >= 120 else f"{minutes} min"
