"""`fairlead readiness`: the six gates of a deal, with state, evidence, owner and findings."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import views
from cli.command import command
from cli.context import Session
from cli.exit_codes import ExitCode, Stop, refused
from cli.keys import Target, find
from cli.output import fields, local_time, plain, state, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table

    from domain.activation_process import ActivationView
    from domain.readiness import GateResult
    from store.ports import AuditEntry


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    command(
        app,
        "readiness",
        example=["fairlead readiness 006WX0000012AbCYAU", "fairlead readiness DE01-7K3QXW --json"],
        panel="Deals and projects",
    )(readiness)


async def readiness(
    session: Session,
    key: Annotated[str, typer.Argument(metavar="DEAL|PROJECT", show_default=False)],
) -> int:
    """The readiness gates of a deal: green, red or waiting, on which evidence, and whose they are.

    Ends with 6 while a gate keeps the project from opening. When the process can no longer be asked, the
    judgements are shown as the audit trail holds them.
    """
    target = await find(session, key)
    if target.kind != "activation":
        raise refused(f"{target.id} has no readiness gates; a project activation has.")
    try:
        view = await _asked(session, target)
    except Stop as silent:
        if target.row is None or silent.code not in (ExitCode.UNREACHABLE, ExitCode.NOT_FOUND):
            raise
        return await _from_audit(session, target)
    document = _document(view, target) | {"demand": await _demand(session, target)}
    session.out.show(document, lambda console: _draw(console, view, document["demand"]))
    return ExitCode.WAITING if not document["ready"] and not view.finished else ExitCode.OK


async def _demand(session: Session, target: Target) -> list[dict[str, Any]]:
    """What was asked of staffing, with its revision and how it stands."""
    asked = await (await session.store()).people.demand(state=None, process=target.id)
    return [
        one.model_dump(mode="json", exclude={"schema_version", "key", "process", "request_external_id"})
        for one in asked
    ]


async def _asked(session: Session, target: Target) -> "ActivationView":
    from cli.process_view import activation_view
    from runtime.connect import NoTemporal

    try:
        return await activation_view(session, target.id)
    except NoTemporal as error:
        raise Stop(ExitCode.UNREACHABLE, str(error)) from error


def _document(view: "ActivationView", target: Target) -> dict[str, Any]:
    gates = _all_gates(view)
    required = [gate for gate in gates if gate["state"] != "not_required"]
    return {
        "source": "process",
        "process": target.id,
        "deal": view.deal,
        "project": view.project,
        "stage": view.stage,
        "ready": bool(view.gates) and all(gate["state"] in ("green", "skipped") for gate in required),
        "gates": gates,
    }


def _all_gates(view: "ActivationView") -> list[dict[str, Any]]:
    """All six in their order; one that was not reached yet is `not judged`."""
    from domain.readiness import Gate

    judged = {result.gate: result for result in view.gates}
    return [
        judged[gate].model_dump(mode="json")
        if gate in judged
        else {"gate": gate.value, "state": "not_judged", "findings": [], "evidence": []}
        for gate in Gate
    ]


def _draw(console: "Console", view: "ActivationView", demand: list[dict[str, Any]]) -> None:
    from domain.readiness import Gate

    console.print(
        fields(
            [
                ("Deal", plain(f"{view.deal} {view.deal_name}")),
                ("Customer", plain(view.customer)),
                ("Project", view.project),
                ("Stage", state(view.stage)),
            ]
        )
    )
    judged = {result.gate: result for result in view.gates}
    rows = table("Gate and owner", "State", "Findings and evidence")
    for gate in Gate:
        result = judged.get(gate)
        if result is not None:
            rows.add_row(views.gate_and_owner(result), state(result.state), plain(_why(result)))
        elif gate is Gate.STAFFING and view.staffing_asked:
            rows.add_row(gate.label, state("waiting"), f"asked for {', '.join(view.staffing_asked)}")
        else:
            rows.add_row(gate.label, state("not judged"), "")
    console.print(rows)
    if demand:
        console.print(_drawn_demand(demand))
    if view.attention:
        console.print(
            f"What to do: fairlead exceptions show {views.short_id(view.attention[0])}", style="dim"
        )


def _drawn_demand(demand: list[dict[str, Any]]) -> "Table":
    rows = table(
        "Asked of staffing", "Skills", "Hours", "Dates", "Revision", "State", right=("Hours", "Revision")
    )
    for one in demand:
        rows.add_row(
            plain(" ".join(part for part in (one["grade"], one["role"]) if part)),
            plain(", ".join(one["skills"])),
            str(one["hours"]),
            f"{one['starts_on']} to {one['ends_on']}",
            str(one["revision"]),
            state(one["state"]),
        )
    return rows


def _why(result: "GateResult") -> str:
    wrong = [f"{finding.field}: {finding.message}" for finding in result.findings]
    note = [result.note] if result.note else []
    seen = [
        f"{one.system} {one.record}{f' v{one.version}' if one.version and len(one.version) < 12 else ''}"
        f"{f': {one.detail}' if one.detail else ''}"
        for one in result.evidence
    ]
    return "\n".join(wrong + note + seen)


async def _from_audit(session: Session, target: Target) -> int:
    entries = await (await session.store()).audit.list(target.id)
    judgements = [entry for entry in entries if entry.key.startswith("gates/")]
    document = {
        "source": "audit",
        "process": target.id,
        "judgements": [_judgement(entry) for entry in judgements],
    }
    session.out.show(document, lambda console: _draw_judgements(console, target, judgements))
    ended = target.row is not None and target.row.state != "running"
    return ExitCode.OK if ended or not judgements or judgements[-1].outcome == "green" else ExitCode.WAITING


def _judgement(entry: "AuditEntry") -> dict[str, Any]:
    return {"at": entry.at, "judged": entry.what, "findings": entry.why, "outcome": entry.outcome}


def _draw_judgements(console: "Console", target: Target, entries: "Sequence[AuditEntry]") -> None:
    console.print(plain(f"{target.id} cannot be asked any more; this is its audit trail."), style="dim")
    rows = table("When", "Judged", "Outcome", "Findings")
    for entry in entries:
        rows.add_row(local_time(entry.at), plain(entry.what), state(entry.outcome), plain(entry.why))
    console.print(rows)
