"""`fairlead approve`, `cancel`, `signal`, and the one way a person's decision leaves the command line."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import people
from cli.command import command
from cli.context import Session
from cli.exit_codes import not_found, refused, unreachable, usage
from cli.keys import Target, find
from cli.output import fields, plain
from cli.people import Actor

if TYPE_CHECKING:
    from rich.console import Console

    from domain.activation_process import ActivationView
    from domain.attention import Decision, DecisionAction

_PANEL = "People decide"
_TAKEN_SECONDS = 20.0


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    command(
        app,
        "approve",
        example=[
            "fairlead approve 006WX0000012AbCYAU --as staffing@fairlead.example",
            "fairlead approve 006WX0000012AbCYAU --person 2=W-0012 --as staffing@fairlead.example",
            "fairlead approve 3f9c2a7d41b84c3e9d0a5b6c7e8f9012 --as controller@fairlead.example",
        ],
        panel=_PANEL,
    )(approve)
    command(
        app,
        "cancel",
        example="fairlead cancel 006WX0000012AbCYAU --reason 'customer withdrew' --as EMAIL",
        panel=_PANEL,
    )(cancel)
    command(
        app,
        "signal",
        example=[
            "fairlead signal 006WX0000012AbCYAU event_received --event salesforce:evt-1",
            "fairlead signal billing/fairlead-demo/DE01-7K3QXW hold --set reason='disputed milestone'",
        ],
        panel=_PANEL,
    )(signal)


async def decide(
    session: Session,
    actor: Actor,
    action: "DecisionAction",
    process: str,
    *,
    target: str = "",
    reason: str = "",
    payload: Mapping[str, str] | None = None,
) -> "tuple[Decision, str]":
    """Write the decision and hand its id to the process; the decision and the process's answer.

    Nothing is written for a process that does not run. Raises `Stop` when no worker takes it in.
    """
    import asyncio

    from temporalio.client import WorkflowUpdateRPCTimeoutOrCancelledError

    from runtime import decisions

    client, store = await session.client(), await session.store()
    await require_running(session, process)
    try:
        async with asyncio.timeout(_TAKEN_SECONDS):
            return await decisions.decide(
                client,
                store.decisions,
                action=action,
                process=process,
                actor=actor.email,
                role=actor.role,
                target=target,
                reason=reason,
                payload=payload,
            )
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError) as error:
        raise unreachable(
            f"No worker took the decision in within {_TAKEN_SECONDS:.0f} s. It is kept, and may still take "
            "effect when one comes.",
            "Start one with `fairlead up`, and before deciding again look with "
            f"`fairlead trace {Target(process, None).business_key}`.",
        ) from error


async def require_running(session: Session, process: str) -> None:
    """Raises `Stop`: the process is unknown, or has ended and takes no decision any more."""
    from temporalio.client import WorkflowExecutionStatus
    from temporalio.service import RPCError, RPCStatusCode

    client = await session.client()
    try:
        found = await client.get_workflow_handle(process).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise not_found(
                f"Temporal knows no process {process}.", "See `fairlead status --all`."
            ) from error
        raise
    if found.status is not WorkflowExecutionStatus.RUNNING:
        ended = found.status.name.lower() if found.status else "ended"
        raise refused(
            f"{process} has ended ({ended}); there is nothing left to decide.",
            f"Its story: fairlead trace {Target(process, None).business_key}",
        )


# -- approve ----------------------------------------------------------------------------------------


async def approve(
    session: Session,
    key: Annotated[str, typer.Argument(metavar="DECISION|DEAL|PROJECT", show_default=False)],
    reason: Annotated[str, typer.Option(help="Why; kept with the decision.")] = "",
    person: Annotated[
        list[str] | None,
        typer.Option(metavar="[REF=]WHO", help="Who takes a role: worker's number or address."),
    ] = None,
) -> None:
    """Approve: the staffing of a deal, or as a second person the decision of somebody else.

    A decision's id is printed when it needs a second person. Nobody approves what they asked for.
    """
    store = await session.store()
    first = await store.decisions.get(key)
    if first is not None:
        await _second(session, first, reason)
    else:
        await _approve_staffing(session, await find(session, key), reason, person or [])


async def _second(session: Session, first: "Decision", reason: str) -> None:
    skip_role = await _skip_role(session, first)
    actor = people.acting(session, second_roles(skip_role), "agree as a second person")
    if actor.email.casefold() == first.actor.casefold():
        others = ", ".join(people.able(session.firm, second_roles(skip_role), besides=actor.email))
        raise refused(
            f"{actor.email} decided this first; a second person has to agree.",
            f"Ask one of: {others or 'nobody else has the role'}.",
        )
    if skip_role and skip_role not in (first.role, actor.role):
        able = ", ".join(people.able(session.firm, [skip_role], besides=first.actor))
        raise refused(
            f"This skip has to be approved by the role {skip_role}; {actor.email} does not have it.",
            f"Ask one of: {able or 'nobody has it'}.",
        )
    decision, answer = await decide(session, actor, "second", first.process, target=first.id, reason=reason)
    what = f"{first.action.replace('_', ' ')} by {first.actor}"
    _show(session, decision, answer, f"{actor.email} agreed to: {what}. It takes effect now.")


def second_roles(skip_role: str | None) -> tuple[str, ...]:
    return (*([skip_role] if skip_role else []), *people.APPROVERS)


async def _skip_role(session: Session, first: "Decision") -> str | None:
    if first.action != "skip":
        return None
    item = await (await session.store()).attention.get(first.target)
    return item.skip_role if item else None


async def _approve_staffing(session: Session, target: Target, reason: str, named: list[str]) -> None:
    from cli import staffing_answers
    from cli.process_view import activation_view

    actor = people.acting(session, people.STAFFING_APPROVERS, "approve staffing")
    _require_activation(target)
    await require_running(session, target.id)
    view = await activation_view(session, target.id)
    _require_staffing_asked(view)
    asked = await staffing_answers.open_requests(session, target.id)
    people_named = await staffing_answers.named(session, asked, named)
    facts = staffing_answers.payload(asked, people_named)
    decision, answer = await decide(
        session, actor, "approve_staffing", target.id, reason=reason, payload=facts
    )
    await staffing_answers.keep(session, target.id, asked, people_named)
    roles = ", ".join(view.staffing_asked)
    _show(session, decision, answer, f"Staffing approved by {actor.email}{f': {roles}' if roles else ''}.")


def _require_activation(target: Target) -> None:
    if target.kind != "activation":
        raise refused(f"{target.id} asks nobody for staffing; a project activation does.")


def _require_staffing_asked(view: "ActivationView") -> None:
    """Nobody approves what does not exist yet."""
    exceptions = any(item.step == "gate.staffing" for item in view.attention)
    if not view.staffing_asked and not exceptions:
        raise refused(
            f"Deal {view.deal} does not wait for staffing: its stage is {view.stage!r}.",
            f"See `fairlead watch {view.deal} --once`.",
        )


# -- cancel, signal ---------------------------------------------------------------------------------


async def cancel(
    session: Session,
    key: Annotated[str, typer.Argument(metavar="DEAL|PROJECT|PROCESS", show_default=False)],
    reason: Annotated[str, typer.Option(help="Why; kept with the decision.", show_default=False)],
    wait: Annotated[bool, typer.Option("--wait", help="Follow it until everything is undone.")] = False,
) -> int:
    """Stop a process and undo everything it did, newest first, in every system."""
    actor = people.acting(session, people.DECIDERS, "cancel a process")
    target = await find(session, key)
    if target.kind not in ("activation", "procurement"):
        raise refused(
            f"{target.id} cannot be cancelled here: only an activation and the procurement of a project undo "
            "themselves."
        )
    decision, answer = await decide(session, actor, "cancel", target.id, reason=_given(reason))
    if wait and target.kind == "activation":
        from cli.watch import follow

        session.out.note(answer)
        return await follow(session, target.id, once=False)
    see = "watch" if target.kind == "activation" else target.kind
    _show(session, decision, answer, f"{_capital(answer)}. See `fairlead {see} {target.business_key}`.")
    return 0


def _given(reason: str) -> str:
    if not reason.strip():
        raise usage("--reason is empty.", "Say why in a few words; it is kept with the decision.")
    return reason.strip()


async def signal(
    session: Session,
    process: Annotated[str, typer.Argument(metavar="PROCESS", show_default=False)],
    name: Annotated[str, typer.Argument(help="Name of the signal.", show_default=False)],
    event: Annotated[str | None, typer.Option(help="Id of a kept event, as `events list` shows it.")] = None,
    set: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="A field of the signal.")
    ] = None,
) -> None:
    """Send a signal to a running process. It is checked first: nobody hears of a signal that is wrong."""
    actor = people.acting(session, people.DECIDERS, "signal a process")
    target = await find(session, process)
    await require_running(session, target.id)
    arguments = await _signal_arguments(session, target, actor, name, event, pairs(set or [], "--set"))
    client = await session.client()
    await client.get_workflow_handle(target.id).signal(name, args=arguments)
    store = await session.store()
    await store.audit.add(target.id, actor=actor.email, what=f"signal {name} sent", why=event or "")
    document = {"process": target.id, "signal": name, "arguments": arguments, "actor": actor.email}
    session.out.show(
        document, lambda console: console.print(f"Signal {name} sent to {target.id}.", style="green")
    )


async def _signal_arguments(
    session: Session, target: Target, actor: Actor, name: str, event: str | None, given: dict[str, str]
) -> list[Any]:
    from domain.attention import EventRef

    kinds = await _signals(session, target)
    if name not in kinds:
        raise refused(
            f"{target.id} takes no signal {name!r}.", f"It takes {', '.join(sorted(kinds)) or 'none'}."
        )
    wanted = kinds[name]
    if wanted is EventRef:
        return [await _event(session, event)]
    if event is not None:
        raise usage(f"The signal {name} carries no event.", "Leave --event out.")
    if wanted is None:
        if given:
            raise usage(f"The signal {name} carries nothing.", "Leave --set out.")
        return []
    if "actor" in wanted.model_fields:
        # Who sends it has been established here; nobody names somebody else.
        given = {**given, "actor": actor.email}
    return [_filled(wanted, name, given)]


async def _signals(session: Session, target: Target) -> dict[str, Any]:
    """Signals of the process's workflow: name to the model it carries."""
    from workflows.registry import WORKFLOWS

    client = await session.client()
    running = await client.get_workflow_handle(target.id).describe()
    for workflow in WORKFLOWS:
        definition = getattr(workflow, "__temporal_workflow_definition")
        if definition.name == running.workflow_type:
            return {name: (one.arg_types or [None])[0] for name, one in definition.signals.items() if name}
    raise refused(f"{target.id} is a {running.workflow_type}, which this version of Fairlead does not know.")


async def _event(session: Session, event: str | None) -> Any:
    from domain.attention import EventRef

    if event is None:
        raise usage("This signal carries an event.", "Name it with --event ID; see `fairlead events list`.")
    row = await (await session.store()).inbox.get(event)
    if row is None:
        raise not_found(f"There is no event {event!r} in the inbox.", "`fairlead events list` shows the ids.")
    return EventRef(id=row.id, type=row.type)


def _filled(model: Any, name: str, given: dict[str, str]) -> Any:
    from pydantic import ValidationError

    known = [field for field in model.model_fields if field != "schema_version"]
    unknown = sorted(field for field in given if field not in known)
    if unknown:
        raise usage(f"The signal {name} has no field {unknown[0]!r}.", f"It has {', '.join(known)}.")
    try:
        return model.model_validate(given)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        raise usage(f"--set {fault['loc'][0] if fault['loc'] else ''}: {fault['msg'].lower()}.") from None


def pairs(texts: list[str], option: str) -> dict[str, str]:
    """`path=value` texts as a mapping. Raises `Stop` for one without `=`, or a path given twice."""
    found: dict[str, str] = {}
    for text in texts:
        path, separator, value = text.partition("=")
        if not separator or not path.strip():
            raise usage(f"{option} {text!r} is not written as PATH=VALUE.")
        if path.strip() in found:
            raise usage(f"{option} names {path.strip()} twice.")
        found[path.strip()] = value.strip()
    return found


# -- what is shown ----------------------------------------------------------------------------------


def document(decision: "Decision", answer: str) -> dict[str, Any]:
    shown = decision.without_confidential().model_dump(
        mode="json", exclude={"schema_version", "payload_hash"}
    )
    return {"decision": shown, "answer": answer}


def _show(session: Session, decision: "Decision", answer: str, sentence: str) -> None:
    def draw(console: "Console") -> None:
        console.print(plain(sentence), style="green")
        console.print(
            fields(
                [
                    ("Decision", decision.id),
                    ("By", plain(f"{decision.actor} as {decision.role}")),
                    ("Process", plain(decision.process)),
                    ("Reason", plain(decision.reason)),
                ]
            )
        )

    session.out.show(document(decision, answer), draw)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
