"""The CRM: read the signed deal, tell the CRM what became of it, find signed deals by polling."""

from datetime import UTC, datetime, timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.boundary import Boundary, Clock, utc_now
from activities.effects import EffectRunner
from activities.steps import Step
from connectors.ports import CrmPort
from domain import corrections
from domain.base import Canonical
from domain.commands import DealStatus, MarkDeal, Record
from domain.selling import Deal, DealSummary
from store.ports import InboxRow, Store


class ReadDeal(Canonical):
    deal: str
    """External id of the deal."""
    corrections: dict[str, str] = {}
    """Canonical path -> value a person decided on, laid over what the CRM says."""


class MarkDealInput(Step):
    deal_external_id: str
    status: DealStatus
    project_number: str = ""

    def command(self) -> MarkDeal:
        return MarkDeal(
            deal_external_id=self.deal_external_id, status=self.status, project_number=self.project_number
        )


class PollDeals(Canonical):
    """One poll of signed deals: from the high-water mark minus `overlap_seconds`."""

    system: str
    overlap_seconds: int = 300
    limit: int = 1000


class PollResult(Canonical):
    seen: int
    new: int


class CrmActivities:
    """Registered on the task queue of the CRM's account."""

    def __init__(
        self, port: CrmPort, effects: EffectRunner, store: Store, boundary: Boundary, clock: Clock = utc_now
    ) -> None:
        self._port = port
        self._effects = effects
        self._store = store
        self._boundary = boundary
        self._clock = clock

    @activity.defn(name="crm.read_deal")
    async def read_deal(self, input: ReadDeal) -> Deal:
        """The deal as the CRM holds it, with corrections laid over. Fails with `NotFound`."""
        async with self._boundary():
            deal = await self._port.read_deal(input.deal)
        try:
            return corrections.apply(deal, input.corrections)
        except ValueError as error:
            # The deal has changed in the CRM since the correction was taken in.
            raise ApplicationError(str(error), type="Rejected", non_retryable=True) from error

    @activity.defn(name="crm.mark_deal")
    async def mark_deal(self, input: MarkDealInput) -> Record:
        """Tell the CRM that the deal is active. Undo: `crm.restore_deal`."""
        async with self._boundary():
            return await self._effects.write(
                input.command(), input.key("crm.active"), input.context("crm.active")
            )

    @activity.defn(name="crm.restore_deal")
    async def restore_deal(self, input: MarkDealInput) -> Record | None:
        """Undo of `crm.mark_deal`: the deal is cancelled for us; the sale itself is the CRM's affair."""
        async with self._boundary():
            return await self._effects.undo(
                input.command(),
                input.key("crm.active"),
                lambda _: MarkDeal(deal_external_id=input.deal_external_id, status="Cancelled"),
                input.context("crm.active"),
            )

    @activity.defn(name="crm.poll_signed_deals")
    async def poll_signed_deals(self, input: PollDeals) -> PollResult:
        """Put signed deals changed since the mark into the inbox, as a webhook would have.

        The mark moves only after the rows are kept, and each poll reads an overlap again, since a
        change stamp is set before its transaction commits; repeats are dropped by their event id.
        """
        name = f"{input.system}.signed_deals"
        mark = await self._store.cursors.get(name)
        if mark is None:
            # What was signed before Fairlead came is activated by hand: `fairlead deals`.
            await self._store.cursors.put(name, self._clock())
            return PollResult(seen=0, new=0)
        since = mark - timedelta(seconds=input.overlap_seconds)
        async with self._boundary():
            deals = await self._port.signed_deals(since, input.limit)
        new = 0
        for deal in deals:
            new += await self._store.inbox.put(_signed_event(input.system, deal, self._clock()))
        if deals:
            await self._store.cursors.put(name, max(_aware(deal.version) for deal in deals))
        return PollResult(seen=len(deals), new=new)


def _signed_event(system: str, deal: DealSummary, now: datetime) -> InboxRow:
    """The event that a webhook would have brought, in the catalogue's form."""
    stamp = _aware(deal.version).isoformat()
    id = f"{deal.external_id}@{stamp}"
    return InboxRow(
        id=f"{system}-poll:{id}",
        source=f"{system}-poll",
        event_id=id,
        type="deal.signed",
        subject=deal.external_id,
        version=deal.version,
        body={
            "specversion": "1.0",
            "id": id,
            "source": f"/{system}-poll",
            "type": "deal.signed",
            "subject": deal.external_id,
            "time": stamp,
            "data": {"deal": deal.external_id, "version": stamp},
        },
        received_at=now,
    )


def _aware(stamp: datetime) -> datetime:
    return stamp.astimezone(UTC)
