"""The life of a requisition: draft, pending approval, approved, ordered; or rejected, or taken back."""

from collections.abc import Mapping
from typing import Any

from sandbox.core import clock
from sandbox.core.records import Index, Record, RecordStore
from sandbox.core.table import UniqueClash
from sandbox.coupa import shapes
from sandbox.coupa.errors import invalid
from sandbox.coupa.requisition_rules import NOUN, Rules, custom, known

TABLE = "requisitions"
OPEN = frozenset({"draft", "cart", "pending_buyer_action", "pending_approval"})
"""Statuses in which it can be taken back to a draft."""
_STEPS = {
    "submit": (frozenset({"draft", "cart", "withdrawn"}), "pending_approval"),
    "approve": (frozenset({"pending_approval", "pending_buyer_action"}), "approved"),
    "reject": (frozenset({"pending_approval", "pending_buyer_action"}), "draft"),
    "withdraw": (frozenset({"pending_approval", "pending_buyer_action"}), "withdrawn"),
    "abandon": (frozenset({"draft", "cart", "withdrawn"}), "abandoned"),
}
ACTIONS = tuple(_STEPS)
"""What people do with it, besides ordering."""


def define(store: RecordStore) -> None:
    """The unique PO number that a requisition may ask for, and how currencies are found."""
    store.define(TABLE, Index("external-po-reference", unique=True))
    store.define("currencies", Index("code"))


def create(store: RecordStore, body: Mapping[str, Any], *, submit: bool) -> Record:
    """A draft, or a requisition handed in for approval. Raises Refused."""
    data = Rules(store).header(body)
    data["status"] = "pending_approval" if submit else "draft"
    data["submitted-at"] = shapes.stamp(clock.now()) if submit else None
    try:
        return store.create(
            TABLE,
            data,
            natural_key=str(body.get("external-po-reference") or body.get("justification") or ""),
            effect_key=data["custom-fields"]["fairlead-key"],
            sent=body,
        )
    except UniqueClash:
        raise invalid(NOUN, ["External po reference has already been taken"]) from None


def save_for_later(store: RecordStore, record: Record, body: Mapping[str, Any]) -> Record:
    """Take it out of approval, back to a draft; custom fields may be set with it. Raises Refused."""
    known(body, frozenset({"custom-fields"}), NOUN)
    if record["status"] not in OPEN:
        raise invalid(NOUN, [f"Requisition cannot be saved for later, it is {record['status']}"])
    given = body.get("custom-fields") or {}
    fields = {**record["custom-fields"], **{k: v for k, v in custom(NOUN, given).items() if k in given}}
    return store.update(
        TABLE,
        record.id,
        {"status": "draft", "submitted-at": None, "custom-fields": fields},
        action="save_for_later",
        effect_key=given.get("fairlead-undo-key"),
    )


def act(store: RecordStore, record: Record, action: str, reason: str = "") -> Record:
    """What a person decides. Raises ValueError where the status does not allow it."""
    before, after = _STEPS[action]
    if record["status"] not in before:
        raise ValueError(f"a requisition that is {record['status']} cannot be changed by {action}")
    comment = (reason or "Rejected") if action == "reject" else None
    submitted = shapes.stamp(clock.now()) if action == "submit" else record["submitted-at"]
    changes = {"status": after, "reject-reason-comment": comment, "submitted-at": submitted}
    return store.update(TABLE, record.id, changes, action=action)
