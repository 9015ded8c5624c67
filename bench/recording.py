"""Recording Fairlead's own vendor calls, one activation at a time, into scripts for the floor.

The recording worker runs in this process with Fairlead's own activities; only the HTTP transport of the
connectors is another one, which notes every request and answer with the activity it belongs to. Before
recording, the sandbox's number sequences are set to large figures: so an id in a recorded text is one of
a new record and nothing else, and what is replaced in a replay is found without knowing the vendors.
"""

import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from temporalio import activity
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.worker import Worker

from bench import script as recorded
from bench.deals import BenchDeal
from composition import VENDORS, connector_settings
from domain.identity import process_key
from firm.model import Firm
from runtime.settings import Settings
from serving import own_activities, served_systems, vendor_activities
from store.ports import Store
from workflows.registry import WORKFLOWS

FIRST_ID = 7_000_000_000
"""Ids of records made while recording have ten digits and begin with a seven."""
_ID = re.compile(r"7\d{9}")
_ANY_ID = re.compile(r"(?<!\d)7\d{9}(?!\d)")
_OF_SYSTEM = ("authorization", "accept", "sforce-call-options")
_OF_CONNECTION = ("host", "connection", "content-length", "accept-encoding", "user-agent")
_NO_ACTIVITY = "none"
_ANSWERS = "psa.staffing_answers"


@dataclass
class Heard:
    """One request and its answer."""

    method: str
    target: str
    headers: dict[str, str]
    body: str
    status: int
    answer: str


@dataclass
class Notes:
    """Everything heard: by workflow id and activity id; and the headers of each system's calls."""

    calls: dict[tuple[str, str], list[Heard]] = field(default_factory=lambda: defaultdict(list))
    headers: dict[str, dict[str, str]] = field(default_factory=dict)


class NotingTransport(httpx.AsyncBaseTransport):
    """Sends as usual and notes what went by. Sign-in requests are not noted."""

    def __init__(self, system: str, notes: Notes) -> None:
        self._system, self._notes = system, notes
        self._inner = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        response = await self._inner.handle_async_request(request)
        content = await response.aread()
        if "authorization" in request.headers and not request.url.path.endswith("/token"):
            self._note(request, body, response.status_code, content)
        return httpx.Response(response.status_code, headers=response.headers, content=content)

    def _note(self, request: httpx.Request, body: bytes, status: int, content: bytes) -> None:
        headers = request.headers
        self._notes.headers[self._system] = {name: headers[name] for name in _OF_SYSTEM if name in headers}
        place = (_NO_ACTIVITY, "")
        if activity.in_activity():
            info = activity.info()
            place = (info.workflow_id or "", info.activity_id)
        self._notes.calls[place].append(
            Heard(
                request.method,
                request.url.raw_path.decode(),
                {name: headers[name] for name in headers if name not in _OF_SYSTEM + _OF_CONNECTION},
                body.decode(),
                status,
                content.decode(),
            )
        )

    async def aclose(self) -> None:
        await self._inner.aclose()


@asynccontextmanager
async def recording_worker(
    client: Client, settings: Settings, firm: Firm, store: Store, environ: Mapping[str, str]
) -> AsyncIterator[Notes]:
    """Fairlead's worker in this process, with connectors whose calls are noted."""
    notes = Notes()
    async with AsyncExitStack() as stack:
        workers = [
            Worker(
                client,
                task_queue=settings.own_queue,
                workflows=WORKFLOWS,
                activities=own_activities(firm, settings, store),
            )
        ]
        for name in served_systems(firm, ()):
            section = firm.systems[name]
            transport = NotingTransport(name, notes)
            build: Any = VENDORS[section.vendor].build
            port = build(name, connector_settings(firm, name, environ), transport=transport)
            stack.push_async_callback(port.aclose)
            workers.append(
                Worker(
                    client,
                    task_queue=settings.queue(firm.task_queue(name)),
                    activities=vendor_activities(firm, settings, store, name, port),
                    max_concurrent_activities=section.max_in_flight or 20,
                )
            )
        for worker in workers:
            await stack.enter_async_context(worker)
        yield notes


def raise_sequences(state: Path) -> None:
    """Let the stopped sandbox at `state` go on numbering from `FIRST_ID`, each kind in a range of its own."""
    with closing(sqlite3.connect(state)) as database, database:
        rows = database.execute(
            "SELECT system, name FROM sequences WHERE system != 'salesforce' ORDER BY system, name"
        ).fetchall()
        for place, (system, name) in enumerate(rows):
            database.execute(
                "UPDATE sequences SET value = ? WHERE system = ? AND name = ?",
                (FIRST_ID + place * 10_000_000, system, name),
            )


async def script_of(
    client: Client, firm: Firm, store: Store, notes: Notes, deal: BenchDeal
) -> recorded.Script:
    """The script of an activation that has ended under the recording worker."""
    process = process_key("activation", firm.id, deal.id)
    keys = tuple(row.key for row in await store.effects.list(process))
    script = recorded.Script(
        deal=deal.id, signature=deal.signature, firm=firm.id, entity=deal.entity, keys=keys
    )
    return await recorded_script(
        client, firm, notes, process, script, recorded.changing(deal.id, firm.id, deal.entity, keys, deal.id)
    )


async def recorded_script(
    client: Client,
    firm: Firm,
    notes: Notes,
    process: str,
    script: recorded.Script,
    changing: Collection[str],
) -> recorded.Script:
    """`script` with the calls of `process`, which has ended; `changing` are texts known before it begins."""
    systems = {firm.task_queue(name): name for name in firm.systems}
    steps: list[tuple[str, str, list[Heard]]] = []
    groups: dict[int, list[int]] = defaultdict(list)
    async for event in client.get_workflow_handle(process).fetch_history_events():
        if event.event_type != EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            continue
        planned = event.activity_task_scheduled_event_attributes
        system = systems.get(planned.task_queue.name)
        if system is None:
            continue
        groups[planned.workflow_task_completed_event_id].append(len(steps))
        steps.append((planned.activity_type.name, system, notes.calls[process, planned.activity_id]))
    ordered = tuple(tuple(group) for group in groups.values())
    asked = any(name == _ANSWERS for name, _, _ in steps)
    return script.model_copy(
        update={
            "steps": _steps(steps, changing),
            "groups": ordered,
            "waits_before": _waits_before(ordered, steps) if asked else None,
        }
    )


def _waits_before(groups: tuple[tuple[int, ...], ...], steps: list[tuple[str, str, list[Heard]]]) -> int:
    """The group that reads staffing's answers comes after the decision."""
    return next(
        place for place, group in enumerate(groups) if any(steps[number][0] == _ANSWERS for number in group)
    )


def _steps(heard: list[tuple[str, str, list[Heard]]], changing: Collection[str]) -> tuple[recorded.Step, ...]:
    """The steps with what changes from run to run marked."""
    every = [call for _, _, calls in heard for call in calls]
    wanted = {id for call in every for id in _ANY_ID.findall(f"{call.target} {call.body}")} - {*changing}
    steps = []
    for name, system, calls in heard:
        made = []
        for call in calls:
            text = f"{call.target} {call.body}"
            uses = [value for value in changing if value in text]
            uses += sorted(set(_ANY_ID.findall(text)) - {*changing})
            takes = [(value, path) for value, path in _first_places(call.answer) if value in wanted]
            wanted -= {value for value, _ in takes}
            made.append(
                recorded.Call(
                    method=call.method,
                    target=call.target,
                    headers=call.headers,
                    body=call.body,
                    status=call.status,
                    uses=tuple(uses),
                    takes=tuple(takes),
                )
            )
        steps.append(recorded.Step(activity=name, system=system, calls=tuple(made)))
    return tuple(steps)


def _first_places(answer: str) -> Iterator[tuple[str, recorded.Path]]:
    """Ids of new records in a JSON answer, each with the first path that does not itself hold an id."""
    seen: set[str] = set()
    for value, path in _leaves(json.loads(answer) if answer else None, ()):
        if _ID.fullmatch(value) and value not in seen:
            seen.add(value)
            yield value, path


def _leaves(node: Any, path: recorded.Path) -> Iterator[tuple[str, recorded.Path]]:
    if isinstance(node, dict):
        for name, part in node.items():
            if not _ID.fullmatch(name):
                yield from _leaves(part, (*path, name))
    elif isinstance(node, list):
        for place, part in enumerate(node):
            yield from _leaves(part, (*path, place))
    elif node is not None:
        yield str(node), path
