"""Worker elements of Get_Workers as canonical workers. Pure; what is absent is named, what is new ignored.

Source: Human_Resources WSDL, WorkerType and what it holds. Of personal data only name and work address are
looked at.
"""

from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from xml.etree.ElementTree import Element

from pydantic import ValidationError

from connectors.workday.settings import WorkdaySettings
from connectors.workday.xml import MissingElement, at, child, children, is_true, needed, reference
from domain.identity import canonical_id
from domain.people import UnreadablePerson, Worker, WorkerSkill

EMPLOYEE, CONTINGENT = "Employee_ID", "Contingent_Worker_ID"
STATUS = "Worker_Data/Employment_Data/Worker_Status_Data"


class BadElement(ValueError):
    """An element holds what it must not: (path, words)."""


def worker_id(element: Element) -> str:
    """The Workday id of a worker element; empty where it shows none."""
    return reference(child(element, "Worker_Reference"), "WID")


def worker(
    system: str, settings: WorkdaySettings, now: Element, ahead: Element, as_of: datetime
) -> Worker | UnreadablePerson:
    """A worker as of today (`now`), with the last day as far as it is known (`ahead`)."""
    id = worker_id(now)
    try:
        return _worker(system, settings, now, ahead, as_of)
    except MissingElement as missing:
        return _unreadable(id, str(missing), "is missing")
    except BadElement as bad:
        return _unreadable(id, bad.args[0], bad.args[1])
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in problem["loc"]) or "worker"
        return _unreadable(id, place, problem["msg"])


def weekly_hours(element: Element) -> Decimal | None:
    """Scheduled hours of a week at the primary job; None where Workday does not tell."""
    position = child(_primary_job(element), "Position_Data")
    text = at(position, "Scheduled_Weekly_Hours") or at(position, "Default_Weekly_Hours")
    try:
        return Decimal(text) if text else None
    except InvalidOperation:
        raise BadElement("Position_Data.Scheduled_Weekly_Hours", f"{text!r} is not a number") from None


def _worker(system: str, settings: WorkdaySettings, now: Element, ahead: Element, as_of: datetime) -> Worker:
    shown = child(now, "Worker_Reference")
    id = reference(shown, "WID")
    if not id:
        raise MissingElement("Worker_Reference.WID")
    status = child(now, STATUS)
    if status is None:
        raise MissingElement("Employment_Data.Worker_Status_Data")
    contingent = bool(reference(shown, CONTINGENT))
    position = _position(now, gone=is_true(at(status, "Terminated")))
    supplier = reference(
        child(now, "Worker_Data/Employment_Data/Worker_Contract_Data/Supplier_Reference"),
        *("Supplier_ID", "Supplier_Reference_ID", "WID"),
    )
    profile = child(position, "Job_Profile_Summary_Data")
    return Worker(
        id=canonical_id("worker", system, id),
        source=system,
        external_id=id,
        number=reference(shown, CONTINGENT, EMPLOYEE) or needed(now, "Worker_Data/Worker_ID"),
        kind="contingent" if contingent else "employee",
        name=_name(now),
        email=_email(now, settings.work_email_usage),
        entity=_entity(now, settings, employed=position is not None),
        organisation=_organisation(now, settings.organisation_type),
        job_profile=reference(child(profile, "Job_Profile_Reference"), "Job_Profile_ID", "WID"),
        role=_role(profile, settings),
        grade=_grade(profile, settings),
        skills=tuple(_skills(now)),
        manager=_manager(now, position, id),
        supplier=(supplier or None) if contingent else None,
        hired_on=_day(needed(now, f"{STATUS}/Hire_Date"), "Worker_Status_Data.Hire_Date"),
        ends_on=_last_day(ahead),
        calendar=_calendar(position, settings),
        weekly_hours=weekly_hours(now),
        version=_version(ahead, as_of),
    )


def _primary_job(element: Element) -> Element | None:
    jobs = list(children(element, "Worker_Data/Employment_Data/Worker_Job_Data"))
    marked = [job for job in jobs if any(is_true(v) for k, v in job.items() if k.endswith("Primary_Job"))]
    return next(iter(marked or jobs), None)


def _position(element: Element, gone: bool) -> Element | None:
    """The primary position. Who has left has none; of all others it is needed."""
    position = child(_primary_job(element), "Position_Data")
    if position is None and not gone:
        raise MissingElement("Employment_Data.Worker_Job_Data.Position_Data")
    return position


def _name(element: Element) -> str:
    data = child(element, "Worker_Data/Personal_Data/Name_Data")
    for form in ("Preferred_Name_Data", "Legal_Name_Data"):
        detail = child(data, f"{form}/Name_Detail_Data")
        if detail is not None:
            formatted = next((v for k, v in detail.items() if k.endswith("Formatted_Name")), "")
            return formatted or f"{at(detail, 'First_Name')} {at(detail, 'Last_Name')}".strip()
    return ""


def _email(element: Element, usage: str) -> str:
    for data in children(element, "Worker_Data/Personal_Data/Contact_Data/Email_Address_Data"):
        types = children(data, "Usage_Data/Type_Data/Type_Reference")
        if usage in {reference(type_, "Communication_Usage_Type_ID") for type_ in types}:
            return at(data, "Email_Address")
    return ""


def _organization(element: Element, kind: str) -> Element | None:
    path = "Worker_Data/Organization_Data/Worker_Organization_Data/Organization_Data"
    for data in children(element, path):
        if reference(child(data, "Organization_Type_Reference"), "Organization_Type_ID") == kind:
            return data
    return None


def _organisation(element: Element, kind: str) -> str:
    return at(_organization(element, kind), "Organization_Reference_ID")


def _entity(element: Element, settings: WorkdaySettings, *, employed: bool) -> str:
    company = _organisation(element, settings.company_type)
    if not company and employed:
        raise MissingElement(f"Organization_Data of type {settings.company_type}")
    return settings.entity(company)


def _role(profile: Element | None, settings: WorkdaySettings) -> str:
    if profile is None:
        return ""
    known = settings.roles.get(reference(child(profile, "Job_Profile_Reference"), "Job_Profile_ID"))
    return known or needed(profile, "Job_Profile_Name")


def _grade(profile: Element | None, settings: WorkdaySettings) -> str:
    level = reference(child(profile, "Management_Level_Reference"), "Management_Level_ID")
    return settings.grades.get(level, level)


def _skills(element: Element) -> list[WorkerSkill]:
    items = children(element, "Worker_Data/Skill_Data/Worker_Skill_Item")
    return [
        WorkerSkill(
            name=needed(item, "Skill_Data/Name"),
            external_id=reference(child(item, "Skill_Reference"), "WID"),
        )
        for item in items
    ]


def _manager(element: Element, position: Element | None, own: str) -> str | None:
    """The line manager: of the position, else of the lowest organisation that somebody else leads."""
    named = [
        reference(node, "WID")
        for node in children(position, "Manager_as_of_last_detected_manager_change_Reference")
    ]
    chain = "Worker_Data/Management_Chain_Data/Worker_Supervisory_Management_Chain_Data/Management_Chain_Data"
    for link in reversed(list(children(element, chain))):
        named += [reference(node, "WID") for node in children(link, "Manager_Reference")]
    return next((id for id in named if id and id != own), None)


def _calendar(position: Element | None, settings: WorkdaySettings) -> str:
    site = child(position, "Business_Site_Summary_Data")
    location = reference(child(site, "Location_Reference"), "Location_ID")
    country = reference(child(site, "Address_Data/Country_Reference"), "ISO_3166-1_Alpha-2_Code")
    return settings.calendars.get(location) or country


def _last_day(element: Element) -> date | None:
    """The last day: of the employment, or of the contract of a contingent worker."""
    status = child(element, STATUS)
    if is_true(at(status, "Terminated")):
        place = "Worker_Status_Data.Termination_Date"
        return _day(needed(element, f"{STATUS}/Termination_Date"), place)
    for node, name in (
        (status, "End_Employment_Date"),
        (child(element, "Worker_Data/Employment_Data/Worker_Contract_Data"), "Contract_End_Date"),
    ):
        if at(node, name):
            return _day(at(node, name), name)
    return None


def _version(element: Element, as_of: datetime) -> datetime:
    """The newest entry of the transaction log that is shown, else as of when was asked."""
    path = "Worker_Data/Transaction_Log_Entry_Data/Transaction_Log_Entry/Transaction_Log_Data"
    entered = [at(entry, "Transaction_Entry_Moment") for entry in children(element, path)]
    return max((_moment(text) for text in entered if text), default=as_of)


def _day(text: str, place: str) -> date:
    # A date of the schema may carry a zone, as in 2026-11-23-08:00.
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise BadElement(place, f"{text!r} is not a date") from None


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadElement("Transaction_Entry_Moment", f"{text!r} is not a moment") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _unreadable(id: str, field: str, problem: str) -> UnreadablePerson:
    return UnreadablePerson(kind="worker", external_id=id, field=field, problem=problem)
