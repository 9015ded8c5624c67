"""People of the account as the API lets others change them: invitations, memberships, skills, days off.

What the contract leaves open: the external reference of an invitation is shown at the invited user, who is on
the account at once. Account memberships and skill memberships carry no reference: the sandbox logs the effect
key the caller sends as `X-Correlation-Id`, a header the vendor ignores.
"""

from decimal import Decimal
from typing import Any

from sandbox.core.call import Answer, Call
from sandbox.core.records import Record, RecordStore
from sandbox.kantata import references
from sandbox.kantata.envelope import records_answer
from sandbox.kantata.errors import ErrorLine, invalid, line, not_found
from sandbox.kantata.resources import RESOURCES
from sandbox.kantata.validation import checked, rows_of

WORKDAY_HOURS = Decimal(8)
"""Of who has no workweek of their own."""


def invite(call: Call) -> Answer:
    """`POST /account_invitations`: somebody new on the account."""
    resource = RESOURCES["account_invitations"]
    sent, _ = rows_of(call, resource)
    row = checked(call.store, resource, sent[0], "create")
    email = row.values["email_address"]
    if call.store.find("users", "email_address", email):
        raise invalid([line("validation", "email_address is already on the account", "email_address")])
    user = enter(
        call.store,
        name=row.values["full_name"],
        email=email,
        headline=row.values.get("headline") or "",
        role_id=row.values.get("default_role_id"),
        derived=True,
    )
    if row.reference:
        references.attach(call.store, "User", user.id, row.reference)
    data = {**row.values, "invitee_id": user.id, "pending": True}
    key = references.effect_key(row.reference, updating=False) if row.reference else None
    made = call.store.create(resource.collection, data, natural_key=email, effect_key=key, sent=row.sent)
    return records_answer(call, resource, [made])


def enter(
    store: RecordStore,
    *,
    name: str,
    email: str,
    headline: str,
    role_id: str | None,
    workday_hours: Decimal = WORKDAY_HOURS,
    derived: bool = False,
) -> Record:
    """A user with the membership that puts them on the account."""
    data = {"full_name": name, "email_address": email, "headline": headline, "photo_path": ""}
    more: dict[str, Any] = {
        "role_id": role_id,
        "skill_ids": [],
        "disabled": False,
        "workday_hours": workday_hours,
    }
    user = store.create("users", {**data, **more}, derived=derived)
    membership = {"user_id": user.id, "default_role_id": role_id, "permission": "collaborator"}
    store.create("account_memberships", membership, derived=derived)
    return user


def change_membership(call: Call) -> Answer:
    """`PUT /account_memberships/{id}`: the user's role is that of the membership."""
    resource = RESOURCES["account_memberships"]
    record = _existing(call, "account_memberships")
    sent, _ = rows_of(call, resource)
    row = checked(call.store, resource, sent[0], "update")
    after = call.store.update(
        resource.collection,
        record.id,
        row.values,
        natural_key=f"user {record['user_id']}",
        effect_key=call.headers.get("x-correlation-id"),
    )
    if "default_role_id" in row.values:
        role = {"role_id": row.values["default_role_id"]}
        call.store.update("users", record["user_id"], role, derived=True)
    return records_answer(call, resource, [after])


def add_skill(call: Call) -> Answer:
    """`POST /skill_memberships`: a skill of a user, once."""
    resource = RESOURCES["skill_memberships"]
    sent, _ = rows_of(call, resource)
    row = checked(call.store, resource, sent[0], "create")
    held = call.store.find(resource.collection, "user_id", row.values["user_id"])
    if any(one["skill_id"] == row.values["skill_id"] for one in held):
        raise invalid([line("validation", "skill has already been taken", "skill_id")])
    made = give_skill(call.store, row.values, effect_key=call.headers.get("x-correlation-id"))
    return records_answer(call, resource, [made])


def give_skill(store: RecordStore, values: dict[str, Any], *, effect_key: str | None = None) -> Record:
    """A user gets a skill. Raises Refused with 422 for a level the skill does not have."""
    skill = store.get("skills", values["skill_id"])
    name, most = (skill["name"], skill["max_level"]) if skill else ("", 0)
    _check_level(values, most)
    data = {"level": 0, **values, "cached_skill_name": name, "max_level": most}
    natural = f"user {values['user_id']} {name}"
    made = store.create("skill_memberships", data, natural_key=natural, effect_key=effect_key)
    user = store.get("users", values["user_id"])
    if user is not None:
        ids = {"skill_ids": [*user["skill_ids"], values["skill_id"]]}
        store.update("users", user.id, ids, derived=True)
    return made


def change_skill(call: Call) -> Answer:
    """`PUT /skill_memberships/{id}`: its level."""
    resource = RESOURCES["skill_memberships"]
    record = _existing(call, "skill_memberships")
    sent, _ = rows_of(call, resource)
    values = checked(call.store, resource, sent[0], "update").values
    _check_level(values, record["max_level"])
    after = call.store.update(
        resource.collection,
        record.id,
        values,
        natural_key=f"user {record['user_id']} {record['cached_skill_name']}",
        effect_key=call.headers.get("x-correlation-id"),
    )
    return records_answer(call, resource, [after])


def day_off_errors(store: RecordStore, data: dict[str, Any]) -> list[ErrorLine]:
    """More than nothing, and not more than the person's workday has."""
    user = store.get("users", data["user_id"])
    most = Decimal(str(user.get("workday_hours", WORKDAY_HOURS))) if user else WORKDAY_HOURS
    hours = Decimal(str(data["hours"]))
    if hours <= 0:
        return [line("validation", "hours must be greater than 0", "hours")]
    if hours > most:
        return [line("validation", f"hours exceed the {most} hours of the workday", "hours")]
    return []


def same_day(store: RecordStore, data: dict[str, Any]) -> Record | None:
    """The entry a further one of the same day is combined with."""
    mine = store.find("time_off_entries", "user_id", data["user_id"])
    return next((row for row in mine if row["requested_date"] == data["requested_date"]), None)


def allocated(store: RecordStore, values: dict[str, Any]) -> dict[str, Any]:
    """A new allocation with what its seat says: project, and person once one is named."""
    seat = store.get("workspace_resources", values["resource_id"])
    data = {name: value for name, value in values.items() if name != "resource_id"}
    known = {
        "workspace_resource_id": values["resource_id"],
        "workspace_id": seat["workspace_id"] if seat else None,
        "user_id": seat.get("user_id") if seat else None,
    }
    return {"hard": False, "notes": "", **data, **known}


def _check_level(values: dict[str, Any], most: int) -> None:
    if not 0 <= (values.get("level") or 0) <= most:
        raise invalid([line("validation", f"level must lie between 0 and {most}", "level")])


def _existing(call: Call, collection: str) -> Record:
    id = call.params["id"].removesuffix(".json")
    record = call.store.get(collection, id)
    if record is None:
        raise not_found(RESOURCES[collection].noun, id)
    return record
