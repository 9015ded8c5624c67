"""Kantata OX error answers: `{"errors": [{"type", "message", "field"?}]}`, without machine-readable codes.

Types are `oauth`, `system` and `validation`. 429 carries neither Retry-After nor limit headers.
"""

from collections.abc import Iterable

from sandbox.core.call import Answer, Refused

ErrorLine = dict[str, str]


def line(kind: str, message: str, field: str | None = None) -> ErrorLine:
    """One entry of an error answer."""
    entry = {"type": kind, "message": message}
    return entry if field is None else {**entry, "field": field}


def answer(status: int, lines: Iterable[ErrorLine]) -> Answer:
    """An error answer with one or more entries."""
    return Answer(status, {"errors": list(lines)})


def bad_request(message: str) -> Refused:
    """400: a parameter or field the API does not know, or a body of the wrong form."""
    return Refused(answer(400, [line("system", message)]))


def forbidden(message: str) -> Refused:
    """403: the token's user may not do this."""
    return Refused(answer(403, [line("system", message)]))


def not_found(noun: str, record_id: str) -> Refused:
    """404 for a record that is not there, or filtered out by default filters."""
    return Refused(answer(404, [line("system", f"{noun} {record_id} could not be found")]))


def invalid(lines: Iterable[ErrorLine]) -> Refused:
    """422: what the record's validations say."""
    return Refused(answer(422, lines))


class KantataErrors:
    """The answers of `sandbox.core.emulator.VendorErrors` in this vendor's words."""

    def throttle(self) -> Answer:
        """429 in prose only."""
        return answer(429, [line("system", "Too many requests. Please wait and try again later.")])

    def concurrency(self) -> Answer:
        """The vendor has no limit of its own for requests in flight: the same 429."""
        return self.throttle()

    def locked(self) -> Answer:
        """A record another change holds: the vendor answers 503 and asks to try again."""
        return answer(503, [line("system", "The record is being updated by another process. Please retry.")])

    def period_closed(self) -> Answer:
        """A date on or before the account's line item lock date."""
        return answer(422, [line("validation", "Date is on or before the line item lock date", "date")])

    def rejected(self, field: str | None) -> Answer:
        """A validation that repeating does not cure."""
        name = field or "base"
        return answer(422, [line("validation", f"{name} is invalid", name)])

    def server_error(self) -> Answer:
        """500."""
        return answer(500, [line("system", "Something went wrong.")])

    def unavailable(self) -> Answer:
        """503."""
        return answer(503, [line("system", "Service is unavailable.")])

    def expired_token(self) -> Answer:
        """401, the same text for a wrong, revoked or missing token."""
        return answer(401, [line("oauth", "Invalid OAuth 2 Request")])

    def unknown_path(self, method: str, path: str) -> Answer:
        """404 for a path or method that does not exist."""
        return answer(404, [line("system", f'No route matches [{method}] "{path}"')])

    def malformed_body(self, detail: str) -> Answer:
        """400 for a body that is not JSON."""
        return answer(400, [line("system", f"The request body could not be parsed: {detail}")])
