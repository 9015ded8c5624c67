"""What may stand in a Get_Workers request, in this order: the schema's sequences, checked as the vendor does.

Source: Human_Resources WSDL, Get_Workers_RequestType and what it holds.
"""

from xml.etree.ElementTree import Element

NAMESPACE = "urn:com.workday/bsvc"
WD = f"{{{NAMESPACE}}}"

_INCLUDED = (
    "Include_Reference Include_Personal_Information Include_Additional_Jobs Include_Employment_Information "
    "Include_Compensation Include_Organizations Exclude_Organization_Support_Role_Data "
    "Exclude_Location_Hierarchies Exclude_Cost_Centers Exclude_Cost_Center_Hierarchies Exclude_Companies "
    "Exclude_Company_Hierarchies Exclude_Matrix_Organizations Exclude_Pay_Groups Exclude_Regions "
    "Exclude_Region_Hierarchies Exclude_Supervisory_Organizations Exclude_Teams Exclude_Custom_Organizations "
    "Include_Roles Include_Management_Chain_Data Include_Multiple_Managers_in_Management_Chain_Data "
    "Include_Benefit_Enrollments Include_Benefit_Eligibility Include_Related_Persons Include_Qualifications "
    "Include_Employee_Review Include_Goals Include_Development_Items Include_Skills Include_Photo "
    "Include_Worker_Documents Include_Transaction_Log_Data"
)
SEQUENCES: dict[str, tuple[str, ...]] = {
    "Get_Workers_Request": ("Request_References", "Request_Criteria", "Response_Filter", "Response_Group"),
    "Request_References": ("Worker_Reference",),
    "Worker_Reference": ("ID",),
    "Request_Criteria": (
        *("Transaction_Log_Criteria_Data", "Organization_Reference", "Country_Reference"),
        *("Include_Subordinate_Organizations", "Position_Reference", "Event_Reference"),
        *("Benefit_Plan_Reference", "Field_And_Parameter_Criteria_Data", "National_ID_Criteria_Data"),
        *("Exclude_Inactive_Workers", "Exclude_Employees", "Exclude_Contingent_Workers"),
    ),
    "Transaction_Log_Criteria_Data": (
        *("Transaction_Date_Range_Data", "Transaction_Type_References", "Subscriber_Reference"),
    ),
    "Transaction_Date_Range_Data": (
        *("Updated_From", "Updated_Through", "Effective_From", "Effective_Through"),
    ),
    "Response_Filter": ("As_Of_Effective_Date", "As_Of_Entry_DateTime", "Page", "Count"),
    "Response_Group": tuple(_INCLUDED.split()),
}


class Invalid(ValueError):
    """The request breaks the schema: (words, XPath)."""


def check(node: Element, path: str = "") -> None:
    """Raises Invalid for an unknown element, or one that stands in the wrong place."""
    name = node.tag.removeprefix(WD)
    here = f"{path}/wd:{name}"
    sequence = SEQUENCES.get(name, ())
    reached = 0
    for child in node:
        step = child.tag.removeprefix(WD)
        if not child.tag.startswith(WD) or step not in sequence:
            raise Invalid(f"Element {step} is not valid in {name}.", here)
        if sequence.index(step) < reached:
            raise Invalid(f"Element {step} is out of sequence in {name}.", f"{here}/wd:{step}")
        reached = sequence.index(step)
        check(child, here)


def text(node: Element, path: str) -> str:
    """Text at a path of elements."""
    return (node.findtext("/".join(WD + step for step in path.split("/"))) or "").strip()


def flag(node: Element, path: str) -> bool:
    """xsd:boolean at a path; absent is false."""
    return text(node, path) in ("true", "1")
