"""Between canonical commands and NetSuite's records. Pure: ids arrive resolved in `References`."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from connectors.netsuite.models import BillingSchedule, Customer, Job
from connectors.netsuite.settings import NetSuiteSettings
from domain.commands import (
    CancelProject,
    CreateBillingSchedule,
    CreateCustomer,
    CreateProject,
    OpenProject,
    ScheduleLine,
    canonical_text,
)
from domain.money import Money, MoneyError
from domain.selling import Address

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class References:
    """Internal ids a body needs; empty ones are left out of it."""

    currency: str = ""
    terms: str = ""
    billing_type: str = ""
    expense_type: str = ""
    schedule_type: str = ""


def customer_body(settings: NetSuiteSettings, command: CreateCustomer, key: str, refs: References) -> Body:
    """Customer record; the legal name stands as addressee of the billing address."""
    body: Body = {
        "companyName": command.name,
        "isPerson": False,
        "subsidiary": {"externalId": settings.subsidiary_of(command.entity)},
        settings.customer_key_field: key,
        settings.customer_crm_field: command.crm_id,
    }
    if refs.currency:
        body["currency"] = {"id": refs.currency}
    if refs.terms:
        body["terms"] = {"id": refs.terms}
    if command.tax_id:
        registration = {"taxRegistrationNumber": command.tax_id}
        country = {"nexusCountry": command.address.country} if command.address.country else {}
        body["taxRegistration"] = {"items": [registration | country]}
    if command.address != Address():
        addressee = command.legal_name or command.name
        body["addressBook"] = {"items": [_address(addressee, command.address)]}
    return body


def project_body(settings: NetSuiteSettings, command: CreateProject, key: str, refs: References) -> Body:
    """Project record, closed for time and expenses. Its customer goes in `parent`."""
    body: Body = {
        "entityId": command.number,
        "companyName": command.title,
        "parent": {"id": command.customer_external_id},
        "subsidiary": {"externalId": settings.subsidiary_of(command.entity)},
        "currency": {"id": refs.currency},
        "startDate": command.starts_on,
        "projectedEndDate": command.ends_on,
        "allowTime": False,
        "allowExpenses": False,
        "jobBillingType": {"id": refs.billing_type},
        settings.project_key_field: key,
        settings.project_crm_field: command.crm_id,
    }
    if refs.expense_type:
        body["projectExpenseType"] = {"id": refs.expense_type}
    if settings.project_budget_field:
        body[settings.project_budget_field] = command.budget.amount
    if command.contract_number:
        body["comments"] = f"Contract {command.contract_number}"
    return body


def schedule_body(
    settings: NetSuiteSettings, command: CreateBillingSchedule, key: str, refs: References
) -> Body:
    """Billing schedule: recurrence lines when every line recurs, else dated milestones.

    A schedule has one type, so in a mixed one the recurring lines are milestones with their own due dates.
    """
    body: Body = {
        "name": command.name,
        "scheduleType": {"id": refs.schedule_type},
        "job": {"id": command.project_external_id},
        settings.schedule_key_field: key,
    }
    if schedule_kind(command) == "recurring":
        lines = [_recurrence(line) for line in command.lines]
        return body | {"frequency": {"id": "CUSTOM"}, "recurrence": {"items": lines}}
    return body | {"milestone": {"items": [_milestone(line) for line in command.lines]}}


def schedule_kind(command: CreateBillingSchedule) -> Literal["milestone", "recurring"]:
    """`recurring` when every line recurs, else `milestone`."""
    recurring = bool(command.lines) and all(line.kind == "recurring" for line in command.lines)
    return "recurring" if recurring else "milestone"


def sublists_of(body: Mapping[str, Any]) -> list[str]:
    """Names of the sublists in a body: those that a repeat must replace."""
    return [name for name, value in body.items() if isinstance(value, Mapping) and "items" in value]


def customer_fields(customer: Customer) -> dict[str, str]:
    return {"name": customer.company_name}


def project_fields(job: Job) -> dict[str, str]:
    return {
        "number": job.number,
        "title": job.company_name,
        "starts_on": canonical_text(job.starts_on),
        "ends_on": canonical_text(job.ends_on),
        "customer_external_id": job.parent.id,
    }


def change_body(settings: NetSuiteSettings, command: OpenProject | CancelProject, key: str) -> Body:
    """Opening lets time and expenses in; cancelling shuts them out and makes the project inactive."""
    if isinstance(command, OpenProject):
        change: Body = {"allowTime": command.open, "allowExpenses": command.open}
    else:
        closed = {"allowTime": False, "allowExpenses": False} if command.cancelled else {}
        change = {"isInactive": command.cancelled, **closed}
    return change | {settings.project_key_field: key}


def change_fields(command: OpenProject | CancelProject, job: Job) -> dict[str, str]:
    if isinstance(command, OpenProject):
        return {"open": canonical_text(job.allow_time and job.allow_expenses and not job.is_inactive)}
    return {"cancelled": canonical_text(job.is_inactive)}


def schedule_fields(schedule: BillingSchedule, currency: str) -> dict[str, str]:
    amounts = schedule.amounts
    return {"total": total_text(sum(amounts, Decimal(0)), currency), "line_count": str(len(amounts))}


def total_text(amount: Decimal, currency: str) -> str:
    """`amount` as canonical money; an amount that is none in `currency` stays a plain number to differ."""
    try:
        return canonical_text(Money.of(amount, currency))
    except MoneyError:
        return f"{amount:f} {currency}"


def _address(addressee: str, address: Address) -> Body:
    parts: Body = {"addressee": addressee, "addr1": address.street, "city": address.city}
    parts |= {"zip": address.postal_code, "state": address.state}
    shown = {name: text for name, text in parts.items() if text}
    if address.country:
        shown["country"] = {"id": address.country}
    return {"defaultBilling": True, "defaultShipping": True, "addressBookAddress": shown}


def _milestone(line: ScheduleLine) -> Body:
    return {
        "comments": f"{line.ref} {line.description}".strip(),
        "milestoneAmount": line.amount.amount,
        "milestoneDate": line.due_on,
    }


def _recurrence(line: ScheduleLine) -> Body:
    return {"amount": line.amount.amount, "count": 1, "recurrenceDate": line.due_on}
