"""Procurement: suppliers' work is requested, followed and taken back; changed orders are found by polling.

Suppliers are matched before the first requisition is written, so that a name that fits nobody leaves nothing
half done. What is ordered is taken back by cancelling the order; one the supplier has accepted is cancelled
by a person, who is told all it takes.
"""

from collections.abc import Sequence
from datetime import timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.boundary import Boundary, Clock, utc_now
from activities.effects import EffectRunner
from activities.gates import RateCards
from activities.procurement_events import PolledOrders, PollOrders, changed_order
from activities.steps import Step
from connectors.errors import NotFound, Rejected, Transient
from connectors.ports import ProcurementPort
from domain.base import Canonical
from domain.buying import PurchaseLine, PurchaseOrder, Supplier, SupplierQuery, UnreadableOrder
from domain.buying_commands import CancelPurchaseOrder, RequestPurchase, WithdrawRequisition
from domain.commands import Record
from domain.identity import process_key
from domain.intake import FeedPosition
from domain.procurement_process import PROCUREMENT, ProcurementFacts, PurchaseNeed, Requested
from domain.purchase_plan import NeedRefused, lookup_command, planned, request_step
from store.ports import EffectRow, Reference, Store

_MOST_PAGES = 1000


class PurchaseInput(Step):
    """Needs of one project that are requested together, one requisition for each supplier."""

    project: str
    """Its number."""
    entity: str
    needs: tuple[PurchaseNeed, ...]
    round: int = 1


class WithdrawInput(Step):
    """One requisition to be taken back, by the key it was written under."""

    project: str
    entity: str
    effect: str
    needs: tuple[PurchaseNeed, ...]


class ReadPurchases(Canonical):
    project: str
    requisitions: tuple[str, ...] = ()
    """External ids."""


class ProcurementActivities:
    """Registered on the task queue of the procurement system's account."""

    def __init__(
        self,
        port: ProcurementPort,
        effects: EffectRunner,
        store: Store,
        boundary: Boundary,
        rate_cards: RateCards,
        clock: Clock = utc_now,
    ) -> None:
        self._port = port
        self._effects = effects
        self._store = store
        self._boundary = boundary
        self._rate_cards = rate_cards
        self._clock = clock

    # -- asking -----------------------------------------------------------------------------------

    @activity.defn(name="procurement.request")
    async def request(self, input: PurchaseInput) -> list[Requested]:
        """A requisition per supplier, submitted for approval. Undo: `procurement.withdraw_all`."""
        async with self._boundary():
            lines = self._planned(input.needs)
            matched = [(need, await self._supplier(need)) for need in input.needs]
            by_supplier: dict[str, list[PurchaseNeed]] = {}
            for need, supplier in matched:
                by_supplier.setdefault(supplier.id, []).append(need)
            return [
                await self._requested(input, supplier, needs, [lines[need.ref] for need in needs])
                for supplier, needs in by_supplier.items()
            ]

    def _planned(self, needs: Sequence[PurchaseNeed]) -> dict[str, PurchaseLine]:
        """The needs at their cost. Raises `Rejected` with everything that does not hold."""
        lines: dict[str, PurchaseLine] = {}
        refused: list[NeedRefused] = []
        for need in needs:
            try:
                lines[need.ref] = planned(need, self._rate_cards.card(need.card))
            except NeedRefused as error:
                refused.append(error)
        if refused:
            words = "; ".join(str(error) for error in refused)
            raise self._refusal(words, field=refused[0].field, rule=refused[0].rule)
        return lines

    async def _supplier(self, need: PurchaseNeed) -> Supplier:
        """The one active supplier that the line names. Raises `Rejected` when a person has to decide."""
        what, field = f"line {need.ref} {need.name}", need.path("supplier")
        if not need.supplier:
            words = f"{what} names no supplier: state the number of one of {self._port.system}"
            raise self._refusal(words, field=field, rule="supplier.required")
        for query in (
            SupplierQuery(number=need.supplier),
            SupplierQuery(tax_id=need.supplier),
            SupplierQuery(name=need.supplier),
        ):
            found = {supplier.id: supplier for supplier in await self._port.suppliers(query)}
            if len(found) == 1:
                return next(iter(found.values()))
            if found:
                named = ", ".join(f"{one.id} ({one.name}, {one.country})" for one in found.values())
                words = (
                    f"{what}: {need.supplier!r} fits {len(found)} suppliers, {named}: state the number of one"
                )
                raise self._refusal(words, field=field, rule="supplier.several")
        words = f"{what}: {self._port.system} has no active supplier {need.supplier!r}"
        cure = "enter it there and retry, or state another"
        raise self._refusal(f"{words}: {cure}", field=field, rule="supplier.unknown")

    async def _requested(
        self, input: PurchaseInput, supplier: str, needs: Sequence[PurchaseNeed], lines: list[PurchaseLine]
    ) -> Requested:
        step = request_step(needs[0].ref, input.round)
        command = RequestPurchase(
            project=input.project,
            entity=input.entity,
            supplier=supplier,
            currency=needs[0].currency,
            needed_on=min(need.starts_on for need in needs),
            lines=tuple(lines),
        )
        made = Reference(
            canonical_id=f"requisition:{input.project}:{step}:{input.generation}", object="requisition"
        )
        record = await self._effects.write(command, input.key(step), input.context(step), made=made)
        return Requested(
            key=input.key(step),
            requisition=record.external_id,
            number=record.number,
            url=record.url,
            supplier_id=supplier,
            rates={line.ref: line.rate for line in lines},
            amounts={line.ref: line.amount for line in lines},
        )

    # -- reading ----------------------------------------------------------------------------------

    @activity.defn(name="procurement.read")
    async def read(self, input: ReadPurchases) -> ProcurementFacts:
        """The requisitions that were asked for, and every order of the project."""
        async with self._boundary():
            found, missing = [], []
            for external_id in input.requisitions:
                try:
                    found.append(await self._port.requisition(external_id))
                except NotFound:
                    missing.append(external_id)
            orders, unreadable = await self._orders(input.project)
        return ProcurementFacts(
            requisitions=tuple(found),
            missing=tuple(missing),
            orders=tuple(orders),
            unreadable=tuple(unreadable),
        )

    async def _orders(self, project: str) -> tuple[list[PurchaseOrder], list[UnreadableOrder]]:
        orders: dict[str, PurchaseOrder] = {}
        unreadable: dict[str, UnreadableOrder] = {}
        position = FeedPosition()
        for _ in range(_MOST_PAGES):
            page = await self._port.purchase_orders(project, position)
            orders |= {order.external_id: order for order in page.orders}
            unreadable |= {order.external_id: order for order in page.unreadable}
            if not page.next_page:
                return list(orders.values()), list(unreadable.values())
            position = position.with_changes(page=page.next_page)
        raise RuntimeError(f"the orders of {project} have no end after {_MOST_PAGES} pages")

    @activity.defn(name="procurement.poll_orders")
    async def poll_orders(self, input: PollOrders) -> PolledOrders:
        """Put orders changed since the mark into the inbox, as a webhook would have.

        One poll for all projects: it costs a page, whereas a poll of each project costs one for each.
        """
        name = f"{input.system}.purchase_orders"
        mark = await self._store.cursors.get(name)
        if mark is None:
            # What was ordered before Fairlead came belongs to no process of it.
            await self._store.cursors.put(name, self._clock())
            return PolledOrders(seen=0, new=0)
        seen = new = unknown = 0
        position = FeedPosition(since=mark - timedelta(seconds=input.overlap_seconds))
        async with self._boundary():
            for _ in range(_MOST_PAGES):
                page = await self._port.purchase_orders("", position)
                for order in page.orders:
                    kept = await self._tell(input, order)
                    seen, new, unknown = seen + 1, new + bool(kept), unknown + (kept is None)
                if page.mark is not None:
                    mark = max(mark, page.mark)
                position = position.with_changes(page=page.next_page)
                if not page.next_page:
                    break
        await self._store.cursors.put(name, mark)
        return PolledOrders(seen=seen, new=new, unknown=unknown)

    async def _tell(self, input: PollOrders, order: PurchaseOrder) -> bool | None:
        """Whether the inbox has it now for the first time; None for a project that is not ours."""
        try:
            key = process_key(PROCUREMENT, input.firm, order.project)
        except ValueError:
            return None
        if await self._store.processes.get(key) is None:
            return None
        return await self._store.inbox.put(changed_order(input.system, order, self._clock()))

    # -- taking back ------------------------------------------------------------------------------

    @activity.defn(name="procurement.withdraw_all")
    async def withdraw_all(self, input: PurchaseInput) -> int:
        """Undo of `procurement.request`, whatever of it happened; returns how many were taken back."""
        taken = 0
        async with self._boundary():
            for need in reversed(input.needs):
                step = request_step(need.ref, input.round)
                one = WithdrawInput(
                    **dict(Step(**dict(input))),
                    project=input.project,
                    entity=input.entity,
                    effect=input.key(step),
                    needs=input.needs,
                )
                taken += await self._take_back(one) is not None
        return taken

    @activity.defn(name="procurement.withdraw")
    async def withdraw(self, input: WithdrawInput) -> Record | None:
        """Take one requisition back, with the order it became unless the supplier has accepted that."""
        async with self._boundary():
            return await self._take_back(input)

    async def _take_back(self, input: WithdrawInput) -> Record | None:
        command = lookup_command(input.project, input.entity, input.needs)
        record = await self._effects.outcome(command, input.effect)
        row = await self._store.effects.get(input.effect)
        if record is None or row is None:
            return None
        step = input.effect.split("/")[-2]
        standing = await self._port.requisition(record.external_id)
        if standing.state == "ordered":
            return await self._cancel_orders(input, row, step)
        return await self._effects.reverse(
            row,
            lambda id: WithdrawRequisition(requisition_external_id=id, reason=input.reason),
            input.context(step),
        )

    async def _cancel_orders(self, input: WithdrawInput, row: EffectRow, step: str) -> Record:
        orders, _ = await self._orders(input.project)
        mine = [order for order in orders if order.requisition == row.external_id]
        if not mine:
            raise Transient(
                f"requisition {row.number or row.external_id} is ordered, and its order does not show yet",
                system=self._port.system,
                operation="withdraw requisition",
            )
        live = [order for order in mine if order.state != "cancelled"]
        for order in live:
            if not order.may_be_cancelled_by_machine:
                raise self._by_person(order)
        *others, last = live or mine  # what a person has cancelled is found so
        for order in others:
            key = f"{row.key}/undo.{order.external_id}"
            await self._effects.write(_cancel(order, input.reason), key, input.context(step))
        return await self._effects.reverse(row, lambda _: _cancel(last, input.reason), input.context(step))

    def _by_person(self, order: PurchaseOrder) -> ApplicationError:
        """Everything the person needs who ends it."""
        system = self._port.system
        words = (
            f"order {order.number} over {order.total} is {order.state} by supplier {order.supplier}: its "
            f"buyer agrees on its end with the supplier's account contact and cancels it in {system}; "
            "then retry"
        )
        facts = {
            "system": system,
            "order": order.number,
            "supplier": order.supplier,
            "amount": str(order.total),
            "contact": "buyer of the order; the supplier's account contact",
            "rule": "order.accepted",
        }
        return ApplicationError(words, facts, type="Rejected", non_retryable=True)

    def _refusal(self, words: str, *, field: str, rule: str) -> Rejected:
        return Rejected(words, system=self._port.system, operation="request purchase", field=field, rule=rule)


def _cancel(order: PurchaseOrder, reason: str) -> CancelPurchaseOrder:
    return CancelPurchaseOrder(order_external_id=order.external_id, reason=reason)
