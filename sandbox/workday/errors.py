"""Workday's error answers: REST `{error, errors: [{error, code, field}]}`, SOAP faults.

REST codes `A###` belong to a field, `S##` to the system. A SOAP answer is HTTP 500 whatever is wrong:
business refusals carry a Validation_Fault, failures a Processing_Fault, overload neither. 429 bears no
Retry-After.
Workday documents no answer for a locked record: the sandbox gives 423 (RFC 4918).
"""

from typing import Any
from xml.sax.saxutils import escape

from sandbox.core.call import Answer, Refused

XML = "text/xml;charset=UTF-8"
_ENVELOPE = (
    '<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"><SOAP-ENV:Body>'
    "<SOAP-ENV:Fault><faultcode>{code}</faultcode><faultstring>{text}</faultstring>{detail}"
    "</SOAP-ENV:Fault></SOAP-ENV:Body></SOAP-ENV:Envelope>"
)
_WD = 'xmlns:wd="urn:com.workday/bsvc"'


def answer(status: int, text: str, code: str = "") -> Answer:
    """A REST error without a field."""
    return Answer(status, {"error": text, **({"code": code} if code else {})})


def validation(field: str, text: str, code: str) -> Answer:
    """400: what a field must be."""
    problem = {"error": text, "code": code, "field": field, "path": f"/{field}"}
    return Answer(400, {"error": "invalid request: validation errors", "errors": [problem]})


def invalid(field: str, text: str, code: str = "A100") -> Refused:
    """A field's validation, to be raised."""
    return Refused(validation(field, text, code))


def bad_request(text: str) -> Refused:
    """400: a parameter or a version the service does not know."""
    return Refused(answer(400, f"invalid request: {text}", "S21"))


def not_found(thing: str, id: str) -> Refused:
    """404."""
    return Refused(answer(404, f"resource not found: {thing} {id}", "S22"))


def fault(code: str, text: str, detail: str = "", status: int = 500) -> Answer:
    """A SOAP fault."""
    body = _ENVELOPE.format(code=code, text=escape(text), detail=detail and f"<detail>{detail}</detail>")
    return Answer(status, body, media_type=XML)


def validation_fault(text: str, xpath: str) -> Answer:
    """A SOAP request that is refused for good."""
    error = f"<wd:Message>{escape(text)}</wd:Message><wd:Detail_Message>{escape(text)}</wd:Detail_Message>"
    error += f"<wd:Xpath>{escape(xpath)}</wd:Xpath>"
    inside = f"<wd:Validation_Error>{error}</wd:Validation_Error>"
    detail = f"<wd:Validation_Fault {_WD}>{inside}</wd:Validation_Fault>"
    return fault("SOAP-ENV:Client.validationError", "Validation error occurred.", detail)


def as_fault(rest: Answer) -> Answer:
    """A REST error answer of the core as the web services give it."""
    body: Any = rest.body
    text = str(body.get("error", "")) if isinstance(body, dict) else ""
    if rest.status == 401:
        return fault("SOAP-ENV:Client.authenticationError", "invalid username or password")
    if rest.status == 400:
        return validation_fault(text, "/wd:Get_Workers_Request")
    if rest.status == 500:
        detail = f"<wd:Processing_Fault {_WD}><wd:Detail_Message>{escape(text)}</wd:Detail_Message>"
        return fault(
            "SOAP-ENV:Server.processingFault", "Processing error.", f"{detail}</wd:Processing_Fault>"
        )
    status = 500 if rest.status == 429 else rest.status
    return fault("SOAP-ENV:Server", text or "The service is not available.", status=status)


class WorkdayErrors:
    """The answers of `sandbox.core.emulator.VendorErrors` in this vendor's words."""

    def throttle(self) -> Answer:
        return answer(429, "too many requests", "S32")

    def concurrency(self) -> Answer:
        return self.throttle()

    def locked(self) -> Answer:
        return answer(423, "the object is locked by another process")

    def period_closed(self) -> Answer:
        return validation("transactionDate", "The period is closed.", "A557")

    def rejected(self, field: str | None) -> Answer:
        return validation(field or "startDate", f"Specify a valid {field or 'startDate'}.", "A552")

    def server_error(self) -> Answer:
        return answer(500, "internal server error", "S50")

    def unavailable(self) -> Answer:
        return answer(503, "service unavailable", "S53")

    def expired_token(self) -> Answer:
        return answer(401, "invalid or expired token", "S41")

    def unknown_path(self, method: str, path: str) -> Answer:
        return answer(404, f"resource not found: {method} {path}", "S22")

    def malformed_body(self, detail: str) -> Answer:
        return answer(400, f"invalid request: {detail}", "S21")
