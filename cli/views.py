"""Drawing one process: gates, steps, exceptions and records, the same on every screen."""

import shlex
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from cli.output import STATE_STYLES, fields, local_time, plain, state, table, until

if TYPE_CHECKING:
    from rich.console import RenderableType

    from domain.activation_process import ActivationResult, ActivationView, StepView, SystemRecord
    from domain.attention import AttentionItem
    from domain.readiness import GateResult

_STEP_MARKS = {"done": "✓", "running": "›", "blocked": "!", "skipped": "–", "undone": "↩", "waiting": " "}


def activation(view: "ActivationView", workflow_id: str) -> "RenderableType":
    """The whole activation as it stands."""
    from rich.console import Group

    parts: list[RenderableType] = [heading(view, workflow_id)]
    if view.attention:
        parts += [title("Needs attention"), *(item(one) for one in view.attention)]
    if view.staffing_asked:
        parts.append(staffing(view))
    if view.gates:
        parts += [title("Gates"), gates(view.gates)]
    if view.steps:
        parts += [title("Steps"), steps(view.steps)]
    if view.records:
        parts += [title("Records"), records(view.records)]
    return Group(*parts)


def moving(view: "ActivationView") -> "RenderableType":
    """The activation in so few lines that it can be drawn anew on a terminal of 24."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    judged = Text(" · ").join(
        Text(result.gate.label, style=STATE_STYLES.get(result.state, ""))
        for result in view.gates
        if result.state != "not_required"
    )
    head = fields(
        [
            ("Deal", plain(f"{view.deal} {view.deal_name}".strip())),
            ("Stage", Text(" ").join([Text(view.stage, style="bold"), Text(view.project, style="dim")])),
            ("Gates", judged),
        ]
    )
    grid = Table.grid(padding=(0, 2))
    for step in view.steps:
        mark = _STEP_MARKS.get(step.state, " ")
        grid.add_row(mark, step.label, step.system, state(step.state), plain(step.detail))
    parts: list[RenderableType] = [head, Text(), grid]
    parts += [Text(), *(item(one) for one in view.attention)] if view.attention else []
    if view.staffing_asked:
        parts.append(staffing(view))
    return Group(*parts)


def title(text: str) -> "RenderableType":
    from rich.text import Text

    return Text(f"\n{text}", style="bold")


def heading(view: "ActivationView", workflow_id: str) -> "RenderableType":
    deal = " ".join(part for part in (view.deal, view.deal_name) if part)
    return fields(
        [
            ("Deal", plain(deal)),
            ("Customer", plain(view.customer) if view.customer else ""),
            ("Entity", view.entity),
            ("Project", view.project),
            ("Stage", state(view.stage)),
            ("Started", local_time(view.started_at)),
            ("Process", plain(workflow_id)),
        ]
    )


def staffing(view: "ActivationView") -> "RenderableType":
    from rich.text import Text

    asked = ", ".join(view.staffing_asked)
    return Text.assemble(
        ("\nWaits for staffing", "bold yellow"),
        f"  {asked}\n",
        ("Approve with  ", "dim"),
        f"fairlead approve {view.deal} --as EMAIL",
    )


def gates(results: "Sequence[GateResult]") -> "RenderableType":
    """One row per gate: state, owner, what is wrong or what it was judged on."""
    rows = table("Gate and owner", "State", "Findings")
    for result in results:
        if result.state != "not_required":
            rows.add_row(gate_and_owner(result), state(result.state), findings(result))
    return rows


def gate_and_owner(result: "GateResult") -> "RenderableType":
    """The gate; of one that has not passed also whose it is."""
    from rich.text import Text

    if result.passed:
        return result.gate.label
    return Text.assemble(result.gate.label, (f"\n{spoken(result.owner.value)}", "dim"))


def findings(result: "GateResult") -> "RenderableType":
    if result.findings:
        return plain("\n".join(f"{f.field}: {f.message}" for f in result.findings))
    return plain(result.note)


def steps(views: "Sequence[StepView]") -> "RenderableType":
    rows = table("", "Step", "System", "State", "Detail", fold=("",))
    for view in views:
        mark = _STEP_MARKS.get(view.state, " ")
        rows.add_row(mark, view.label, view.system, state(view.state), plain(view.detail))
    return rows


def records(made: "Sequence[SystemRecord]") -> "RenderableType":
    """What was made, in which system, under which id. Addresses are links where the terminal has them."""
    from rich.style import Style
    from rich.text import Text

    rows = table("System", "What", "Id", "Number", fold=("Id", "Number"))
    for record in made:
        style = Style(link=record.url) if record.url else Style()
        rows.add_row(record.system, record.noun, Text(record.external_id, style=style), record.number)
    return rows


def item(one: "AttentionItem", now: datetime | None = None) -> "RenderableType":
    """One exception: what failed, on what, who owns it by when, what may be done, and its id."""
    from rich.padding import Padding
    from rich.text import Text

    head = Text.assemble(
        (one.headline, "bold red"), ("" if one.state == "open" else f"  {spoken(one.state)}", "yellow")
    )
    owner = " · ".join(part for part in (spoken(one.owner.value), one.person) if part)
    due = f"{local_time(one.due_at)} ({until(one.due_at, now)})"
    escalated = f", escalated {one.escalations} times" if one.escalations else ""
    lines = [f"{f.field}: {f.message}" for f in one.findings] or [one.detail]
    body = fields(
        [
            ("What", plain("\n".join(line for line in lines if line))),
            ("On", plain(" · ".join(part for part in (one.object, one.amount) if part))),
            ("Owner", plain(owner)),
            ("Due", plain(due + escalated)),
            ("Decided", plain(one.resolution) if one.resolution else ""),
            ("Id", plain(short_id(one))),
        ]
    )
    from rich.console import Group

    return Group(head, Padding(body, (0, 0, 1, 2)))


def short_id(one: "AttentionItem") -> str:
    """The exception's id without process and firm, which every command takes too."""
    parts = one.id.split("/", 2)
    return parts[2] if one.id.startswith("activation/") and len(parts) == 3 else one.id


def resolve_command(one: "AttentionItem", action: str) -> str:
    return f"fairlead exceptions resolve {shlex.quote(short_id(one))} {action}"


def result(ended: "ActivationResult", workflow_id: str, name: str = "") -> "RenderableType":
    """The end of an activation, as the store keeps it."""
    from rich.console import Group

    head = fields(
        [
            ("Deal", plain(f"{ended.deal} {name}".strip())),
            ("State", state(ended.state)),
            ("Project", ended.project),
            ("Reason", plain(ended.reason)),
            ("Lives on", plain("\n".join(ended.handed_over))),
            ("Process", plain(workflow_id)),
        ]
    )
    what = "Records" if ended.state == "active" else "Records, undone but for customers"
    return Group(head, title(what), records(ended.records)) if ended.records else head


def spoken(name: str) -> str:
    return name.replace("_", " ")
