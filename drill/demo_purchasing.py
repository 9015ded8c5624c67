"""Between signing and working: the subcontractor is approved, ordered, and accepts."""

from datetime import timedelta

from domain.identity import process_key
from domain.procurement_process import PROCUREMENT, ProcurementLine, ProcurementView
from drill.demo_outcome import DemoFailed
from drill.demo_scenes import Scenes
from drill.demo_signing import Signed

SYSTEM = "coupa"


class Purchasing(Scenes):
    """From the requisition that the activation wrote to the order its supplier has accepted."""

    async def play(self, signed: Signed) -> None:
        """All scenes; people act in the screens of the procurement system. Raises `DemoFailed`."""
        self._project = signed.project
        line = await self._line("requested")
        self.say("Fairlead", f"line {line.name!r}: requisition {line.requisition_number} over {line.amount}")
        await self._act("requisitions", line.requisition, "approve", "order")
        order = await self._order_of(line.requisition)
        self.say("Coupa", f"approved and ordered from {line.supplier_id} as {order['po-number']}")
        await self._act("purchase_orders", str(order["id"]), "issue", "acknowledge")
        line = await self._line("accepted")
        self.say("Supplier", f"accepts order {line.order_number} over {line.ordered}")

    async def _act(self, object: str, id: str, *actions: str) -> None:
        for action in actions:
            await self.sandbox("POST", f"/_control/{SYSTEM}/{object}/{id}", json={"action": action})

    async def _order_of(self, requisition: str) -> dict[str, object]:
        for order in await self.records(f"{SYSTEM}/purchase_orders"):
            if str(order["requisition-header"]["id"]) == requisition:
                return order
        raise DemoFailed(f"requisition {requisition} was approved and became no order")

    async def _line(self, state: str) -> ProcurementLine:
        """The one line of a supplier, once it is in `state`."""
        process = process_key(PROCUREMENT, self.stage.firm, self._project)
        last: list[ProcurementView] = []

        async def look() -> ProcurementLine | None:
            view: ProcurementView = await self.stage.client.get_workflow_handle(process).query(
                "status", result_type=ProcurementView, rpc_timeout=timedelta(seconds=5)
            )
            last[:] = [view]
            return next((line for line in view.lines if line.state == state), None)

        return await self.eventually(look, lambda: f"{process} is {last[0] if last else 'not started'}")
