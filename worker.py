"""The worker's process: `python -m worker`, or `fairlead worker [--only SYSTEM]`.

One Temporal worker for the workflows and our own store, and one per task queue of a vendor account: its
slots mirror what the account allows in flight. SIGTERM lets what runs finish its step, then ends.
"""

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import timedelta

import structlog
from temporalio.client import Client
from temporalio.worker import Worker

from composition import (
    POLL_GIVE_UP,
    build_connector,
    intake_every,
    load_firm,
    open_firm_store,
    orders_every,
    resources_every,
    roles_of,
    watch_every,
)
from connectors.ports import SystemPort
from domain.resource_sync import ResourceTick
from domain.ticks import DealPollTick, IntakeTick, PurchaseOrdersTick, ReleasedInvoicesTick
from domain.watching import WatchTick
from firm.model import Firm
from firm.problems import FirmFileError
from firm.secrets import SecretError
from local import secrets_setup
from runtime import event_loop
from runtime.connect import NoTemporal, connect
from runtime.logs import configure_logs
from runtime.observation import Observation
from runtime.schedules import (
    keep_deal_poll,
    keep_intake,
    keep_purchase_orders,
    keep_released_invoices,
    keep_resources,
    keep_watch,
)
from runtime.settings import Settings
from runtime.visibility import missing_or_wrong
from serving import own_activities, served_systems, vendor_activities
from store.ports import Store, StoreError
from workflows.registry import WORKFLOWS
from workflows.shared.search_attributes import ATTRIBUTES

GRACE = timedelta(seconds=30)
DEFAULT_SLOTS = 20

log = structlog.get_logger("fairlead.worker")


class CannotStart(RuntimeError):
    """The worker cannot do its work; the text says why and what to do."""


async def run(settings: Settings, only: Sequence[str] = (), stop: asyncio.Event | None = None) -> None:
    """Serve until `stop` is set. Raises `CannotStart`, `FirmFileError`, `NoTemporal` or `StoreError`."""
    firm = load_firm(settings)
    systems = served_systems(firm, only)
    async with AsyncExitStack() as stack:
        store = open_firm_store(firm, settings)
        stack.push_async_callback(store.aclose)
        await store.ready()
        observation = Observation(settings, _served_queues(firm, settings))
        client = await connect(
            settings,
            keys=firm.codec_keys(),
            observers=observation.observers,
            runtime=observation.runtime,
        )
        await _check_visibility(client)
        workers = [] if only else [_own_worker(client, settings, firm, store)]
        for system in systems:
            port = build_connector(firm, system)
            stack.push_async_callback(port.aclose)
            counted = observation.over(store)
            workers.append(_vendor_worker(client, settings, firm, counted, system, port))
        if not only:
            await _keep_schedules(client, settings, firm)
        await stack.enter_async_context(observation.told(store, standing=not only))
        for worker in workers:
            await stack.enter_async_context(worker)
        log.info("serving", firm=firm.id, queues=[worker.task_queue for worker in workers])
        await (stop or asyncio.Event()).wait()
        log.info("stopping", grace_seconds=GRACE.total_seconds())


def _served_queues(firm: Firm, settings: Settings) -> dict[str, str]:
    """Task queue -> system: by it an attempt is counted."""
    return {settings.queue(firm.task_queue(system)): system for system in firm.systems}


async def _check_visibility(client: Client) -> None:
    """An unregistered search attribute would wedge every workflow task for ever, so refuse to start."""
    problems = await missing_or_wrong(client, ATTRIBUTES)
    if problems:
        raise CannotStart(
            f"Temporal's namespace {client.namespace!r} lacks search attributes ({'; '.join(problems)}); "
            "run `fairlead search-attributes register`."
        )


def _own_worker(client: Client, settings: Settings, firm: Firm, store: Store) -> Worker:
    heartbeat = timedelta(seconds=int(firm.parts.timing.heartbeat_timeout))
    return Worker(
        client,
        task_queue=settings.own_queue,
        workflows=WORKFLOWS,
        activities=own_activities(firm, settings, store),
        max_concurrent_activities=100,
        sticky_queue_schedule_to_start_timeout=max(heartbeat, timedelta(seconds=1)),
        graceful_shutdown_timeout=GRACE,
    )


def _vendor_worker(
    client: Client, settings: Settings, firm: Firm, store: Store, system: str, port: SystemPort
) -> Worker:
    section = firm.systems[system]
    published = section.requests_per_second
    return Worker(
        client,
        task_queue=settings.queue(firm.task_queue(system)),
        activities=vendor_activities(firm, settings, store, system, port),
        max_concurrent_activities=section.max_in_flight or DEFAULT_SLOTS,
        # A published rate is used to 60%: others share the account.
        max_task_queue_activities_per_second=float(published) * 0.6 if published else None,
        graceful_shutdown_timeout=GRACE,
    )


async def _keep_schedules(client: Client, settings: Settings, firm: Firm) -> None:
    activation = firm.parts.activation
    await keep_watch(client, settings.own_queue, WatchTick(firm=firm.id), watch_every(firm))
    for system in firm.systems:
        if "crm" in roles_of(firm, system):
            tick = DealPollTick(
                system=system,
                task_queue=settings.queue(firm.task_queue(system)),
                overlap_seconds=int(activation.poll_overlap.total_seconds()),
                give_up_after=POLL_GIVE_UP.total_seconds(),
            )
            every = activation.poll_every if activation.poll else None
            await keep_deal_poll(client, firm.id, settings.own_queue, tick, every)
        if "hr" in roles_of(firm, system):
            people = ResourceTick(firm=firm.id, hr=system, psa=firm.parts.roles.psa)
            await keep_resources(client, settings.own_queue, people, resources_every(firm))
        if "psa" in roles_of(firm, system):
            intake = IntakeTick(firm=firm.id, system=system)
            await keep_intake(client, settings.own_queue, intake, intake_every(firm))
            released = ReleasedInvoicesTick(
                system=system,
                task_queue=settings.queue(firm.task_queue(system)),
                give_up_after=POLL_GIVE_UP.total_seconds(),
            )
            await keep_released_invoices(client, firm.id, settings.own_queue, released, intake_every(firm))
        if "procurement" in roles_of(firm, system):
            orders = PurchaseOrdersTick(
                firm=firm.id,
                system=system,
                task_queue=settings.queue(firm.task_queue(system)),
                give_up_after=POLL_GIVE_UP.total_seconds(),
            )
            await keep_purchase_orders(client, settings.own_queue, orders, orders_every(firm))


async def _serve(settings: Settings, only: Sequence[str]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    await run(settings, only, stop)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT. 1 with one sentence on stderr when it cannot start."""
    parser = argparse.ArgumentParser(prog="fairlead worker", description=__doc__)
    parser.add_argument(
        "--only", action="append", default=[], metavar="SYSTEM", help="serve this system's queue alone"
    )
    options = parser.parse_args(arguments)
    settings = Settings.from_environment()
    secrets_setup.adopt(settings.home)
    configure_logs(settings.log_format, settings.log_level)
    try:
        event_loop.run(_serve(settings, options.only))
    except (CannotStart, FirmFileError, NoTemporal, SecretError, StoreError, ValueError) as error:
        print(f"The worker cannot start: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
