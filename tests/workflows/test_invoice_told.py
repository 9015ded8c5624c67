"""What others are told of an invoice: posted, waiting for a person, credited."""

from tests.support.billing_firm import BillingFirm


async def test_invoice_approval_and_credit_are_told_in_their_order(billing: BillingFirm) -> None:
    await billing.contract()
    await billing.work("1", 10)
    posted = await billing.billed(await billing.cycle())
    credited = await billing.credited(posted.invoice)
    rows = list(reversed(await billing.store.outbox.list()))
    assert [row.type for row in rows] == [
        "invoice.posted",
        "exception.raised",
        "exception.resolved",
        "invoice.credited",
    ]
    invoice, raised, resolved, credit = rows
    assert invoice.subject == credit.subject == posted.invoice
    assert (invoice.data["number"], credit.data["number"]) == (posted.number, credited.number)
    ledger = await billing.row(posted.invoice)
    assert ledger.erp_net is not None
    for told in (invoice.data, credit.data):
        assert (told["net"], told["currency"]) == (str(ledger.erp_net.amount), "EUR")
    assert raised.subject == resolved.subject == raised.data["exception"]
    assert raised.data["process"] == credit.data["credit_note"]
