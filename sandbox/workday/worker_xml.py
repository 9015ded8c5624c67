"""A worker as Get_Workers shows it: references with every id type, status, job, organisations, log.

Who has left has a status and no job any more. A termination ahead shows only in a view of its day. Booleans
are 1 and 0, as the vendor writes them.
"""

from collections.abc import Sequence
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from sandbox.core import clock
from sandbox.core.records import Record, RecordStore
from sandbox.workday import history
from sandbox.workday.ids import wid
from sandbox.workday.seeding import SKILLS
from sandbox.workday.soap_schema import WD, flag


def add(parent: Element, path: str, text: object = None, **attributes: str) -> Element:
    """Elements down a path; the last one bears text and attributes."""
    *steps, last = path.split("/")
    for step in steps:
        parent = SubElement(parent, WD + step)
    node = SubElement(parent, WD + last, {WD + name: value for name, value in attributes.items()})
    node.text = None if text is None else ("1" if text is True else "0" if text is False else str(text))
    return node


def reference(parent: Element, name: str, ids: dict[str, str], descriptor: str = "") -> None:
    """A reference with its ids by type."""
    node = add(parent, name, **({"Descriptor": descriptor} if descriptor else {}))
    for kind, value in ids.items():
        add(node, "ID", value, type=kind)


def worker_element(
    store: RecordStore, worker: Record, state: dict[str, Any], group: Element, log: Sequence[Record]
) -> Element:
    """One `Worker`, with the parts that the request's Response_Group asks for."""
    element = Element(f"{WD}Worker")
    employed = not state.get("terminated")
    if flag(group, "Include_Reference"):
        name = f"{worker['first_name']} {worker['last_name']}"
        reference(element, "Worker_Reference", ids_of(worker), name)
    data = add(element, "Worker_Data")
    add(data, "Worker_ID", worker["number"])
    if flag(group, "Include_Personal_Information"):
        _personal(data, worker)
    if flag(group, "Include_Employment_Information"):
        _employment(store, add(data, "Employment_Data"), worker, state, employed)
    if flag(group, "Include_Organizations") and employed:
        _organizations(data, state)
    if flag(group, "Include_Management_Chain_Data") and employed:
        _chain(store, data, state)
    if flag(group, "Include_Transaction_Log_Data"):
        _log(data, log)
    if flag(group, "Include_Skills"):
        _skills(store, data, worker)
    return element


def ids_of(worker: Record) -> dict[str, str]:
    """The ids of a worker by type."""
    kind = "Contingent_Worker_ID" if worker["kind"] == "contingent" else "Employee_ID"
    return {"WID": worker.id, kind: worker["number"]}


def _personal(data: Element, worker: Record) -> None:
    personal = add(data, "Personal_Data")
    formatted = f"{worker['first_name']} {worker['last_name']}"
    names = add(personal, "Name_Data")
    for form in ("Legal_Name_Data", "Preferred_Name_Data"):
        detail = add(names, f"{form}/Name_Detail_Data", Formatted_Name=formatted)
        add(detail, "First_Name", worker["first_name"])
        add(detail, "Last_Name", worker["last_name"])
    add(personal, "Birth_Date", "1980-01-01")
    contact = add(personal, "Contact_Data")
    for usage, address in (("HOME", "somebody@home.example"), ("WORK", worker["email"])):
        mail = add(contact, "Email_Address_Data")
        add(mail, "Email_Address", address)
        kind = add(mail, "Usage_Data/Type_Data", Primary="1")
        reference(kind, "Type_Reference", {"Communication_Usage_Type_ID": usage})


def _employment(
    store: RecordStore, data: Element, worker: Record, state: dict[str, Any], employed: bool
) -> None:
    if employed:
        _job(store, add(data, "Worker_Job_Data", Primary_Job="1"), worker, state)
    status = add(data, "Worker_Status_Data")
    add(status, "Active", employed)
    add(status, "Hire_Date", state["hire_date"])
    add(status, "Original_Hire_Date", state["hire_date"])
    add(status, "Terminated", not employed)
    if not employed:
        add(status, "Termination_Date", state["termination_date"])
    if worker["kind"] == "contingent" and state.get("supplier"):
        contract = add(data, "Worker_Contract_Data")
        if state.get("contract_end"):
            add(contract, "Contract_End_Date", state["contract_end"])
        supplier = {"WID": wid("supplier", state["supplier"]), "Supplier_ID": state["supplier"]}
        reference(contract, "Supplier_Reference", supplier)


def _job(store: RecordStore, job: Element, worker: Record, state: dict[str, Any]) -> None:
    position = add(job, "Position_Data")
    add(position, "Position_ID", f"P-{worker['number']}")
    add(position, "Business_Title", state["job_profile"])
    add(position, "Start_Date", state["hire_date"])
    add(position, "Scheduled_Weekly_Hours", state["weekly_hours"])
    profile, key = add(position, "Job_Profile_Summary_Data"), profile_id(state["job_profile"])
    reference(profile, "Job_Profile_Reference", {"WID": wid("jobProfile", key), "Job_Profile_ID": key})
    level = {"WID": wid("level", state["level"]), "Management_Level_ID": state["level"]}
    reference(profile, "Management_Level_Reference", level)
    add(profile, "Job_Profile_Name", state["job_profile"])
    site, place = add(position, "Business_Site_Summary_Data"), state["location"]
    reference(site, "Location_Reference", {"WID": wid("location", place), "Location_ID": place})
    address = add(site, "Address_Data")
    reference(address, "Country_Reference", {"ISO_3166-1_Alpha-2_Code": state["country"]})
    manager = store.get(history.WORKERS, state["manager"]) if state.get("manager") else None
    if manager is not None:
        reference(position, "Manager_as_of_last_detected_manager_change_Reference", ids_of(manager))


def profile_id(name: str) -> str:
    """The reference id of a job profile."""
    return name.upper().replace(" ", "_")


def _organizations(data: Element, state: dict[str, Any]) -> None:
    whole = add(data, "Organization_Data")
    for key, kind in ((state["company"], "COMPANY"), (state["organization"], "SUPERVISORY")):
        member = add(whole, "Worker_Organization_Data")
        reference(member, "Organization_Reference", {"WID": wid("organization", key)})
        organization = add(member, "Organization_Data")
        add(organization, "Organization_Reference_ID", key)
        add(organization, "Organization_Name", key)
        reference(organization, "Organization_Type_Reference", {"Organization_Type_ID": kind})


def _chain(store: RecordStore, data: Element, state: dict[str, Any]) -> None:
    link = add(
        data,
        "Management_Chain_Data/Worker_Supervisory_Management_Chain_Data/Management_Chain_Data",
    )
    reference(link, "Organization_Reference", {"Organization_Reference_ID": state["organization"]})
    manager = store.get(history.WORKERS, state["manager"]) if state.get("manager") else None
    if manager is not None:
        reference(link, "Manager_Reference", ids_of(manager))


def _log(data: Element, events: Sequence[Record]) -> None:
    whole = add(data, "Transaction_Log_Entry_Data")
    for event in events:
        entry = add(whole, "Transaction_Log_Entry/Transaction_Log_Data")
        add(entry, "Transaction_Log_Description", event["type"])
        add(entry, "Transaction_Effective_Moment", clock.iso(history.effective_moment(event)))
        stamp = max(event.created, float(event["rescinded"] or 0))
        add(entry, "Transaction_Entry_Moment", clock.iso(stamp))
        add(entry, "Is_Rescind_Or_Rescinded", event["rescinded"] is not None)


def _skills(store: RecordStore, data: Element, worker: Record) -> None:
    whole = add(data, "Skill_Data")
    for row in store.find(SKILLS, "worker", worker.id):
        item = add(whole, "Worker_Skill_Item")
        reference(item, "Skill_Reference", {"WID": row["skillItem"]["id"]})
        add(item, "Skill_Data/Name", row["skillItem"]["descriptor"])
