"""`fairlead deals`, `fairlead activate`: what is signed, and turning it into an operational project."""

import getpass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import people
from cli.command import command
from cli.context import Session
from cli.exit_codes import ExitCode, not_found, refused
from cli.keys import MOST, activation_id, web_address
from cli.output import address, fields, plain, state, table

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from domain.selling import Deal, DealSummary
    from store.ports import ProcessRow

_PANEL = "Deals and projects"
_WIDE = 100
"""Columns from which one line per deal is readable."""


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    command(app, "deals", example=["fairlead deals", "fairlead deals --all --json"], panel=_PANEL)(deals)
    command(
        app,
        "activate",
        example=["fairlead activate 006WX0000012AbCYAU", "fairlead activate 006WX0000012AbCYAU --wait"],
        panel=_PANEL,
    )(activate)


async def deals(
    session: Session,
    all: Annotated[bool, typer.Option("--all", help="Also those that are active already.")] = False,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 200,
) -> None:
    """Deals that are signed in the CRM and not active yet.

    Read from the CRM now; the state comes from Fairlead's own store and from Temporal.
    """
    found = [deal for crm in await session.crms() for deal in await crm.signed_deals(None, MOST)]
    rows = {row.key: row for row in await (await session.store()).processes.list("activation", limit=MOST)}
    attention = await _attention_by_process(session)
    lines = []
    for deal in sorted(found, key=lambda one: (one.signed_on is None, one.signed_on, one.name)):
        row = rows.get(activation_id(session, deal.external_id))
        spoken = _state(deal, row, bool(row and attention.get(row.key)))
        if all or spoken != "active":
            lines.append(_line(deal, spoken, row))
    document = {"deals": lines[:limit], "count": len(lines[:limit]), "total": len(lines)}
    session.out.show(document, lambda console: _draw_deals(console, lines[:limit], len(lines), all))


async def activate(
    session: Session,
    deal: Annotated[str, typer.Argument(help="Id of the deal in the CRM.", show_default=False)],
    wait: Annotated[bool, typer.Option("--wait", help="Follow it until it is active or waits.")] = False,
) -> int:
    """Make a signed deal an operational project in every system; joins the activation if one runs.

    The deal is read from the CRM first: nothing is started for one that is unknown or not signed.
    """
    asked_by = requested_by(session, "activate a deal")
    known = await _signed_deal(session, deal)
    workflow_id = activation_id(session, known.external_id)
    row = await (await session.store()).processes.get(workflow_id)
    if row is not None and row.state == "done":
        document = _active(known, row)
        session.out.show(document, lambda console: _draw_active(console, document))
        return 0
    document = await _started(session, known, asked_by)
    if not wait:
        session.out.show(document, lambda console: _draw_started(console, document))
        return 0
    from cli.watch import follow

    session.out.note(f"{document['answer']} {workflow_id}")
    code = await follow(session, workflow_id, once=False)
    ended = await (await session.store()).processes.get(workflow_id)
    return ExitCode.REFUSED if ended is not None and ended.state == "cancelled" else code


# -- deals ------------------------------------------------------------------------------------------


async def _attention_by_process(session: Session) -> dict[str, int]:
    counts: dict[str, int] = {}
    for item in await (await session.store()).attention.list(limit=MOST):
        counts[item.process] = counts.get(item.process, 0) + 1
    return counts


def _state(deal: "DealSummary", row: "ProcessRow | None", attention: bool) -> str:
    if row is None:
        return "active" if deal.status == "Active" else "not started"
    if row.state == "running":
        return "needs attention" if attention else row.stage or "running"
    return "active" if row.state == "done" else row.state


def _line(deal: "DealSummary", spoken: str, row: "ProcessRow | None") -> dict[str, Any]:
    return {
        "deal": deal.external_id,
        "name": deal.name,
        "customer": deal.customer,
        "amount": deal.amount,
        "currency": deal.currency,
        "entity": deal.billing_entity,
        "signed_on": deal.signed_on,
        "state": spoken,
        "project": row.project if row else "",
        "process": row.key if row else "",
    }


def _draw_deals(console: "Console", lines: list[dict[str, Any]], total: int, all: bool) -> None:
    if not lines:
        console.print("No deal is signed and not active." if not all else "No deal is signed.")
        return
    console.print(_wide(lines) if console.width >= _WIDE else _narrow(lines))
    shown = f"{len(lines)} of {total}" if len(lines) < total else str(total)
    console.print(
        f"{shown} signed{'' if all else ' and not active'}. Next: fairlead activate DEAL", style="dim"
    )


def _wide(lines: list[dict[str, Any]]) -> "Table":
    rows = table("Deal", "Customer", "What", "Amount", "Entity", "Signed", "State", right=("Amount",))
    rows.columns[0].no_wrap = rows.columns[5].no_wrap = True
    for line in lines:
        rows.add_row(
            line["deal"],
            plain(line["customer"]),
            plain(_short_name(line)),
            _amount(line),
            line["entity"] or "?",
            str(line["signed_on"] or "?"),
            state(line["state"]),
        )
    return rows


def _narrow(lines: list[dict[str, Any]]) -> "Table":
    """Two lines per deal, for terminals of 80 columns."""
    rows = table("Deal", "Customer and deal", "Amount", "State", right=("Amount",))
    rows.columns[0].no_wrap = True
    for line in lines:
        rows.add_row(
            f"{line['deal']}\n[dim]{line['signed_on'] or '?'}  {line['entity'] or 'no entity'}[/dim]",
            plain(f"{line['customer']}\n{_short_name(line)}"),
            _amount(line),
            state(line["state"]),
        )
    return rows


def _short_name(line: dict[str, Any]) -> str:
    """The deal's name without the customer's, which stands beside it."""
    name: str = line["name"]
    return name.removeprefix(line["customer"]).strip() or name


def _amount(line: dict[str, Any]) -> str:
    from decimal import Decimal, InvalidOperation

    try:
        return f"{Decimal(line['amount']):,} {line['currency']}"
    except InvalidOperation:
        return f"{line['amount']} {line['currency']}".strip() or "?"


# -- activate ---------------------------------------------------------------------------------------


def requested_by(session: Session, what: str) -> str:
    """The person of `--as`, checked for `what`; without one the name of the account on this machine."""
    if people.person(session):
        return people.acting(session, people.DECIDERS, what).email
    try:
        return f"cli:{getpass.getuser()}"
    except (OSError, KeyError):
        return "cli"


async def _signed_deal(session: Session, key: str) -> "Deal":
    """The deal as the CRM holds it. Raises `Stop`: unknown, or not signed and why."""
    from connectors.errors import NotFound

    activation_id(session, key)
    asked = []
    for crm in await session.crms():
        asked.append(f"{crm.system} at {session.firm.systems[crm.system].base_url}")
        try:
            deal = await crm.read_deal(key)
        except NotFound:
            continue
        _require_signature(deal)
        return deal
    places = " or ".join(asked) or "any CRM: none is set up"
    raise not_found(
        f"There is no deal {key!r} in {places}. Nothing was started.",
        "`fairlead deals` lists the signed ones.",
    )


def _require_signature(deal: "Deal") -> None:
    if deal.signed:
        return
    reasons = []
    if not deal.won:
        reasons.append(f"its stage is {deal.stage!r}, not won")
    if deal.contract is None:
        reasons.append("it has no contract")
    elif deal.contract.signed_on is None:
        reasons.append(f"contract {deal.contract.number} has no date of the customer's signature")
    raise refused(
        f"Deal {deal.external_id} {deal.name} is not signed: {' and '.join(reasons)}. Nothing was started.",
        "Complete it in the CRM; a signed deal is activated by its event, or by this command.",
    )


async def _started(session: Session, deal: "Deal", requested_by: str) -> dict[str, Any]:
    import asyncio

    from workflows.shared.start import start_activation

    client = await session.client()
    async with asyncio.timeout(30):
        started = await start_activation(
            client, session.settings, firm=session.firm.id, deal=deal.external_id, requested_by=requested_by
        )
    return {
        "answer": "joined" if started.joined else "started",
        "deal": deal.external_id,
        "name": deal.name,
        "customer": deal.customer.name,
        "requested_by": requested_by,
        "process": started.workflow_id,
        "run_id": started.run_id,
        "web_ui": web_address(session.settings, started.workflow_id),
    }


def _active(deal: "Deal", row: "ProcessRow") -> dict[str, Any]:
    from domain.activation_process import ActivationResult

    result = ActivationResult.model_validate_json(row.result_json)
    return {
        "answer": "active already",
        "deal": deal.external_id,
        "name": deal.name,
        "project": result.project,
        "process": row.key,
        "records": [record.model_dump(mode="json") for record in result.records],
        "active_since": row.ended_at,
    }


def _draw_started(console: "Console", document: dict[str, Any]) -> None:
    spoken = {
        "started": "Activation started.",
        "joined": "An activation of this deal runs already; joined it.",
    }
    console.print(spoken[document["answer"]], style="green")
    console.print(
        fields(
            [
                ("Deal", plain(f"{document['deal']} {document['name']}")),
                ("Customer", plain(document["customer"])),
                ("Process", plain(document["process"])),
            ]
        )
    )
    address(console, "Web UI  ", document["web_ui"])
    console.print(f"\nFollow it with  fairlead watch {document['deal']}", style="dim")


def _draw_active(console: "Console", document: dict[str, Any]) -> None:
    console.print(
        f"Deal {document['deal']} is active already as project {document['project']}.", style="green"
    )
    console.print(f"Its whole story: fairlead trace {document['project']}", style="dim")
