"""The cash team at Tryton's own screens: a customer's payment is entered there, and not by Fairlead."""

import asyncio

from domain.billing_process import InvoiceResult
from drill.demo_outcome import DemoFailed
from drill.demo_scenes import Scenes, Show, Tell
from drill.demo_signing import Signed
from drill.lane import Lane
from local.tryton_firm import sign_in
from local.tryton_rpc import RpcError

WIZARD = "wizard.account.invoice.pay"
_FIELDS = ("number", "state", "party", "currency", "company", "account", "amount_to_pay")


class Cash(Scenes):
    """Somebody who is signed in at Tryton. Close it."""

    paid = ""
    """Number of the invoice that was paid."""

    def __init__(self, stage: Lane, tell: Tell, show: Show, began: float) -> None:
        Scenes.__init__(self, stage, tell, show, began)
        self.rpc = sign_in(stage.settings.home)

    async def pay(self, invoice: InvoiceResult, signed: Signed) -> None:
        """The customer pays `invoice` in full. Raises `DemoFailed`."""
        row = await self.stage.store.billing.invoice(invoice.invoice)
        if row is None:
            raise DemoFailed(f"{invoice.invoice} is not kept")
        try:
            await asyncio.to_thread(self._enter_payment, int(row.external_id), signed)
        except RpcError as error:
            raise DemoFailed(f"Tryton refuses the payment: {error}") from None
        self.paid = invoice.number
        self.say("Cash team", f"{invoice.gross} are received for {invoice.number}, entered in Tryton")

    def _enter_payment(self, invoice_id: int, signed: Signed) -> None:
        """The wizard that the button Pay opens."""
        rpc = self.rpc
        (invoice,) = rpc.search("account.invoice", [["id", "=", invoice_id]], *_FIELDS)
        methods = rpc.search("account.invoice.payment.method", [["company", "=", invoice["company"]]], "name")
        start = {
            "payee": invoice["party"],
            "payees": [invoice["party"]],
            "amount": invoice["amount_to_pay"],
            "currency": invoice["currency"],
            "company": invoice["company"],
            "invoice_account": invoice["account"],
            "payment_method": methods[0]["id"],
            "date": signed.today,
            "description": "bank statement",
        }
        ask = {"type": "partial", "invoice": invoice_id, "currency": invoice["currency"]}
        rpc.context = {"active_model": "account.invoice", "active_id": invoice_id, "active_ids": [invoice_id]}
        session, *_ = rpc.call(f"{WIZARD}.create")
        rpc.call(f"{WIZARD}.execute", session, {"start": start, "ask": ask}, "pay")
        rpc.call(f"{WIZARD}.delete", session)
        rpc.context = {}

    def close(self) -> None:
        self.rpc.__exit__()
