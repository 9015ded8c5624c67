"""The handlers of submissions, invoices and payments, which have ways of their own."""

from collections.abc import Callable

from sandbox.core.call import Answer, Call
from sandbox.core.records import Record
from sandbox.kantata import invoicing, submissions
from sandbox.kantata.envelope import records_answer
from sandbox.kantata.errors import bad_request, not_found
from sandbox.kantata.resources import RESOURCES
from sandbox.kantata.validation import Row, checked, rows_of

Handler = Callable[[Call], Answer]


def submitter(collection: str) -> Handler:
    """`POST /timesheet_submissions`, `POST /expense_report_submissions`."""

    def handle(call: Call) -> Answer:
        made = submissions.submit(call.store, collection, _row(call, collection, "create"), call.subject)
        return records_answer(call, RESOURCES[collection], [made])

    return handle


def resolver(collection: str, resolution: str) -> Handler:
    """`PUT /<submissions>/{id}/approve`, `reject` or `cancel`.

    The body has no place for an effect key; the sandbox logs the one the caller sends as `X-Correlation-Id`.
    """

    def handle(call: Call) -> Answer:
        submission = _existing(call, collection)
        body = call.json_object() if call.body.strip() else {}
        given = body.get("resolution", {})
        if set(body) - {"resolution"} or not isinstance(given, dict) or set(given) - {"description"}:
            raise bad_request('the body must be {"resolution": {"description": text}}')
        decided = submissions.resolve(
            call.store,
            submission,
            resolution,
            by=call.subject,
            description=str(given.get("description") or ""),
            effect_key=call.headers.get("x-correlation-id"),
        )
        return records_answer(call, RESOURCES[collection], [decided])

    return handle


def create_invoice(call: Call) -> Answer:
    """`POST /invoices`."""
    made = invoicing.create(call.store, _row(call, "invoices", "create"), call.subject)
    return records_answer(call, RESOURCES["invoices"], [made])


def update_invoice(call: Call) -> Answer:
    """`PUT /invoices/{id}`: lists of ids replace what was there."""
    invoice = _existing(call, "invoices")
    changed = invoicing.update(call.store, invoice, _row(call, "invoices", "update"))
    return records_answer(call, RESOURCES["invoices"], [changed])


def cancel_invoice(call: Call) -> Answer:
    """`PUT /invoices/{id}/cancel`."""
    invoice = _existing(call, "invoices")
    cancelled = invoicing.cancel(call.store, invoice, call.headers.get("x-correlation-id"))
    return records_answer(call, RESOURCES["invoices"], [cancelled])


def next_invoice_number(call: Call) -> Answer:
    """`GET /invoices/next_invoice_number`."""
    numbers = (row["user_invoice_number"] for row in call.store.rows("invoices"))
    return Answer(200, {"next_invoice_number": str(max(numbers, default=0) + 1)})


def create_payment(call: Call) -> Answer:
    """`POST /external_payments`."""
    made = invoicing.pay(call.store, _row(call, "external_payments", "create"), call.subject)
    return records_answer(call, RESOURCES["external_payments"], [made])


def _row(call: Call, collection: str, operation: str) -> Row:
    resource = RESOURCES[collection]
    sent, in_bulk = rows_of(call, resource)
    if in_bulk:
        raise bad_request(f"{collection} takes one record at a time")
    return checked(call.store, resource, sent[0], operation)


def _existing(call: Call, collection: str) -> Record:
    resource = RESOURCES[collection]
    record_id = call.params["id"].removesuffix(".json")
    record = call.store.get(collection, record_id)
    if record is None:
        raise not_found(resource.noun, record_id)
    return record
