"""External references: the link from a Kantata record to one in another service.

One record holds at most one reference per `service_name`; writing it again replaces it. Nothing makes
`service_model_ref` unique across records, so two records may answer to one reference.
"""

from collections.abc import Mapping
from typing import Any

from sandbox.core.records import Index, Record, RecordStore
from sandbox.kantata.errors import ErrorLine, line
from sandbox.kantata.fields import BOOLEAN, Field, Wrong, choice, text

COLLECTION = "external_references"
FIELDS: dict[str, Field] = {
    "service_name": text(255),
    "service_model": text(255),
    "service_model_ref": text(255),
    "status": choice("successful", "pending", "failed"),
    "external_link": text(),
    "external_status": text(255),
    "external_message": text(),
    "locked": BOOLEAN,
}
REQUIRED = ("service_name", "service_model", "service_model_ref")
FILTERS = {
    "external_reference_service_name": "service_name",
    "external_reference_service_model": "service_model",
    "external_reference_status": "status",
    "external_reference_external_status": "external_status",
    "external_reference_external_message": "external_message",
}


def define(store: RecordStore) -> None:
    """The ways references are found."""
    store.define(
        COLLECTION,
        Index("subject", lambda row: [(row["subject_type"], row["subject_id"])]),
        Index("ref", lambda row: [(row["subject_type"], row["service_model_ref"])]),
        Index("service", lambda row: [(row["subject_type"], row["service_name"])]),
    )


def of(store: RecordStore, noun: str, subject_id: str) -> list[Record]:
    """The references of one record."""
    return store.find(COLLECTION, "subject", (noun, subject_id))


def checked(sent: Any, errors: list[ErrorLine], known: Mapping[str, Field] = FIELDS) -> dict[str, Any]:
    """The reference as kept; what is wrong with it is added to `errors`."""
    if not isinstance(sent, dict):
        errors.append(line("validation", "external_reference must be an object", "external_reference"))
        return {}
    values: dict[str, Any] = {}
    for name, value in sent.items():
        if name not in known:
            errors.append(
                line("system", f"external_reference has no field {name}", f"external_reference.{name}")
            )
            continue
        try:
            values[name] = known[name].stored(value)
        except Wrong as wrong:
            errors.append(
                line("validation", f"external_reference.{name} {wrong}", f"external_reference.{name}")
            )
    for name in REQUIRED:
        if not sent.get(name):
            field = f"external_reference.{name}"
            errors.append(line("validation", f"{field} can't be blank", field))
    return values


def attach(
    store: RecordStore, noun: str, subject_id: str, values: Mapping[str, Any], *, inline: bool = True
) -> Record:
    """Write a checked reference to a record, in place of an earlier one of the same service.

    An inline reference is part of its record's own write; a reference written by itself is an effect.
    """
    mine = [row for row in of(store, noun, subject_id) if row["service_name"] == values["service_name"]]
    natural, key = f"{noun} {subject_id}", effect_key(values, updating=bool(mine))
    if mine:
        return store.update(
            COLLECTION, mine[0].id, values, natural_key=natural, effect_key=key, derived=inline
        )
    data = {"subject_type": noun, "subject_id": subject_id, "status": "successful", **values}
    return store.create(COLLECTION, data, natural_key=natural, effect_key=key, derived=inline)


def effect_key(values: Mapping[str, Any], *, updating: bool) -> str | None:
    """The reference this tenant uses as effect key: the message of an update, else the reference itself."""
    key = (values.get("external_message") if updating else None) or values.get("service_model_ref")
    return None if key is None else str(key)


def subjects(store: RecordStore, noun: str, query: Mapping[str, str]) -> set[str] | None:
    """Ids of the records that the external reference filters of a query leave; None without such filters."""
    wanted = {name: query[key] for key, name in FILTERS.items() if key in query}
    refs = query.get("external_reference_service_model_refs")
    if not wanted and refs is None:
        return None
    if refs is not None:
        rows = [row for ref in refs.split(",") for row in store.find(COLLECTION, "ref", (noun, ref))]
    elif "service_name" in wanted:
        rows = store.find(COLLECTION, "service", (noun, wanted["service_name"]))
    else:
        rows = [row for row in store.rows(COLLECTION) if row["subject_type"] == noun]
    return {
        row["subject_id"] for row in rows if all(row.get(name) == value for name, value in wanted.items())
    }
