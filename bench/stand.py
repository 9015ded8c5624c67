"""The stand: one firm on one server, with Fairlead's worker and two floors beside each other.

async with stand(size) as it:          # warmed up, recorded, all workers polling
    await it.subjects["fairlead"].activate(deal)
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx
import psutil
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from bench.deals import CUSTOMERS, BenchDeal, Pool, clean_deals
from bench.floor_worker import Spec
from bench.recording import Notes, raise_sequences, recording_worker, script_of
from bench.script import Script, Scripts
from bench.subjects import FairleadSubject, FloorSubject, Subject
from composition import load_firm, open_firm_store
from firm.model import Firm
from local import process, secrets_setup
from local.ephemeral import ephemeral_firm
from local.launch import Launch
from local.services import down, up
from runtime.connect import connect, local_address
from runtime.settings import Settings
from store.ports import Store

FAIRLEAD, FLOOR, ONE_QUEUE = "fairlead", "floor", "one queue"
NO_POLLING = {
    "activation": {"poll": "false"},
    "billing": {"intake_poll_every": '"0"'},
    "procurement": {"poll_every": '"0"'},
    "resources": {"poll_every": '"0"'},
    "alerts": {"watch_every": '"0"'},
}
"""The firm's file of a bench: nothing looks for work by itself, everything else as it comes."""
_START_SECONDS = 20.0
_WARM_AT_ONCE = 8

Say = Callable[[str], None]


@dataclass
class Stand:
    """What is measured, and on what."""

    settings: Settings
    client: Client
    sandbox: httpx.AsyncClient
    pool: Pool
    scripts: Mapping[str, Script]
    """By signature."""
    subjects: Mapping[str, Subject]
    workers: Mapping[str, psutil.Process]
    """Subject to its worker's process."""
    server: psutil.Process
    emulators: psutil.Process

    async def calls(self) -> int:
        """Vendor calls that the sandbox has answered so far."""
        stats = (await self.sandbox.get("/_stats")).json()["systems"]
        return sum(system["total"] for system in stats.values())


@asynccontextmanager
async def stand(*, deals: int, say: Say) -> AsyncIterator[Stand]:
    """A firm with `deals` deals, warm and recorded."""
    size = ("--deals", str(deals), "--customers", str(CUSTOMERS))
    async with (
        ephemeral_firm(
            ("temporal", "sandbox"), timing={}, firm_values=NO_POLLING, sandbox_arguments=size
        ) as settings,
        AsyncExitStack() as stack,
    ):
        environ = {**os.environ, **secrets_setup.firm_variables(settings.home)}
        firm = load_firm(settings, environ)
        await create_store(settings)
        store = open_firm_store(firm, settings, environ)
        stack.push_async_callback(store.aclose)
        client = await connect(settings)
        sandbox = await stack.enter_async_context(
            httpx.AsyncClient(base_url=settings.sandbox_url, timeout=60, trust_env=False)
        )
        pool = await clean_deals(sandbox, deals)
        scripts, notes = await _record(client, settings, firm, store, environ, pool, say)
        pool.keep_known([script.signature for script in scripts])
        say(f"recorded {len(scripts)} kinds of deals, {min(s.calls for s in scripts)} to "
            f"{max(s.calls for s in scripts)} vendor calls each")  # fmt: skip
        for name in (FLOOR, ONE_QUEUE):
            stack.push_async_callback(asyncio.to_thread, process.stop, paths_of(settings, name), 2)
        spec = Scripts(scripts=tuple(scripts), sandbox_url=settings.sandbox_url, headers=notes.headers)
        workers = {
            FAIRLEAD: await fairlead_worker(settings),
            FLOOR: await floor_worker(client, settings, firm, spec, FLOOR),
            ONE_QUEUE: await floor_worker(client, settings, firm, spec, ONE_QUEUE),
        }
        by_signature = {script.signature: script for script in scripts}
        floor = {name: f"{FLOOR}.{name}" for name in firm.systems}
        one = dict.fromkeys(firm.systems, ONE_QUEUE)
        yield Stand(
            settings=settings,
            client=client,
            sandbox=sandbox,
            pool=pool,
            scripts=by_signature,
            subjects={
                FAIRLEAD: FairleadSubject(client, settings, firm.id, store),
                FLOOR: FloorSubject(client, FLOOR, FLOOR, floor, by_signature),
                ONE_QUEUE: FloorSubject(client, ONE_QUEUE, ONE_QUEUE, one, by_signature),
            },
            workers=workers,
            server=process_of(settings, "temporal"),
            emulators=process_of(settings, "sandbox"),
        )


async def create_store(settings: Settings) -> None:
    from store.sql.migrate import upgrade

    await asyncio.to_thread(upgrade, settings.store_url)


# -- recording ------------------------------------------------------------------------------------


async def _record(
    client: Client,
    settings: Settings,
    firm: Firm,
    store: Store,
    environ: Mapping[str, str],
    pool: Pool,
    say: Say,
) -> tuple[list[Script], Notes]:
    """Make all customers, then record one activation of each kind of deal."""
    subject = FairleadSubject(client, settings, firm.id, store)
    async with recording_worker(client, settings, firm, store, environ) as notes:
        first = pool.take_one_each("customer")
        say(f"warming up: one activation for each of {len(first)} customers")
        gate = asyncio.Semaphore(_WARM_AT_ONCE)

        async def warm(deal: BenchDeal) -> None:
            async with gate:
                await subject.activate(deal)

        await asyncio.gather(*(warm(deal) for deal in first))
        await renumber(settings)
        deals = pool.take_one_each("signature")
        say(f"recording {len(deals)} activations, one after the other")
        scripts = []
        for deal in deals:
            await subject.activate(deal)
            scripts.append(await script_of(client, firm, store, notes, deal))
        return scripts, notes


async def renumber(settings: Settings) -> None:
    """Restart the sandbox with large figures for new records (see `recording.py`)."""
    await down(settings, ["sandbox"], grace=5)
    await asyncio.to_thread(raise_sequences, settings.home / "sandbox" / "sandbox.sqlite")
    await up(settings, ["sandbox"])


# -- workers --------------------------------------------------------------------------------------


def paths_of(settings: Settings, name: str) -> process.Paths:
    return process.Paths(settings.home, name.replace(" ", "-"))


def process_of(settings: Settings, name: str) -> psutil.Process:
    found = process.running(paths_of(settings, name))
    if found is None:
        raise RuntimeError(f"{name} has ended: {process.log_tail(paths_of(settings, name))}")
    return psutil.Process(found.pid)


async def fairlead_worker(settings: Settings) -> psutil.Process:
    await up(settings, ["worker"])
    return process_of(settings, "worker")


async def floor_worker(
    client: Client,
    settings: Settings,
    firm: Firm,
    scripts: Scripts,
    name: str,
    runs: Mapping[str, Mapping[str, str]] | None = None,
) -> psutil.Process:
    """Start a floor worker and wait until it polls. The same slots per queue as Fairlead's worker."""
    slots = {system: section.max_in_flight or 20 for system, section in firm.systems.items()}
    queues = {f"{FLOOR}.{system}": count for system, count in slots.items()} if name == FLOOR else {}
    spec = Spec(
        address=local_address(settings),
        namespace=settings.namespace,
        workflow_queue=name,
        vendor_queues=queues,
        in_flight=slots,
        scripts=scripts,
        runs={run: dict(own) for run, own in (runs or {}).items()},
    )
    paths = paths_of(settings, name)
    file = settings.home / f"{paths.service}.json"
    file.touch(mode=0o600)  # it holds the sandbox's tokens
    file.write_text(spec.model_dump_json(), encoding="utf-8")
    command = process.module_command("bench.floor_worker", str(file))
    process.start(paths, command, Launch(settings).environment("worker"))
    await _polling(client, name, paths)
    return process_of(settings, name)


async def _polling(client: Client, queue: str, paths: process.Paths) -> None:
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    async with asyncio.timeout(_START_SECONDS):
        while not (await client.workflow_service.describe_task_queue(request)).pollers:
            if process.running(paths) is None:
                raise RuntimeError(f"the worker of {queue!r} has ended: {process.log_tail(paths)}")
            await asyncio.sleep(0.1)
