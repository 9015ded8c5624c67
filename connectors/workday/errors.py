"""Workday's answers as classes of failure: REST by status and code, SOAP by what its fault holds.

Source: Workday REST API, error model (`{error, errors: [{error, code, field, path}]}`, codes `A###` for a
field); Workday Web Services, Validation_Fault and Processing_Fault. SOAP answers business refusals, its own
failures and overload with the same HTTP 500: only the detail of the fault tells them apart.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element

from connectors.errors import NotFound, Rejected, Throttled, Transient, Unauthenticated
from connectors.http import exact_json
from connectors.http.resolution import Problem, Resolution, Row
from connectors.workday.xml import WD, NotXml, local_name, parsed, text_of

VALIDATION = "Validation_Fault"
PROCESSING = "Processing_Fault"
SIGN_IN = "authenticationError"

ROWS = (
    Row(Unauthenticated, "Workday refuses our credentials: {text}", code=SIGN_IN, rule="vendor.token"),
    Row(Rejected, "Workday refuses {field}: {text}", code=VALIDATION, rule="vendor.validation"),
    Row(Transient, "Workday could not process the request: {text}", code=PROCESSING),
    Row(
        Unauthenticated,
        "Workday refuses the token, or does not know this resource for it: {text}. "
        "Check the API client, its scopes and the service's version.",
        status=401,
        rule="vendor.token",
    ),
    Row(
        Rejected,
        "our user may not do this: {text}. Its security group needs the domain, the API client the scope.",
        status=403,
        rule="vendor.permission",
    ),
    Row(NotFound, "Workday does not know this record, or does not show it to us. {text}", status=404),
    Row(Rejected, "Workday refuses {field}: {text}", status=400, rule="vendor.validation"),
    Row(Throttled, "Workday asks for patience. {text}", status=429),
    Row(Transient, "another process holds the record. {text}", status=423),
    Row(Transient, "Workday failed or is overloaded. {text}", status=range(500, 600)),
)


def explain(status: int, body: Any) -> Sequence[Problem]:
    """Problems of a REST error or a SOAP fault, whichever the body is."""
    if isinstance(body, str):
        return _of_text(body)
    if not isinstance(body, Mapping):
        return ()
    entries = body.get("errors")
    if isinstance(entries, list) and entries:
        return [_problem(entry) for entry in entries if isinstance(entry, Mapping)]
    return (_problem(body),)


def table(system: str) -> Resolution:
    """The resolution table of one tenant."""
    return Resolution(system, explain, ROWS)


def fault_of(root: Element) -> Sequence[Problem]:
    """Problems of the SOAP fault in an envelope; none when there is no fault."""
    fault = next((node for node in root.iter() if local_name(node) == "Fault"), None)
    if fault is None:
        return ()
    code, words = text_of(fault, "faultcode"), text_of(fault, "faultstring")
    if code.endswith(SIGN_IN):
        return (Problem(SIGN_IN, words),)
    errors = [_validation(node) for node in fault.iter(f"{WD}Validation_Error")]
    if errors or fault.find(f".//{WD}{VALIDATION}") is not None:
        return errors or (Problem(VALIDATION, words),)
    processing = fault.find(f".//{WD}{PROCESSING}")
    if processing is not None:
        return (Problem(PROCESSING, text_of(processing, f"{WD}Detail_Message") or words),)
    return (Problem(code, words),)


def _validation(node: Element) -> Problem:
    words = (text_of(node, f"{WD}Message"), text_of(node, f"{WD}Detail_Message"))
    return Problem(VALIDATION, " ".join(filter(None, dict.fromkeys(words))), text_of(node, f"{WD}Xpath"))


def _of_text(body: str) -> Sequence[Problem]:
    try:
        return fault_of(parsed(body)) or (Problem(text=body[:500]),)
    except NotXml:
        pass
    try:
        value = exact_json.decode(body)
    except ValueError:
        return (Problem(text=body[:500]),)
    return explain(0, value) if isinstance(value, Mapping) else (Problem(text=body[:500]),)


def _problem(entry: Mapping[str, Any]) -> Problem:
    return Problem(
        code=str(entry.get("code") or ""),
        text=str(entry.get("error") or ""),
        field=str(entry.get("field") or entry.get("path") or ""),
    )
