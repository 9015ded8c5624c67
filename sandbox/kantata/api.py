"""The handlers of the API: list, show, create, update, delete, and the resources with ways of their own."""

from collections.abc import Callable

from sandbox.core.call import Answer, Call
from sandbox.core.records import Record
from sandbox.kantata import feed, invoicing, references, staffing, time_rules, writing
from sandbox.kantata.envelope import page_answer, records_answer, references_answer
from sandbox.kantata.errors import ErrorLine, bad_request, invalid, line, not_found
from sandbox.kantata.fields import INTEGER, Field, choice
from sandbox.kantata.resource import Resource
from sandbox.kantata.resources import BY_NOUN, RESOURCES
from sandbox.kantata.selection import select, shows_archived
from sandbox.kantata.validation import checked, rows_of

Handler = Callable[[Call], Answer]


def lister(resource: Resource) -> Handler:
    """`GET /<collection>`."""

    def handle(call: Call) -> Answer:
        return page_answer(call, resource, select(call, resource))

    return handle


def shower(resource: Resource) -> Handler:
    """`GET /<collection>/{id}`."""

    def handle(call: Call) -> Answer:
        record = _existing(call, resource)
        if (
            resource.collection == "workspaces"
            and record["archived"]
            and not shows_archived(dict(call.query))
        ):
            raise not_found(resource.noun, record.id)
        return records_answer(call, resource, [record])

    return handle


def creator(resource: Resource) -> Handler:
    """`POST /<collection>`, single or in bulk. Answers 200, not 201."""

    def handle(call: Call) -> Answer:
        sent, in_bulk = rows_of(call, resource)
        rows = [checked(call.store, resource, row, "create") for row in sent]
        if not in_bulk:
            return records_answer(call, resource, [writing.create(call.store, resource, rows[0])])
        if len(rows) > 1 and call.fires("partial_batch"):
            kept = len(rows) // 2
            writing.create_rows(call, resource, rows[:kept])
            return writing.refused_rows(resource, kept + 1, len(rows))
        return records_answer(call, resource, writing.create_rows(call, resource, rows))

    return handle


def updater(resource: Resource) -> Handler:
    """`PUT /<collection>/{id}`."""

    def handle(call: Call) -> Answer:
        record = _existing(call, resource)
        sent, in_bulk = rows_of(call, resource)
        if in_bulk:
            raise bad_request("an update takes one record")
        row = checked(call.store, resource, sent[0], "update")
        return records_answer(call, resource, [writing.update(call.store, resource, record, row)])

    return handle


def deleter(resource: Resource) -> Handler:
    """`DELETE /<collection>/{id}`: final, 204."""

    def handle(call: Call) -> Answer:
        record = _existing(call, resource)
        errors = time_rules.deletion_errors(record)
        if errors:
            raise invalid(errors)
        if resource.collection == "invoices":
            invoicing.delete(call.store, record)
        for row in references.of(call.store, resource.noun, record.id):
            call.store.delete(references.COLLECTION, row.id, derived=True)
        call.store.delete(resource.collection, record.id, effect_key=call.headers.get("x-correlation-id"))
        feed.publish(call.store, resource, record.id, "deleted")
        return Answer(204)

    return handle


def me(call: Call) -> Answer:
    """`GET /users/me`: whose token this is."""
    user = call.store.get("users", call.subject)
    if user is None:
        raise not_found("User", call.subject)
    return records_answer(call, RESOURCES["users"], [user])


def create_request(call: Call) -> Answer:
    """`POST /resource_requests`."""
    resource = RESOURCES["resource_requests"]
    sent, _ = rows_of(call, resource)
    row = checked(call.store, resource, sent[0], "create")
    return records_answer(call, resource, [staffing.request(call.store, row)])


def resolve_request(call: Call) -> Answer:
    """`PUT /resource_requests/{id}`: approve, reject or cancel.

    The body has no place for an effect key; the sandbox logs the one the caller sends as `X-Correlation-Id`,
    a header the vendor ignores.
    """
    resource = RESOURCES["resource_requests"]
    record = _existing(call, resource)
    sent, _ = rows_of(call, resource)
    values = checked(call.store, resource, sent[0], "update").values
    if values.get("request_resolution_status") is None:
        name = "request_resolution_status"
        raise invalid([line("validation", f"{name} can't be blank", name)])
    decided = staffing.resolve(
        call.store,
        record,
        values["request_resolution_status"],
        user_id=values.get("user_id"),
        hard=values.get("allocations_state", True),
        effect_key=call.headers.get("x-correlation-id"),
    )
    return records_answer(call, resource, [decided])


def list_events(call: Call) -> Answer:
    """`GET /subscribed_events`: the change feed; what is past retention is gone."""
    feed.forget_old(call.store)
    resource = RESOURCES["subscribed_events"]
    return page_answer(call, resource, select(call, resource))


def event_types(call: Call) -> Answer:
    """`GET /subscribed_events/event_types`: the catalogue."""
    nouns = [resource for resource in RESOURCES.values() if resource.events]
    names = [
        f"{resource.event_name or resource.singular}:{verb}"
        for resource in nouns
        for verb in ("created", "updated", "deleted")
    ]
    return Answer(200, {"count": len(names), "event_types": names})


def list_references(call: Call) -> Answer:
    """`GET /external_references`: by subject type, service, model and reference, all as text."""
    names = ("subject_type", "subject_id", "service_name", "service_model", "service_model_ref")
    unknown = sorted(set(call.query) - {*names, "page", "per_page"})
    if unknown:
        raise bad_request(f"external_references does not know the parameter {unknown[0]}")
    wanted = {name: call.query[name] for name in names if name in call.query}
    if {"subject_type", "service_model_ref"} <= set(wanted):
        key = (wanted["subject_type"], wanted["service_model_ref"])
        rows = call.store.find(references.COLLECTION, "ref", key)
    else:
        rows = list(call.store.rows(references.COLLECTION))
    return references_answer(
        row for row in rows if all(row.get(name) == value for name, value in wanted.items())
    )


def upsert_reference(call: Call) -> Answer:
    """`POST /external_references/create_or_update`: one reference per subject and service."""
    body = call.json_object()
    sent = body.get("external_reference")
    if set(body) != {"external_reference"} or not isinstance(sent, dict):
        raise bad_request('the body must be {"external_reference": {...}}')
    known: dict[str, Field] = {
        **references.FIELDS,
        "subject_type": choice(*(noun for noun, kind in BY_NOUN.items() if kind.referenced)),
        "subject_id": INTEGER,
    }
    errors: list[ErrorLine] = []
    values = references.checked(sent, errors, known)
    for name in ("subject_type", "subject_id"):
        if sent.get(name) is None:
            errors.append(line("validation", f"{name} can't be blank", name))
    if errors:
        raise invalid(errors)
    noun, subject_id = values.pop("subject_type"), str(values.pop("subject_id"))
    if call.store.get(BY_NOUN[noun].collection, subject_id) is None:
        raise invalid([line("validation", f"{noun} {subject_id} does not exist", "subject_id")])
    return references_answer([references.attach(call.store, noun, subject_id, values, inline=False)])


def _existing(call: Call, resource: Resource) -> Record:
    record_id = call.params["id"].removesuffix(".json")
    record = call.store.get(resource.collection, record_id)
    if record is None:
        raise not_found(resource.noun, record_id)
    return record
