"""Coupa error answers: `{"errors": {"<object>": ["<text>", ...]}}`, without machine-readable codes.

429 carries no Retry-After. Source: Coupa Core API, exception handling and error codes.
"""

from collections.abc import Sequence

from sandbox.core.call import Answer, Refused

JSON = "application/json; charset=utf-8"


def answer(status: int, noun: str, texts: Sequence[str]) -> Answer:
    """An error answer about one object."""
    return Answer(status, {"errors": {noun: list(texts)}}, media_type=JSON)


def invalid(noun: str, texts: Sequence[str]) -> Refused:
    """400: what the record's validations say, or a query the API does not understand."""
    return Refused(answer(400, noun, texts))


def unknown_attribute(noun: str, name: str) -> Refused:
    """400: a body, filter or `fields` names what the object does not have."""
    return invalid(noun, [f"unknown attribute '{name}' for {noun}"])


def not_found(noun: str, record_id: str) -> Refused:
    """404."""
    return Refused(answer(404, noun, [f"{noun} {record_id} could not be found"]))


def forbidden(scope: str) -> Refused:
    """403: the token's client was not granted the scope."""
    return Refused(answer(403, "base", [f"Access denied: the scope {scope} is required"]))


def not_acceptable(detail: str) -> Refused:
    """406: the answer would not be JSON, or the body is not said to be."""
    return Refused(answer(406, "base", [detail]))


class CoupaErrors:
    """The answers of `sandbox.core.emulator.VendorErrors` in this vendor's words."""

    def throttle(self) -> Answer:
        """429 in prose only."""
        return answer(429, "base", ["Rate limit exceeded"])

    def concurrency(self) -> Answer:
        """Calls beyond the burst queue: the same 429."""
        return self.throttle()

    def locked(self) -> Answer:
        """Another change was faster: the record's lock version has moved on."""
        return answer(409, "base", ["Attempted to update a stale object"])

    def period_closed(self) -> Answer:
        """An accounting period that takes nothing."""
        return answer(400, "base", ["The accounting period is closed"])

    def rejected(self, field: str | None) -> Answer:
        """A validation that repeating does not cure."""
        return answer(400, field or "requisition", [f"{field or 'Department'} is invalid"])

    def server_error(self) -> Answer:
        """500."""
        return answer(500, "base", ["We're sorry, but something went wrong"])

    def unavailable(self) -> Answer:
        """503."""
        return answer(503, "base", ["The service is temporarily unavailable"])

    def expired_token(self) -> Answer:
        """401, the same for a wrong, expired or too new token."""
        body = {"error": "invalid_token", "error_description": "The access token is invalid"}
        return Answer(401, body, {"WWW-Authenticate": 'Bearer error="invalid_token"'}, media_type=JSON)

    def unknown_path(self, method: str, path: str) -> Answer:
        """404 for a path or method that does not exist."""
        return answer(404, "base", [f"no route matches {method} {path}"])

    def malformed_body(self, detail: str) -> Answer:
        """400 for a body that is not JSON."""
        return answer(400, "base", [f"the body could not be parsed: {detail}"])
