"""`fairlead report`: figures with their definition, source and as-of time."""

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import activation_screen, report_screens, staffing_screens
from cli.command import command, new_group
from cli.context import Session
from cli.exit_codes import usage

if TYPE_CHECKING:
    from cli.billing_reads import Standing

_WINDOW = timedelta(days=90)


def register(app: typer.Typer) -> None:
    """Add the group and its commands."""
    group = new_group("Figures, each with its definition, source and as-of time.")
    command(group, "burn", example=["fairlead report burn", "fairlead report burn --project DE01-7K3QXW"])(
        burn
    )
    command(
        group,
        "leakage",
        example=[
            "fairlead report leakage",
            "fairlead report leakage --since 2026-07-01 --until 2026-09-30 --entity DE01",
        ],
    )(leakage)
    command(
        group, "capacity", example=["fairlead report capacity", "fairlead report capacity --weeks 12 --json"]
    )(capacity)
    command(group, "activation", example=["fairlead report activation", "fairlead report activation --json"])(
        activation
    )
    app.add_typer(group, name="report", rich_help_panel="Billing")


async def burn(
    session: Session,
    project: Annotated[str | None, typer.Option(help="Only this project.", show_default=False)] = None,
) -> None:
    """How much of each project's cap or value is used: billed, approved and unbilled, left."""
    from cli.billing_reads import contracts, standing, today
    from cli.burn import DEFINITION, SOURCE, burn_line

    stands: list[Standing] = [
        await standing(session, contract, today()) for contract in await contracts(session, project)
    ]
    document: dict[str, Any] = {
        "report": "burn",
        "definition": DEFINITION,
        "source": SOURCE,
        "as_of": datetime.now(UTC),
        "projects": [burn_line(stand) for stand in stands],
    }
    session.out.show(document, lambda console: report_screens.draw_burn(console, document))


async def leakage(
    session: Session,
    since: Annotated[
        str | None,
        typer.Option(metavar="DAY", help="First day; 90 days before the last.", show_default=False),
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="DAY", help="Last day; today when left out.", show_default=False)
    ] = None,
    entity: Annotated[str | None, typer.Option(help="Only of this legal entity.", show_default=False)] = None,
) -> None:
    """Billable value that did not become an invoice in time, by cause, with formula and period."""
    from cli.billing_reads import today
    from cli.leakage import document as leakage_document

    last = _day(until, "--until") or today()
    first = _day(since, "--since") or last - _WINDOW
    if first > last:
        raise usage(f"--since {first} is after --until {last}.", "Give the earlier day first.")
    codes = [known.code for known in session.firm.entities]
    if entity is not None and entity not in codes:
        raise usage(f"There is no legal entity {entity!r}.", f"There are {', '.join(codes)}.")
    document = await leakage_document(session, entity, first, last)
    session.out.show(document, lambda console: report_screens.draw_leakage(console, document))


async def capacity(
    session: Session,
    weeks: Annotated[int, typer.Option(help="So many weeks, this one first.", min=1, max=26)] = 6,
) -> None:
    """By role and week the hours that are available, assigned, demanded and short. Names nobody."""
    from cli.capacity import document as capacity_document

    document = await capacity_document(session, weeks)
    session.out.show(document, lambda console: staffing_screens.draw_capacity(console, document))


async def activation(session: Session) -> None:
    """How long it takes from a signed deal to an active project, by stage, and what is stuck with whom."""
    from cli.activation_times import document as activation_document

    document = await activation_document(session)
    session.out.show(document, lambda console: activation_screen.draw(console, document))


def _day(text: str | None, option: str) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise usage(f"{option} {text!r} is no day.", "Write it like 2026-09-30.") from None
