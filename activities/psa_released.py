"""Invoices a PSA released by its own authority: found by polling, read when one is told of."""

from datetime import UTC, datetime, timedelta

from temporalio import activity

from activities.billing_rows import BillingRows
from activities.boundary import Boundary, Clock, utc_now
from activities.effects import EffectRunner
from activities.project_billing import take_verdict
from connectors.ports import PsaPort
from domain.base import Canonical
from domain.billing_steps import EventTaken, ReleasedInPsa
from domain.billing_triggers import psa_verdict
from domain.intake import PsaInvoice
from store.ports import InboxRow, Store

_BEFORE = timedelta(days=1)
"""The change stamp of an event may be that of its sending: so much earlier is read."""
_MOST = 1000
EVENT = "psa.invoice_released"


class PollReleased(Canonical):
    """One poll of released invoices: from the high-water mark minus `overlap_seconds`."""

    system: str
    overlap_seconds: int = 300
    limit: int = _MOST


class PolledReleased(Canonical):
    seen: int
    new: int
    unknown: int = 0
    """Of projects that Fairlead did not activate."""


class PsaReleasedActivities:
    """Registered on the task queue of the PSA's account."""

    def __init__(
        self, port: PsaPort, effects: EffectRunner, store: Store, boundary: Boundary, clock: Clock = utc_now
    ) -> None:
        self._port = port
        self._store = store
        self._rows = BillingRows(store)
        self._boundary = boundary
        self._clock = clock

    @activity.defn(name="psa.take_released")
    async def take_released(self, input: ReleasedInPsa) -> EventTaken:
        """Read the invoice, and make exactly one billing event of it, or say why not."""
        contract = await self._rows.contract(input.project)
        project = contract.psa_project or await self._project_id(input.project)
        async with self._boundary():
            found = await self._port.released_invoices(input.told_at - _BEFORE, _MOST)
            # The newest state of it counts: it may have been released, cancelled, and released again.
            named = [
                one
                for one in found
                if one.external_id == input.invoice and one.project_external_id == project
            ]
            released = max(named, key=lambda one: one.version, default=None)
            kept = await self._store.billing.events(input.project)
            return await take_verdict(self._store, psa_verdict(contract, released, input.invoice, kept))

    @activity.defn(name="psa.poll_released")
    async def poll_released(self, input: PollReleased) -> PolledReleased:
        """Put invoices released or cancelled since the mark into the inbox, as a webhook would have."""
        name = f"{input.system}.released_invoices"
        mark = await self._store.cursors.get(name)
        if mark is None:
            # What was released before Fairlead came is not billed by it.
            await self._store.cursors.put(name, self._clock())
            return PolledReleased(seen=0, new=0)
        since = mark - timedelta(seconds=input.overlap_seconds)
        async with self._boundary():
            found = await self._port.released_invoices(since, input.limit)
        new = unknown = 0
        for invoice in found:
            if invoice.ours or invoice.state == "draft":
                continue
            number = await self._number(input.system, invoice.project_external_id)
            if number is None:
                unknown += 1
                continue
            new += await self._store.inbox.put(_event(input.system, number, invoice, self._clock()))
        if found:
            await self._store.cursors.put(name, max(invoice.version.astimezone(UTC) for invoice in found))
        return PolledReleased(seen=len(found), new=new, unknown=unknown)

    async def _number(self, system: str, external_id: str) -> str | None:
        """Number of the project the PSA calls `external_id`; None for one that is not ours."""
        canonical = await self._store.references.canonical(system, "project", external_id)
        return canonical.removeprefix("project:") if canonical else None

    async def _project_id(self, number: str) -> str:
        known = await self._store.references.of(f"project:{number}")
        return next(
            (id for system, kind, id in known if (system, kind) == (self._port.system, "project")), ""
        )


def _event(system: str, number: str, invoice: PsaInvoice, now: datetime) -> InboxRow:
    """The event that a webhook would have brought, in the catalogue's form."""
    stamp = invoice.version.astimezone(UTC).isoformat()
    id = f"{invoice.external_id}@{stamp}"
    return InboxRow(
        id=f"{system}-poll:invoice:{id}",
        source=f"{system}-poll",
        event_id=f"invoice:{id}",
        type=EVENT,
        subject=number,
        version=invoice.version,
        body={
            "specversion": "1.0",
            "id": f"invoice:{id}",
            "source": f"/{system}-poll",
            "type": EVENT,
            "subject": number,
            "time": stamp,
            "data": {"project": number, "invoice": invoice.external_id, "version": stamp},
        },
        received_at=now,
    )
