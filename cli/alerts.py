"""`fairlead alerts`: what lasts too long, in business terms, with what to do about it."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from cli import alert_screens
from cli.command import command
from cli.context import Session
from cli.exit_codes import ExitCode, not_found, usage
from cli.keys import MOST

if TYPE_CHECKING:
    from rich.console import Console

    from domain.alert_state import Alert, AlertRule


class ListFirst(TyperGroup):
    """`fairlead alerts` is `fairlead alerts list`, and takes its options."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Options without a command are those of `list`."""
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


def register(app: typer.Typer) -> None:
    """Add the group and its commands."""
    group = typer.Typer(
        cls=ListFirst,
        help="What lasts too long, in business terms: one alert for a condition, gone when it is healed.",
        pretty_exceptions_enable=False,
    )
    command(
        group,
        "list",
        example=[
            "fairlead alerts",
            "fairlead alerts list --owner finance_systems",
            "fairlead alerts list --rule unbilled_work --all --json",
        ],
    )(list_)
    command(
        group,
        "show",
        example=[
            "fairlead alerts show unbilled_work/DE01-7K3QXW/1",
            "fairlead alerts show DE01-7K3QXW",
        ],
    )(show)
    app.add_typer(group, name="alerts", rich_help_panel="People decide")


async def list_(
    session: Session,
    owner: Annotated[str | None, typer.Option(help="Only those of this owner group.")] = None,
    rule: Annotated[str | None, typer.Option(help="Only those of this rule.")] = None,
    all: Annotated[bool, typer.Option("--all", help="Also those that are cleared.")] = False,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 100,
) -> int:
    """Open alerts, the one that has lasted longest first.

    Ends with 6 while one is open, so that a script can tell; with 0 when there is none.
    """
    from cli.board import owner_group

    wanted, group = _rule(rule), owner_group(owner)
    alerts = (await session.store()).alerts
    found = await alerts.list(open_only=not all, rule=wanted, owner=group, limit=limit)
    looked, now = await alerts.looked(), datetime.now(UTC)
    shown = {
        "count": len(found),
        "looked_at": {one.value: at for one, at in sorted(looked.items())},
        "alerts": [document(alert, now) for alert in found],
    }

    def draw(console: "Console") -> None:
        alert_screens.draw_list(console, found, looked, now, filtered=bool(wanted or group))

    session.out.show(shown, draw)
    return ExitCode.WAITING if any(alert.cleared_at is None for alert in found) else ExitCode.OK


async def show(
    session: Session,
    id: Annotated[str, typer.Argument(metavar="ID|PROJECT", show_default=False)],
) -> None:
    """One alert: what is wrong, what it is worth and since when, its story, and what to do."""
    alert = await _alert(session, id)
    entries = await (await session.store()).audit.list(f"alert:{alert.id}")
    now = datetime.now(UTC)
    shown = {
        "alert": document(alert, now),
        "story": [entry.model_dump(mode="json") for entry in entries],
    }
    session.out.show(shown, lambda console: alert_screens.draw_alert(console, alert, entries, now))


def document(alert: "Alert", now: datetime) -> dict[str, Any]:
    """The alert with what follows from it: its amount in words, its age, whether it is open."""
    return {
        **alert.model_dump(mode="json"),
        "state": "cleared" if alert.cleared_at else "open",
        "amount": str(alert.worth),
        "age_days": alert.age(now).days,
    }


def _rule(name: str | None) -> "AlertRule | None":
    """The rule of a name. Raises `Stop` naming those there are."""
    from domain.alert_state import AlertRule

    if name is None:
        return None
    try:
        return AlertRule(name.strip().lower().replace(" ", "_").replace("-", "_"))
    except ValueError:
        known = ", ".join(AlertRule)
        raise usage(f"There is no alert rule {name!r}.", f"There are {known}.") from None


async def _alert(session: Session, id: str) -> "Alert":
    """By its id, without its number the open one, or by a project or object with just one open alert."""
    alerts = (await session.store()).alerts
    alert = await alerts.get(id)
    if alert is not None:
        return alert
    fitting = [one for one in await alerts.list(limit=MOST) if id in (one.key, one.object, one.project)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        ids = ", ".join(one.id for one in fitting)
        raise usage(f"{id} has {len(fitting)} open alerts.", f"Name one of: {ids}.")
    raise not_found(f"There is no open alert {id!r}.", "`fairlead alerts list --all` shows all there were.")
