"""Web service Human_Resources, operation Get_Workers.

Strict as the vendor: namespace, version and sequence are checked; `Page` counts from 1, `Count` is 999 at
most and 100 where it is not given; references and criteria are alternatives; workers who have left are listed
unless `Exclude_Inactive_Workers` is true. Answers are as of the entry moment that is asked for.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from math import ceil
from typing import Any
from xml.etree.ElementTree import Element, ParseError, SubElement, register_namespace, tostring

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from sandbox.core import clock
from sandbox.core.call import Answer, Call
from sandbox.core.records import Record
from sandbox.workday import history
from sandbox.workday.errors import XML, fault, validation_fault
from sandbox.workday.soap_schema import NAMESPACE, WD, Invalid, check, flag, text
from sandbox.workday.worker_xml import add, worker_element

PATH = "/ccx/service/{tenant}/Human_Resources/{version}"
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
VERSIONS = ("v44.1", "v45.0", "v45.1", "v46.0")
DEFAULT_COUNT, MAX_COUNT = 100, 999
register_namespace("wd", NAMESPACE)
register_namespace("env", ENVELOPE)


@dataclass(frozen=True, slots=True)
class View:
    """As of when, and which page."""

    entered: float
    effective: date
    page: int
    count: int


class HumanResources:
    """The service of one tenant."""

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant

    def answer(self, call: Call) -> Answer:
        """`POST /ccx/service/{tenant}/Human_Resources/{version}`."""
        if call.params["tenant"] != self._tenant or call.params["version"] not in VERSIONS:
            return fault("SOAP-ENV:Client", f"there is no service at {call.path}")
        try:
            request = _request(call.body, call.params["version"])
            response = _response(call, request)
        except Invalid as invalid:
            return validation_fault(*invalid.args)
        envelope = Element(f"{{{ENVELOPE}}}Envelope")
        SubElement(envelope, f"{{{ENVELOPE}}}Body").append(response)
        return Answer(200, tostring(envelope, encoding="utf-8", xml_declaration=True), media_type=XML)


def _request(body: bytes, version: str) -> Element:
    try:
        root = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise Invalid(f"The request is not XML: {error}", "/") from None
    found = root.find(f"{{{ENVELOPE}}}Body/{WD}Get_Workers_Request")
    if root.tag != f"{{{ENVELOPE}}}Envelope" or found is None:
        raise Invalid("The body must hold a Get_Workers_Request in the namespace of the service.", "/")
    request: Element = found
    if request.get(f"{WD}version") != version:
        raise Invalid(f"wd:version must be {version}, as in the address.", "/wd:Get_Workers_Request/@version")
    check(request)
    return request


def _response(call: Call, request: Element) -> Element:
    view = _view(request)
    criteria, references = request.find(f"{WD}Request_Criteria"), request.find(f"{WD}Request_References")
    if criteria is not None and references is not None:
        raise Invalid("Request_References and Request_Criteria are alternatives.", "/wd:Get_Workers_Request")
    spans = _spans(criteria)
    if references is not None:
        workers = _referenced(call, references, view)
    else:
        workers = _listed(call, criteria, spans, view)
    response = Element(f"{WD}Get_Workers_Response", {f"{WD}version": request.get(f"{WD}version", "")})
    shown = workers[(view.page - 1) * view.count : view.page * view.count]
    results = add(response, "Response_Results")
    add(results, "Total_Results", len(workers))
    add(results, "Total_Pages", ceil(len(workers) / view.count))
    add(results, "Page_Results", len(shown))
    add(results, "Page", view.page)
    data, group = add(response, "Response_Data"), request.find(f"{WD}Response_Group")
    for worker, state in shown:
        log = _log(call, worker, spans, view)
        nothing = Element(f"{WD}Response_Group")
        data.append(worker_element(call.store, worker, state, nothing if group is None else group, log))
    _spoil(call, data)
    return response


def _view(request: Element) -> View:
    entered = text(request, "Response_Filter/As_Of_Entry_DateTime")
    effective = text(request, "Response_Filter/As_Of_Effective_Date")
    page = _number(text(request, "Response_Filter/Page"), "Page", 1, None)
    count = _number(text(request, "Response_Filter/Count"), "Count", DEFAULT_COUNT, MAX_COUNT)
    stamp = _moment(entered) if entered else clock.now()
    day = date.fromisoformat(effective) if effective else history.today()
    return View(stamp, day, page, count)


def _listed(
    call: Call, criteria: Element | None, spans: list[history.Span], view: View
) -> list[tuple[Record, dict[str, Any]]]:
    active_only = criteria is not None and flag(criteria, "Exclude_Inactive_Workers")
    found = []
    for worker in call.store.rows(history.WORKERS):
        state = history.state_of(call.store, worker.id, view.entered, view.effective)
        if state is None or (active_only and state.get("terminated")):
            continue
        if not spans or _log(call, worker, spans, view):
            found.append((worker, state))
    return found


def _referenced(call: Call, references: Element, view: View) -> list[tuple[Record, dict[str, Any]]]:
    skip = references.get(f"{WD}Skip_Non_Existing_Instances") in ("true", "1")
    found = []
    for node in references.iter(f"{WD}ID"):
        worker = history.find(call.store, (node.text or "").strip())
        state = history.state_of(call.store, worker.id, view.entered, view.effective) if worker else None
        if worker is not None and state is not None:
            found.append((worker, state))
        elif worker is None and not skip:
            path = "/wd:Get_Workers_Request/wd:Request_References/wd:Worker_Reference/wd:ID"
            raise Invalid(f"Invalid ID value. '{node.text}' is not a valid ID value.", path)
    return found


def _spans(criteria: Element | None) -> list[history.Span]:
    found = []
    for data in criteria.iter(f"{WD}Transaction_Date_Range_Data") if criteria is not None else ():
        for by in ("Updated", "Effective"):
            first, through = text(data, f"{by}_From"), text(data, f"{by}_Through")
            if first and not through:
                raise Invalid(f"{by}_Through is required with {by}_From.", f"//wd:{by}_From")
            if first:
                found.append(history.Span(by, _moment(first), _moment(through)))
    return found


def _log(call: Call, worker: Record, spans: list[history.Span], view: View) -> list[Record]:
    """Transactions of a worker that the criteria ask for; all of them without criteria."""
    if not spans:
        return history.events_of(call.store, worker.id, view.entered)
    return [event for span in spans for event in history.touched(call.store, worker.id, view.entered, span)]


def _spoil(call: Call, data: Element) -> None:
    """The content faults of the core, for XML."""
    if not len(data):
        return
    if call.fires("unknown_field") is not None:
        for worker in data:
            add(worker, "Unexpected_Field", "unexpected")
    missing = call.fires("missing_field")
    if missing is not None:
        _remove(data, f"{WD}{missing.field or 'Hire_Date'}")
    if call.fires("new_enum") is not None:
        for node in data.iter(f"{WD}Organization_Type_Reference"):
            for id in node:
                id.text = "UNHEARD_OF"


def _remove(node: Element, tag: str) -> None:
    for child in list(node):
        if child.tag == tag:
            node.remove(child)
        else:
            _remove(child, tag)


def _number(given: str, name: str, default: int, most: int | None) -> int:
    path = f"/wd:Get_Workers_Request/wd:Response_Filter/wd:{name}"
    if not given:
        return default
    if not given.isdigit() or int(given) < 1 or (most is not None and int(given) > most):
        limits = "1 or more" if most is None else f"between 1-{most}"
        raise Invalid(f"{name} must be {limits}.", path)
    return int(given)


def _moment(given: str) -> float:
    try:
        found = datetime.fromisoformat(given)
    except ValueError:
        raise Invalid(f"'{given}' is not a dateTime.", "/wd:Get_Workers_Request") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
