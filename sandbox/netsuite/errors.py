"""NetSuite's error answers.

Source: SuiteTalk REST, error handling: `{type, title, status, "o:errorDetails": [{detail, "o:errorCode"}]}`.
A record action failure has no array, and the concurrency refusal carries its code at the top.
"""

from typing import Any

from sandbox.core.call import Answer, Refused

MEDIA_TYPE = "application/vnd.oracle.resource+json; type=error; charset=UTF-8"
_SECTIONS = {
    400: "15.5.1",
    401: "15.5.2",
    403: "15.5.4",
    404: "15.5.5",
    405: "15.5.6",
    429: "15.5.1",
    500: "15.6.1",
}
_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
}
_TITLES |= {500: "Internal Server Error", 503: "Service Unavailable"}


def error(
    status: int,
    code: str,
    detail: str,
    *,
    path: str | None = None,
    query: str | None = None,
    header: str | None = None,
    title: str | None = None,
) -> Answer:
    """One error answer; `path` is the JSON path of the field at fault."""
    details: dict[str, Any] = {"detail": detail, "o:errorCode": code}
    places = {"o:errorPath": path, "o:errorQueryParam": query, "o:errorHeader": header}
    details |= {name: place for name, place in places.items() if place is not None}
    body = {**_head(status, title), "o:errorDetails": [details]}
    return Answer(status, body, media_type=MEDIA_TYPE)


def action_error(status: int, code: str, detail: str) -> Answer:
    """The shape of a failed record action: everything at the top, no array."""
    body = {**_head(status, None), "detail": detail, "o:errorCode": code}
    return Answer(status, body, media_type=MEDIA_TYPE)


def invalid_value(path: str) -> Refused:
    """A value of the wrong type, or a reference to nothing."""
    text = f"Invalid value for the resource or sub-resource field '{path}'. Provide a valid value."
    return Refused(error(400, "INVALID_CONTENT", text, path=path))


def user_error(detail: str) -> Refused:
    """A business rule says no."""
    return Refused(error(400, "USER_ERROR", f"Error while accessing a resource. {detail}"))


def invalid_request(detail: str, *, query: str | None = None, header: str | None = None) -> Refused:
    """The request itself is wrong."""
    return Refused(error(400, "INVALID_REQUEST", detail, query=query, header=header))


def not_found() -> Refused:
    """No record under this id."""
    text = "The record instance does not exist. Provide a valid record instance ID."
    return Refused(error(404, "NONEXISTENT_ID", text))


def insufficient_permission(record_type: str) -> Refused:
    """The role of the integration may not do this."""
    text = f"Permission Violation: You need a higher level of permission for '{record_type}' to do this."
    return Refused(error(403, "INSUFFICIENT_PERMISSION", text))


class NetSuiteErrors:
    """The vendor's bodies for the faults of the core."""

    def throttle(self) -> Answer:
        return self.concurrency()

    def concurrency(self) -> Answer:
        body = {
            **_head(429, "Bad Request"),
            "o:errorCode": "USER_ERROR",
            "o:errorDetails": [
                {
                    "detail": "Concurrent request limit exceeded. Request blocked.",
                    "o:errorCode": "CONCURRENCY_LIMIT_EXCEEDED",
                }
            ],
        }
        return Answer(429, body, media_type=MEDIA_TYPE)

    def locked(self) -> Answer:
        return error(400, "RCRD_HAS_BEEN_CHANGED", "Record has been changed.")

    def period_closed(self) -> Answer:
        text = "The transaction date you specified is not within the date range of an open accounting period."
        return error(400, "USER_ERROR", f"Error while accessing a resource. {text}")

    def rejected(self, field: str | None) -> Answer:
        name = field or "companyName"
        text = f"Invalid value for the resource or sub-resource field '{name}'. Provide a valid value."
        return error(400, "INVALID_CONTENT", text, path=name)

    def server_error(self) -> Answer:
        text = "An unexpected error occurred. Error ID: lq8fz1d01b5h7k2mq0x3v"
        return error(500, "UNEXPECTED_ERROR", text)

    def unavailable(self) -> Answer:
        return error(503, "SERVICE_UNAVAILABLE", "The service is temporarily unavailable.")

    def expired_token(self) -> Answer:
        text = "Invalid login attempt. For more details, see the Login Audit Trail in the NetSuite UI."
        answer = error(401, "INVALID_LOGIN", text)
        answer.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
        return answer

    def unknown_path(self, method: str, path: str) -> Answer:
        return error(404, "NONEXISTENT_ID", f"The requested resource '{method} {path}' does not exist.")

    def malformed_body(self, detail: str) -> Answer:
        return error(400, "INVALID_CONTENT", f"Invalid content in the request body: {detail}.")


def _head(status: int, title: str | None) -> dict[str, Any]:
    section = _SECTIONS.get(status, "15.6.1")
    return {
        "type": f"https://www.rfc-editor.org/rfc/rfc9110.html#section-{section}",
        "title": title or _TITLES.get(status, "Error"),
        "status": status,
    }
