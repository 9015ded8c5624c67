"""The request `Get_Workers` of the service Human_Resources, and the pages it answers with.

Elements stand in the order of the schema, which is a sequence. All pages of one reading name the same entry
moment (`As_Of_Entry_DateTime`), so that nothing moves between them.

Source: Human_Resources WSDL, Get_Workers_RequestType, Response_FilterType, Worker_Response_GroupType.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from xml.etree.ElementTree import Element

from connectors.errors import Rejected
from connectors.workday.soap import Soap
from connectors.workday.xml import add, at, children

SERVICE = "Human_Resources"
MAX_COUNT = 999


@dataclass(frozen=True, slots=True)
class Changes:
    """Which transactions a worker must have to be listed: entered, or effective, in a span of time."""

    by: str
    """`Updated` or `Effective`."""
    first: datetime
    through: datetime


@dataclass(frozen=True, slots=True)
class Query:
    """One page of a list of workers, or some workers by id."""

    entered_by: datetime
    """As of which entry moment."""
    effective: date
    """As of which day changes count as happened."""
    page: int = 1
    count: int = 100
    changes: Changes | None = None
    worker_ids: Sequence[str] = ()
    """Workday ids; then neither page nor changes apply."""
    inactive: bool = True
    personal: bool = True
    log: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A page of worker elements."""

    workers: Sequence[Element]
    total: int
    pages: int


async def get_workers(soap: Soap, query: Query, operation: str) -> Found:
    """One page. Raises the classes of `connectors.errors`."""
    response = await soap.read(SERVICE, _request(soap, query), operation)
    numbers = [_number(soap, response, name, operation) for name in ("Total_Results", "Total_Pages")]
    return Found(list(children(response, "Response_Data/Worker")), numbers[0], numbers[1])


def _request(soap: Soap, query: Query) -> Element:
    request = soap.request("Get_Workers")
    if query.worker_ids:
        references = add(request, "Request_References", Skip_Non_Existing_Instances="true")
        for id in query.worker_ids:
            add(add(references, "Worker_Reference"), "ID", id, type="WID")
    else:
        criteria = add(request, "Request_Criteria")
        if query.changes is not None:
            _span(criteria, query.changes)
        add(criteria, "Exclude_Inactive_Workers", "false" if query.inactive else "true")
    shown = add(request, "Response_Filter")
    add(shown, "As_Of_Effective_Date", query.effective.isoformat())
    add(shown, "As_Of_Entry_DateTime", moment(query.entered_by))
    add(shown, "Page", str(query.page))
    add(shown, "Count", str(min(query.count, MAX_COUNT)))
    _group(request, query)
    return request


def _span(criteria: Element, changes: Changes) -> None:
    data = add(add(criteria, "Transaction_Log_Criteria_Data"), "Transaction_Date_Range_Data")
    add(data, f"{changes.by}_From", moment(changes.first))
    add(data, f"{changes.by}_Through", moment(changes.through))


def _group(request: Element, query: Query) -> None:
    """What is shown of a worker. Pay, benefits, reviews and the like are never asked for."""
    group = add(request, "Response_Group")
    add(group, "Include_Reference", "true")
    for name, wanted in (
        ("Include_Personal_Information", query.personal),
        ("Include_Employment_Information", True),
        ("Include_Organizations", query.personal),
        ("Include_Management_Chain_Data", query.personal),
        ("Include_Skills", query.personal),
        ("Include_Transaction_Log_Data", query.log),
    ):
        add(group, name, "true" if wanted else "false")


def moment(at: datetime) -> str:
    """xsd:dateTime in UTC."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _number(soap: Soap, response: Element, name: str, operation: str) -> int:
    text = at(response, f"Response_Results/{name}")
    if not text.isdigit():
        words = f"the answer is not as documented: Response_Results.{name} is {text or 'missing'}"
        field, rule = f"Response_Results.{name}", "schema.changed_field" if text else "schema.missing_field"
        raise soap.error(Rejected, operation, words, field, rule)
    return int(text)
