"""From the inbox to the process an event concerns: start it, tell it, wait for it, or drop what is old.

`dispatch` handles one row and may be repeated at any moment by anyone: starting joins a running process,
a signal carries only the event's id, and the process's own activity marks the row `applied`. Until then
the row comes back. What nobody can apply becomes `poison`, with an exception for its owner.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from domain.activation_process import ACTIVATION
from domain.attention import EventRef
from domain.billing_events import ContractChanged, ProjectEvent
from domain.events import (
    DealChanged,
    DealSigned,
    Event,
    EventRefused,
    PeopleChanged,
    StaffingDecided,
    TimeApproved,
    UnknownEventType,
    parse,
)
from domain.identity import process_key
from domain.procurement_events import PurchaseOrderChanged
from domain.procurement_process import PROCUREMENT
from domain.project_processes import BILLING
from domain.readiness import OwnerGroup
from gateway.poison import Poison
from gateway.temporal_link import TemporalLink
from runtime.connect import NoTemporal
from runtime.settings import Settings
from store.ports import InboxRow, ProcessRow, ProcessState, Store, StoreError
from workflows.shared.start import wake_resource_sync

UNREACHABLE_RETRY = timedelta(seconds=10)
UNAPPLIED_RETRY = timedelta(seconds=60)
LONGEST_RETRY = timedelta(minutes=15)
WAITING_LIMIT = timedelta(hours=72)
"""Age at which an event that finds no process becomes an exception."""
CALL_TIMEOUT = 15.0
"""Seconds for one start or signal."""
_MANY = 10_000

_log = structlog.get_logger("fairlead.gateway.dispatch")


class FirmIdentity(Protocol):
    """All that dispatching needs of the firm's file."""

    @property
    def id(self) -> str: ...


class Started(Protocol):
    @property
    def workflow_id(self) -> str: ...

    @property
    def joined(self) -> bool: ...


class StartActivation(Protocol):
    """`workflows.shared.start.start_activation`: joins a running process, with a start signal."""

    async def __call__(
        self,
        client: Client,
        settings: Settings,
        *,
        firm: str,
        deal: str,
        requested_by: str,
        event: EventRef | None = None,
    ) -> Started: ...


class WakeResourceSync(Protocol):
    """`workflows.shared.start.wake_resource_sync`: starts it when none runs."""

    async def __call__(
        self, client: Client, settings: Settings, *, firm: str, hr: str, psa: str, by: str
    ) -> object: ...


class WakeTimePosting(Protocol):
    """`workflows.shared.start.wake_time_posting`: starts it when none runs."""

    async def __call__(
        self, client: Client, settings: Settings, *, firm: str, system: str, by: str
    ) -> object: ...


class Dispatcher:
    """Applies inbox rows. One per gateway; several gateways on one store do no harm.

    `psas` are the systems whose approved time is taken in, `people` the pairs of HR account and PSA.
    """

    def __init__(
        self,
        store: Store,
        client: TemporalLink,
        settings: Settings,
        firm: FirmIdentity,
        *,
        start: StartActivation,
        wake: WakeTimePosting,
        psas: Sequence[str] = (),
        sync: WakeResourceSync = wake_resource_sync,
        people: Sequence[tuple[str, str]] = (),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._temporal = client
        self._settings = settings
        self._firm = firm
        self._start = start
        self._wake = wake
        self._psas = tuple(psas)
        self._sync = sync
        self._people = tuple(people)
        self._now = now
        self._poison = Poison(store)
        self._in_hand: set[str] = set()

    async def dispatch(self, row: InboxRow) -> None:
        """Handle one row. Raises only what the store raises; the row then comes back by the sweeper."""
        if row.id in self._in_hand:
            return
        self._in_hand.add(row.id)
        try:
            await self._guarded(row)
        finally:
            self._in_hand.discard(row.id)

    async def _guarded(self, row: InboxRow) -> None:
        try:
            await self._apply(row, parse(row.body))
        except UnknownEventType as error:
            await self._poisoned(row, f"unknown event: {error}", OwnerGroup.ENTERPRISE_ARCHITECTURE)
        except EventRefused as error:
            await self._poisoned(row, f"unreadable event: {error}", OwnerGroup.ENTERPRISE_ARCHITECTURE)
        except (NoTemporal, RPCError, TimeoutError, OSError) as error:
            reason = _first_line(error)
            _log.warning("temporal_did_not_take_event", event_id=row.id, type=row.type, reason=reason)
            await self._store.inbox.mark(row.id, row.state, note=reason, retry_in=UNREACHABLE_RETRY)
        except StoreError:
            raise
        except Exception as error:
            await self._failed(row, error)

    async def _apply(self, row: InboxRow, event: Event) -> None:
        newest = await self._newest_applied(row) if event.data.newest_counts else None
        if newest is not None and row.version < newest:
            await self._applied(row, f"older than the version applied, of {newest.isoformat()}")
        elif isinstance(event.data, DealSigned):
            await self._activate(row, event.data)
        elif isinstance(event.data, StaffingDecided):
            await self._tell_staffing(row, event, event.data)
        elif isinstance(event.data, PurchaseOrderChanged):
            await self._tell_procurement(row, event, event.data.project)
        elif isinstance(event.data, ProjectEvent):
            await self._tell_billing(row, event, event.data.project)
        elif isinstance(event.data, TimeApproved):
            await self._wake_intake(row, event.data)
        elif isinstance(event.data, PeopleChanged):
            await self._wake_sync(row, event.data)
        else:
            await self._poisoned(row, f"nothing here consumes {event.type}", event.kind.owner)

    async def _newest_applied(self, row: InboxRow) -> datetime | None:
        """Of the subject: a deal has one version, whether it is told as signed or as changed."""
        types = ("deal.signed", "deal.changed") if row.type.startswith("deal.") else (row.type,)
        found = [await self._store.inbox.newest_version(row.source, row.subject, type) for type in types]
        return max((version for version in found if version is not None), default=None)

    # -- deals ------------------------------------------------------------------------------------

    async def _activate(self, row: InboxRow, data: DealSigned) -> None:
        process = await self._store.processes.get(process_key(ACTIVATION, self._firm.id, data.deal))
        if process is not None and process.state == "done" and await self._tell_change(row, data, process):
            return
        if process is not None and process.state == "done":
            await self._applied(row, f"already active as {process.project or process.key}", process.key)
        elif process is not None and not _is_new_intent(process, row):
            await self._applied(row, "cancelled after this version of the deal", process.key)
        else:
            await self._start_activation(row, data)

    async def _start_activation(self, row: InboxRow, data: DealSigned) -> None:
        async with asyncio.timeout(CALL_TIMEOUT):
            started = await self._start(
                await self._temporal.client(),
                self._settings,
                firm=self._firm.id,
                deal=data.deal,
                requested_by=f"event {row.id}",
                event=EventRef(id=row.id, type=row.type),
            )
        await self._dispatched(row, started.workflow_id, "joined" if started.joined else "started")

    # -- staffing ---------------------------------------------------------------------------------

    async def _tell_staffing(self, row: InboxRow, event: Event, data: StaffingDecided) -> None:
        running = await self._activation_of(data.project, "running")
        if running is not None and await self._signalled(running.key, row):
            await self._dispatched(row, running.key, "told")
            return
        ended = await self._activation_of(data.project, "done")
        if ended is not None:
            await self._applied(row, f"the activation of {data.project} has already ended", ended.key)
            return
        await self._wait(row, event, f"no activation of project {data.project} is running")

    async def _activation_of(self, project: str, state: ProcessState) -> ProcessRow | None:
        rows = await self._store.processes.list(kind=ACTIVATION, state=state, limit=_MANY)
        return next((row for row in rows if row.project == project), None)

    async def _signalled(self, workflow_id: str, row: InboxRow) -> bool:
        """Whether the process took the signal; false when it has ended meanwhile."""
        client = await self._temporal.client()
        handle = client.get_workflow_handle(workflow_id)
        try:
            async with asyncio.timeout(CALL_TIMEOUT):
                await handle.signal("event_received", EventRef(id=row.id, type=row.type))
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise
        return True

    async def _wait(self, row: InboxRow, event: Event, reason: str) -> None:
        age = self._now() - row.received_at
        if age >= WAITING_LIMIT:
            hours = f"{WAITING_LIMIT.total_seconds() / 3600:.0f}"
            await self._poisoned(row, f"{reason}; it waited {hours} hours", event.kind.owner)
            return
        _log.info("event_waits", event_id=row.id, type=row.type, reason=reason)
        retry = min(_growing(UNREACHABLE_RETRY, row.attempts), WAITING_LIMIT - age)
        await self._store.inbox.mark(row.id, "waiting", note=reason, retry_in=retry)

    # -- billing ----------------------------------------------------------------------------------

    async def _tell_billing(self, row: InboxRow, event: Event, project: str) -> None:
        key = process_key(BILLING, self._firm.id, project)
        if isinstance(event.data, ContractChanged):
            await self._hint_procurement(row, project)
        if await self._signalled(key, row):
            await self._dispatched(row, key, "told")
            return
        process = await self._store.processes.get(key)
        if process is not None and process.state != "running":
            await self._poisoned(row, f"the billing of project {project} has ended", event.kind.owner)
            return
        await self._wait(row, event, f"no billing of project {project} is running")

    async def _tell_change(self, row: InboxRow, data: DealSigned, active: ProcessRow) -> bool:
        """Whether the billing of an active deal takes its change; a deal told as signed again is none."""
        if not isinstance(data, DealChanged) or not active.project:
            return False
        key = process_key(BILLING, self._firm.id, active.project)
        await self._hint_procurement(row, active.project)
        if not await self._signalled(key, row):
            return False
        await self._dispatched(row, key, "told of the change")
        return True

    # -- procurement ------------------------------------------------------------------------------

    async def _tell_procurement(self, row: InboxRow, event: Event, project: str) -> None:
        key = process_key(PROCUREMENT, self._firm.id, project)
        if await self._signalled(key, row):
            await self._dispatched(row, key, "told")
            return
        process = await self._store.processes.get(key)
        if process is not None and process.state != "running":
            await self._applied(row, f"the procurement of project {project} has ended", key)
            return
        await self._wait(row, event, f"no procurement of project {project} is running")

    async def _hint_procurement(self, row: InboxRow, project: str) -> None:
        """A change of contract is applied by the billing; where suppliers deliver, the deal is read again.

        Before the billing is told: should this fail, the row comes back for both.
        """
        key = process_key(PROCUREMENT, self._firm.id, project)
        process = await self._store.processes.get(key)
        if process is not None and process.state == "running":
            await self._signalled(key, row)

    # -- approved time ----------------------------------------------------------------------------

    async def _wake_intake(self, row: InboxRow, data: TimeApproved) -> None:
        """A hint: once the process is woken nothing of the event is left to apply."""
        served = self._psas
        if data.system is not None and data.system not in served:
            reason = f"no system {data.system!r} plays psa here; there is {', '.join(served) or 'none'}"
            await self._poisoned(row, reason, OwnerGroup.ENTERPRISE_ARCHITECTURE)
            return
        for system in [data.system] if data.system else served:
            async with asyncio.timeout(CALL_TIMEOUT):
                await self._wake(
                    await self._temporal.client(),
                    self._settings,
                    firm=self._firm.id,
                    system=system,
                    by=f"event {row.id}",
                )
        await self._applied(row, "time posting woken")

    # -- people -----------------------------------------------------------------------------------

    async def _wake_sync(self, row: InboxRow, data: PeopleChanged) -> None:
        """A hint like approved time. A change in the PSA concerns every HR account it is staffed from."""
        woken = [(hr, psa) for hr, psa in self._people if data.system in (hr, psa)]
        if not woken:
            known = ", ".join(sorted({name for pair in self._people for name in pair})) or "none"
            reason = f"no system {data.system!r} holds people here; there is {known}"
            await self._poisoned(row, reason, OwnerGroup.ENTERPRISE_ARCHITECTURE)
            return
        for hr, psa in woken:
            async with asyncio.timeout(CALL_TIMEOUT):
                await self._sync(
                    await self._temporal.client(),
                    self._settings,
                    firm=self._firm.id,
                    hr=hr,
                    psa=psa,
                    by=f"event {row.id}",
                )
        await self._applied(row, "resource sync woken")

    # -- outcomes ---------------------------------------------------------------------------------

    async def _dispatched(self, row: InboxRow, process: str, how: str) -> None:
        _log.info("event_dispatched", event_id=row.id, type=row.type, process=process, how=how)
        repeats = row.attempts if row.state == "dispatched" else 0
        retry = _growing(UNAPPLIED_RETRY, repeats)
        await self._store.inbox.mark(row.id, "dispatched", process=process, note=how, retry_in=retry)
        await self._poison.settle(row, f"{how} {process}")

    async def _applied(self, row: InboxRow, note: str, process: str = "") -> None:
        _log.info("event_needs_nothing", event_id=row.id, type=row.type, process=process, reason=note)
        await self._store.inbox.mark(row.id, "applied", process=process, note=note)
        await self._poison.settle(row, note)

    async def _failed(self, row: InboxRow, error: Exception) -> None:
        """A fault of ours: tried again, since a fixed release may be on its way, but not for ever."""
        reason = f"{type(error).__name__}: {_first_line(error)}"
        _log.exception("dispatch_failed", event_id=row.id, type=row.type, reason=reason)
        if self._now() - row.received_at >= WAITING_LIMIT:
            await self._poisoned(row, reason, OwnerGroup.PLATFORM_ENGINEERING)
            return
        retry = _growing(UNREACHABLE_RETRY, row.attempts)
        await self._store.inbox.mark(row.id, row.state, note=reason, retry_in=retry)

    async def _poisoned(self, row: InboxRow, reason: str, owner: OwnerGroup) -> None:
        _log.error("event_poisoned", event_id=row.id, type=row.type, owner=owner.value, reason=reason)
        await self._poison.raise_for(row, reason, owner, self._now())
        await self._store.inbox.mark(row.id, "poison", note=reason)


def _is_new_intent(process: ProcessRow, row: InboxRow) -> bool:
    """Whether the event may start or join: after a cancel only a deal that changed since then."""
    if process.state != "cancelled":
        return True
    return process.ended_at is None or row.version > process.ended_at


def _growing(first: timedelta, attempts: int) -> timedelta:
    """Doubles with each attempt up to `LONGEST_RETRY`, so that a long stop floods no history."""
    doubled: timedelta = first * (1 << min(attempts, 20))
    return min(LONGEST_RETRY, doubled)


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]
