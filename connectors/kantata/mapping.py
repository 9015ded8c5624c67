"""Between canonical commands and Kantata's bodies and records: pure, both ways.

Units: `price` is whole currency units (rounded half up: it is a burn budget, nothing is billed by it);
`..._in_cents` is exact, in the currency's base unit (EUR 100, JPY 1, BHD 1000); time is whole minutes.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

from connectors.kantata.models import (
    Person,
    ResourceRequest,
    SubscribedEvent,
    Touched,
    Workspace,
    WorkspaceAllocation,
    WorkspaceResource,
)
from connectors.kantata.settings import KantataSettings
from domain.billing_commands import RecordBilling
from domain.commands import Command, CreateCustomer, CreateProject, PlannedTask, RequestStaffing, Seat
from domain.delivery import Change, StaffingAnswer
from domain.money import Money, minor_units
from domain.psa_people_commands import AddTimeOff, KeepPerson

Body = dict[str, Any]
LONGEST_STORY_TITLE = 200
_DEMAND = re.compile(r"(\d{4}-\d{2}-\d{2}) to (\d{4}-\d{2}-\d{2})(?:;|$)")
_STATES: Mapping[str, Literal["open", "approved", "rejected", "withdrawn"]] = {
    "new": "open",
    "approved": "approved",
    "rejected": "rejected",
    "cancelled": "withdrawn",
}
_VERBS: Mapping[str, Literal["created", "updated", "deleted"]] = {"created": "created", "deleted": "deleted"}


# ---- external references


def reference(service_name: str, command: Command, key: str) -> Body:
    """The reference that carries an effect key on a record created by `command`."""
    return {
        "service_name": service_name,
        "service_model": type(command).__name__,
        "service_model_ref": key,
        "status": "successful",
    }


def change_reference(service_name: str, command: Command, key: str) -> Body:
    """The reference that carries an effect key on a record changed by `command`.

    A record holds one reference per service name: a change has a name of its own (`fairlead-open...`), so
    that the reference of the creation stays.
    """
    name = f"{service_name}-{type(command).__name__}"
    return {**reference(name, command, key), "external_message": key}


def row_reference(service_name: str, command: Command, key: str, ref: str, refs: Sequence[str]) -> Body:
    """The reference of one row of a bulk create: `<key>#<ref>`, and what the whole set is."""
    return {**reference(service_name, command, f"{key}#{ref}"), "external_message": set_mark(refs)}


def set_mark(refs: Sequence[str]) -> str:
    """What every row of a bulk create says of the whole: how many rows, and a digest of their names."""
    digest = hashlib.sha256("\n".join(sorted(refs)).encode()).hexdigest()[:12]
    return f"{len(refs)} rows {digest}"


# ---- commands to bodies


def customer(command: CreateCustomer, settings: KantataSettings, key: str) -> Body:
    """A workspace group: Kantata has no other place for a customer."""
    address = command.address
    lines = (address.street, f"{address.postal_code} {address.city}".strip(), address.state, address.country)
    facts = (
        ("CRM account", command.crm_id),
        ("Legal name", command.legal_name),
        ("Tax id", command.tax_id),
        ("Billing entity", command.entity),
    )
    return {
        "name": command.name,
        "company": True,
        "address": "\n".join(line for line in lines if line),
        "notes": "\n".join(f"{name}: {value}" for name, value in facts if value),
        "external_reference": reference(settings.service_name, command, key),
    }


def project(
    command: CreateProject, settings: KantataSettings, key: str, *, group_id: int, template_id: int | None
) -> Body:
    """A workspace in the status in which no time can be logged."""
    body: Body = {
        "title": project_title(command.number, command.title),
        "creator_role": settings.creator_role,
        "description": _description(command),
        "budgeted": True,
        "price": whole_units(command.budget),
        "currency": command.currency,
        "start_date": command.starts_on.isoformat(),
        "due_date": command.ends_on.isoformat(),
        "access_level": settings.access_level,
        "status_key": settings.closed_status_key,
        "stories_are_fixed_fee_by_default": command.billing == "fixed",
        "workspace_group_ids": [group_id],
        "primary_workspace_group_id": group_id,
        "external_reference": reference(settings.service_name, command, key),
    }
    if template_id is not None:
        body["project_tracker_template_id"] = template_id
        body["project_template_start_date"] = command.starts_on.isoformat()
    return body


def story(
    task: PlannedTask, settings: KantataSettings, workspace_id: int, external_reference: Mapping[str, Any]
) -> Body:
    """A task or milestone of the plan."""
    body: Body = {
        "workspace_id": workspace_id,
        "title": task.title[:LONGEST_STORY_TITLE],
        "story_type": task.kind,
        "billable": task.billable,
        "external_reference": dict(external_reference),
    }
    if len(task.title) > LONGEST_STORY_TITLE:
        body["description"] = task.title
    if task.starts_on:
        body["start_date"] = task.starts_on.isoformat()
    if task.ends_on:
        body["due_date"] = task.ends_on.isoformat()
    if task.hours is not None:
        body["time_estimate_in_minutes"] = minutes(task.hours)
    if task.budget is not None:
        body["budget_estimate_in_cents"] = base_amount(task.budget, settings)
    return body


def seat(role_id: int, workspace_id: int, external_reference: Mapping[str, Any]) -> Body:
    """An unnamed workspace resource."""
    return {
        "workspace_id": workspace_id,
        "role_id": role_id,
        "external_reference": dict(external_reference),
    }


def staffing_request(
    command: RequestStaffing, settings: KantataSettings, key: str, *, seat_id: int, approver_id: int
) -> Body:
    """A resource request. Its custom fields are written to the seat, which is where they are found again."""
    asked = command.seat
    return {
        "resource_id": seat_id,
        "approver_ids": [approver_id],
        "workspace_allocation_start_date": asked.starts_on.isoformat(),
        "workspace_allocation_end_date": asked.ends_on.isoformat(),
        "workspace_allocation_percentage": percentage(asked, settings.hours_per_day),
        "custom_fields": [
            {"custom_field_id": settings.request_key_field, "value": key},
            {"custom_field_id": settings.demand_field, "value": demand_text(asked, command.revision)},
        ],
    }


def billing_record(
    command: RecordBilling,
    settings: KantataSettings,
    key: str,
    *,
    workspace_id: int,
    time_entry_ids: Sequence[int],
    expense_ids: Sequence[int],
) -> Body:
    """An invoice that covers the entries, under the number of the legal document; nobody is mailed."""
    named = {**reference(settings.service_name, command, key), "external_message": command.erp_external_id}
    body: Body = {
        "workspace_id": workspace_id,
        "payment_schedule": command.payment_days,
        "invoice_date": command.dated.isoformat(),
        "user_invoice_title": command.number,
        "draft": False,
        "suppress_emails": True,
        "external_reference": named,
    }
    if time_entry_ids:
        body["time_entry_ids"] = list(time_entry_ids)
    if expense_ids:
        body["expense_ids"] = list(expense_ids)
    if command.other is not None and (command.other.amount or not command.entry_count):
        note = f"{command.other_text or 'Other'}: {command.other}"
        body["additional_items"] = [{"notes": note, "amount": whole_units(command.other)}]
    return body


def person(command: KeepPerson, settings: KantataSettings, key: str) -> Body:
    """What a user is changed to. A fact without a custom field of its own is not told."""
    values = (
        (settings.entity_field, command.entity),
        (settings.region_field, command.region),
        (settings.last_day_field, command.last_day),
    )
    return {
        "headline": command.title,
        "custom_fields": [{"custom_field_id": id, "value": value} for id, value in values if id],
        "external_reference": change_reference(settings.service_name, command, key),
    }


def invitation(command: KeepPerson, settings: KantataSettings, key: str, *, role_id: int | None) -> Body:
    """An invitation to the account. It has no custom fields: they are told once the user is there."""
    body: Body = {
        "full_name": command.name,
        "email_address": command.email,
        "headline": command.title,
        "external_reference": reference(settings.service_name, command, key),
    }
    if role_id is not None:
        body["default_role_id"] = role_id
    if settings.invitation_permission:
        body["permission"] = settings.invitation_permission
    return body


def days_off(command: AddTimeOff, settings: KantataSettings, key: str, user_id: int) -> list[Body]:
    """Time off entries, one per day; of why there is no word."""
    refs = [day.day.isoformat() for day in command.days]
    return [
        {
            "user_id": user_id,
            "requested_date": day.day.isoformat(),
            "hours": day.hours,
            "external_reference": row_reference(settings.service_name, command, key, ref, refs),
        }
        for day, ref in zip(command.days, refs, strict=True)
    ]


# ---- units and texts


def project_title(number: str, title: str) -> str:
    """Kantata has no field for a project's number: it leads the title."""
    return f"{number} {title}"


def whole_units(money: Money) -> int:
    """The amount in whole currency units, rounded half up."""
    return int(money.amount.quantize(Decimal(1), ROUND_HALF_UP))


def base_amount(money: Money, settings: KantataSettings) -> int:
    """The amount in base units of its currency. Raises `ValueError` when it does not come out whole."""
    unit = settings.base_units.get(money.currency, 10 ** minor_units(money.currency))
    amount = money.amount * unit
    if amount != amount.to_integral_value():
        raise ValueError(f"{money} is not a whole number of base units ({unit} per {money.currency})")
    return int(amount)


def minutes(hours: Decimal) -> int:
    """Hours as whole minutes, rounded half up."""
    return int((hours * 60).quantize(Decimal(1), ROUND_HALF_UP))


def percentage(asked: Seat, hours_per_day: int) -> int:
    """Share of full days from first to last date that the hours fill: 1 to 100, rounded half up."""
    days = ((asked.starts_on + timedelta(n)) for n in range((asked.ends_on - asked.starts_on).days + 1))
    capacity = sum(1 for day in days if day.weekday() < 5) * hours_per_day
    if capacity == 0:
        return 100
    share = (asked.hours * 100 / capacity).quantize(Decimal(1), ROUND_HALF_UP)
    return min(100, max(1, int(share)))


def demand_text(asked: Seat, revision: int) -> str:
    """What staffing reads on the seat; its dates are read back from here."""
    parts = [f"{asked.starts_on} to {asked.ends_on}", f"{asked.hours} h"]
    if asked.grade:
        parts.append(asked.grade)
    if asked.skills:
        parts.append(", ".join(asked.skills))
    return "; ".join([*parts, f"revision {revision}"])


def demand_dates(text: str) -> tuple[date, date] | None:
    """The dates a demand text begins with; None when it does not."""
    found = _DEMAND.match(text)
    if found is None:
        return None
    try:
        return date.fromisoformat(found[1]), date.fromisoformat(found[2])
    except ValueError:
        return None


# ---- records to canonical


def project_fields(workspace: Workspace) -> dict[str, str]:
    """What a workspace shows of `CreateProject`."""
    number, _, title = workspace.title.partition(" ")
    return {
        "number": number,
        "title": title,
        "starts_on": _iso(workspace.start_date),
        "ends_on": _iso(workspace.due_date),
        "customer_external_id": workspace.customer_id,
    }


def is_open(workspace: Workspace, settings: KantataSettings) -> bool:
    """Whether the team can log time."""
    return not workspace.archived and workspace.status.key == settings.open_status_key


def request_fields(held: WorkspaceResource, settings: KantataSettings) -> dict[str, str]:
    """What a seat shows of the `RequestStaffing` written to it; nothing when a person rewrote the text."""
    dates = demand_dates(held.custom_text(settings.demand_field))
    return {"starts_on": _iso(dates[0]), "ends_on": _iso(dates[1])} if dates else {}


def staffing_answer(
    asked: ResourceRequest,
    held: WorkspaceResource,
    allocation: WorkspaceAllocation | None,
    settings: KantataSettings,
) -> StaffingAnswer:
    """Where a request stands. A status nobody knows yet counts as open: nothing is taken for granted."""
    state = _STATES.get(asked.status, "open")
    dates = demand_dates(held.custom_text(settings.demand_field)) or (None, None)
    return StaffingAnswer(
        request_external_id=asked.id,
        seat_external_id=held.id,
        role=held.role_name or "",
        state=state,
        resource=held.user_id if state == "approved" else None,
        starts_on=allocation.start_date if allocation else dates[0],
        ends_on=allocation.end_date if allocation else dates[1],
        version=asked.updated_at.isoformat(),
    )


def person_fields(person: Person, settings: KantataSettings) -> dict[str, str]:
    """What a user shows of `KeepPerson`."""
    facts = (
        ("entity", settings.entity_field),
        ("region", settings.region_field),
        ("last_day", settings.last_day_field),
    )
    return {"title": person.headline or ""} | {name: person.custom_text(id) for name, id in facts if id}


def change(event: SubscribedEvent) -> Change:
    """An entry of the change feed. Whatever is neither a creation nor a deletion is an update."""
    subject, _, happened = event.event_type.partition(":")
    return Change(
        event_id=event.id,
        subject=subject,
        subject_id=event.subject_id,
        verb=_VERBS.get(happened, "updated"),
        at=event.created_at,
    )


def polled_change(subject: str, touched: Touched) -> Change:
    """A change seen by polling: its id is the record and its stamp, the same whenever it is seen."""
    return Change(
        event_id=f"{subject}:{touched.id}:{touched.updated_at.isoformat()}",
        subject=subject,
        subject_id=touched.id,
        verb="created" if touched.updated_at == touched.created_at else "updated",
        at=touched.updated_at,
    )


def order_of_creation(asked: ResourceRequest) -> tuple[int, str]:
    """Sorts requests by when they were made: ids are rising numbers."""
    return len(asked.id), asked.id


def _description(command: CreateProject) -> str:
    facts = (
        ("Contract", command.contract_number),
        ("Deal", command.crm_id),
        ("Billing entity", command.entity),
        ("Project manager", command.manager_email),
    )
    return "\n".join(f"{name}: {value}" for name, value in facts if value)


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""
