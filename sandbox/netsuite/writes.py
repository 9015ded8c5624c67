"""One write of one record: create, upsert by external id, update, delete.

Effects carry the tenant's key field where the body holds it, else the external id the record was addressed
by; the natural key is the external id or the internal one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sandbox.core.call import Answer
from sandbox.core.records import Index, Record, RecordStore
from sandbox.core.table import UniqueClash
from sandbox.netsuite import lines, rules
from sandbox.netsuite.body import Body, BodyReader
from sandbox.netsuite.errors import insufficient_permission, not_found, user_error
from sandbox.netsuite.record_types import RECORD_TYPES
from sandbox.netsuite.representation import RECORDS
from sandbox.netsuite.schema import RecordType
from sandbox.netsuite.transactions import lifecycle
from sandbox.netsuite.transactions.types import PREFIXES

Action = Literal["create", "upsert", "update", "delete"]
EID = "eid:"
FIRST_NUMBERS = {
    "subsidiary": 11,
    "currency": 31,
    "term": 51,
    "accountingPeriod": 101,
    "serviceSaleItem": 301,
}
FIRST_NUMBERS |= {"account": 401, "salesTaxItem": 601, "currencyRate": 60001, "transaction": 70001}
FIRST_NUMBERS |= {"customer": 1001, "job": 5001, "projectTask": 20001, "billingSchedule": 801}
"""First internal id per type or shared sequence: ids of different types rarely meet, so that a mixed-up one
is refused."""


@dataclass(frozen=True, slots=True)
class Write:
    """A write as asked for. `address` is an internal id or `eid:<external id>`; empty for a create."""

    action: Action
    record_type: RecordType
    address: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict)
    replace: str | None = None
    level: str = "warning"
    privileged: bool = False
    taken: Mapping[str, Any] = field(default_factory=dict)
    """Stored values that a transform takes over from another record."""

    @property
    def external_id(self) -> str | None:
        """The external id that the record is addressed by."""
        return self.address.removeprefix(EID) if self.address.startswith(EID) else None


def define(store: RecordStore) -> None:
    """Declare the indexes of every record type."""
    for record_type in RECORD_TYPES.values():
        store.define(record_type.name, Index("externalId", unique=True))
        if record_type.number_prefix is not None:
            store.define(record_type.name, Index("entityId", unique=True))


def locate(store: RecordStore, record_type: RecordType, address: str) -> Record | None:
    """The record at an address, or None."""
    if address.startswith(EID):
        return next(iter(store.find(record_type.name, "externalId", address.removeprefix(EID))), None)
    return store.get(record_type.name, address)


class Writer:
    """Carries out writes on one store, answering as the API does: 204, and the address of the record."""

    def __init__(self, store: RecordStore, base_url: str = "") -> None:
        self._store = store
        self._root = base_url + RECORDS

    def perform(self, write: Write) -> Answer:
        """Do it. Raises Refused."""
        if write.action == "delete":
            self._delete(write)
            return Answer(204)
        record = self.store(write)
        location = f"{self._root}/{write.record_type.name}/{record.id}"
        return Answer(204, headers={"Location": location})

    def store(self, write: Write) -> Record:
        """Create or update, and return the record."""
        self._permit(write)
        held = locate(self._store, write.record_type, write.address) if write.action != "create" else None
        if held is None and (
            write.action == "update" or (write.external_id is None and write.action == "upsert")
        ):
            raise not_found()
        body = BodyReader(self._store, write.level, privileged=write.privileged).read(
            write.record_type, write.raw
        )
        if write.external_id is not None:
            body.values.setdefault("externalId", write.external_id)
        try:
            return self._create(write, body) if held is None else self._update(write, held, body)
        except UniqueClash as clash:
            raise user_error(
                f"A {write.record_type.name} record with this {clash.index} already exists. You must enter a"
                " unique value for each record you create."
            ) from None

    def _create(self, write: Write, body: Body) -> Record:
        record_type = write.record_type
        replace = lines.replaced(record_type, write.replace)
        sublists = lines.merged(record_type, write.taken, body.lines, replace)
        sent = {**body.values, **{name: rows for name, rows in sublists.items() if rows}}
        data = {**_defaults(record_type), **write.taken, **sent}
        _derive(record_type, data)
        sequence = record_type.sequence or record_type.name
        number = self._store.next_number(sequence, FIRST_NUMBERS[sequence])
        if record_type.number_prefix is not None and not data.get("entityId"):
            data["entityId"] = f"{record_type.number_prefix}{number}"
        if record_type.name in PREFIXES:
            data["transactionNumber"] = f"{PREFIXES[record_type.name]}-{number}"
        rules.check_required(record_type, data)
        lifecycle.prepare(record_type, data, {}, self._store)
        rules.check_write(record_type, data, {}, self._store)
        record_id = str(number)
        record = self._store.create(
            record_type.name,
            data,
            id=record_id,
            natural_key=data.get("externalId") or record_id,
            effect_key=_effect_key(write, body),
            sent=sent,
        )
        lifecycle.settle(record, {}, self._store)
        return record

    def _update(self, write: Write, held: Record, body: Body) -> Record:
        record_type = write.record_type
        replace = lines.replaced(record_type, write.replace)
        changes = {**body.values, **lines.merged(record_type, held.data, body.lines, replace)}
        _derive(record_type, changes)
        data = {**held.data, **changes}
        rules.check_required(record_type, data)
        lifecycle.prepare(record_type, data, held.data, self._store)
        rules.check_write(record_type, data, held.data, self._store)
        record = self._store.update(
            record_type.name,
            held.id,
            data,
            natural_key=held.get("externalId") or held.id,
            effect_key=_effect_key(write, body),
        )
        lifecycle.settle(record, held.data, self._store)
        return record

    def _delete(self, write: Write) -> None:
        self._permit(write)
        held = locate(self._store, write.record_type, write.address)
        if held is None:
            raise not_found()
        rules.check_delete(write.record_type, held, self._store)
        lifecycle.check_delete(held, self._store)
        natural = held.get("externalId") or held.id
        self._store.delete(write.record_type.name, held.id, natural_key=natural, effect_key=write.external_id)
        lifecycle.delete(held, self._store)

    def _permit(self, write: Write) -> None:
        if not write.record_type.writable and not write.privileged:
            raise insufficient_permission(write.record_type.name)


def _effect_key(write: Write, body: Body) -> str | None:
    sent = (body.values.get(name) for name in write.record_type.key_fields)
    return next((key for key in sent if key), None) or write.external_id or body.values.get("externalId")


def _derive(record_type: RecordType, data: dict[str, Any]) -> None:
    """The customer's default tax number is that of its first registration, unless one is given."""
    numbers = [line.get("taxRegistrationNumber") for line in data.get("taxRegistration") or []]
    if record_type.name == "customer" and any(numbers) and not data.get("defaultTaxReg"):
        data["defaultTaxReg"] = next(number for number in numbers if number)


def _defaults(record_type: RecordType) -> dict[str, Any]:
    defaults: dict[str, Any] = {"isInactive": False} if "isInactive" in record_type.fields else {}
    if record_type.name == "customer":
        zero = ("balance", "overdueBalance", "aging", "aging1", "aging2", "aging3", "aging4", "daysOverdue")
        defaults |= {"searchStage": "Customer", "creditHoldOverride": "AUTO", "isPerson": False}
        defaults |= dict.fromkeys(zero, 0)
    if record_type.name == "job":
        defaults |= {"allowTime": True, "allowExpenses": True, "chargeAmountBilled": 0}
    return defaults
