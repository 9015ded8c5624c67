"""How a call to a system can fail. Connectors classify; Temporal alone repeats.

    ConnectorError
    |- Transient        it will pass: connection refused, 5xx on a read, a locked record
    |- Throttled        the system asks for patience (`retry_after` seconds, when it says)
    |- Unauthenticated  credentials refused, after one token refresh
    |- Rejected         the system says no for a reason that repeating does not cure
    |- Conflict         the same key holds other content, or two records answer to one key
    |- NotFound         what we point to is not there
    |- PeriodClosed     the accounting period does not take postings
    |- Ambiguous        a write was sent and its outcome is unknown

This module is free of I/O and safe inside Temporal's workflow sandbox.
"""


class ConnectorError(Exception):
    """A classified failure of one call. `str(error)` is written for people and holds no secret."""

    def __init__(
        self,
        message: str,
        *,
        system: str = "",
        operation: str = "",
        status: int | None = None,
        code: str = "",
        field: str = "",
        rule: str = "",
        request_id: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.system = system
        self.operation = operation
        self.status = status
        self.code = code
        """The vendor's own code, such as `UNABLE_TO_LOCK_ROW`."""
        self.field = field
        self.rule = rule
        self.request_id = request_id
        self.retry_after = retry_after

    @property
    def kind(self) -> str:
        return type(self).__name__

    def facts(self) -> dict[str, str]:
        """What an exception's owner needs, as text."""
        facts = {
            "system": self.system,
            "operation": self.operation,
            "status": "" if self.status is None else str(self.status),
            "vendor code": self.code,
            "field": self.field,
            "rule": self.rule,
            "request id": self.request_id,
        }
        return {name: value for name, value in facts.items() if value}


class Transient(ConnectorError):
    """It will pass; nothing was written."""


class Throttled(ConnectorError):
    """The account's limit is reached; `retry_after` is what the system asked for, if it did."""


class Unauthenticated(ConnectorError):
    """The system refuses our credentials, also with a fresh token."""


class Rejected(ConnectorError):
    """The system refuses the content or the action; a person must change something."""


class Conflict(ConnectorError):
    """The key is taken by other content, or answers to more than one record."""


class NotFound(ConnectorError):
    """The record we point to does not exist."""


class PeriodClosed(ConnectorError):
    """The accounting period of the posting date is closed or locked."""


class Ambiguous(ConnectorError):
    """A write left us and its outcome is unknown; look up by key before repeating."""


CLASSES: dict[str, type[ConnectorError]] = {
    cls.__name__: cls
    for cls in (Transient, Throttled, Unauthenticated, Rejected, Conflict, NotFound, PeriodClosed, Ambiguous)
}
