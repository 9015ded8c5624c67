"""The resolution table: which failure an answer is, decided by rows of data instead of by code.

    TABLE = Resolution("kantata", explain, (
        Row(Throttled, "Kantata asks for patience", status=429),
        Row(Rejected, "Kantata refuses {field}: {text}", status=422, rule="vendor.validation"),
        Row(Transient, "the record is locked", code="UNABLE_TO_LOCK_ROW"),
    ))

The first row that matches wins; behind the vendor's rows stand `COMMON_ROWS` by HTTP status. `explain`
turns the vendor's error body into `Problem`s (code, text, field) and may return none.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from connectors.errors import (
    Ambiguous,
    Conflict,
    ConnectorError,
    NotFound,
    Rejected,
    Throttled,
    Transient,
    Unauthenticated,
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One error as the vendor words it."""

    code: str = ""
    text: str = ""
    field: str = ""


Explain = Callable[[int, Any], Sequence[Problem]]
"""(status, decoded body or text) -> the vendor's problems; total: never raises, whatever the body is."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table. What is not given matches everything.

    `words` are for people and may use {code}, {text}, {field}, {status}.
    """

    error: type[ConnectorError]
    words: str
    status: int | Collection[int] | None = None
    code: str | Collection[str] | None = None
    text: str | None = None
    """Found anywhere in the vendor's text, whatever the case."""
    write: bool | None = None
    rule: str = ""
    not_applied: bool = False
    """The vendor promises that a write so answered changed nothing, although the status is 5xx."""

    def matches(self, status: int, problem: Problem, write: bool) -> bool:
        return (
            _within(status, self.status)
            and _within(problem.code, self.code)
            and (self.text is None or self.text.casefold() in problem.text.casefold())
            and self.write in (None, write)
        )


COMMON_ROWS = (
    Row(Rejected, "the system answered with a redirect, which is not followed", status=range(300, 400)),
    Row(Unauthenticated, "the system refuses our credentials. {text}", status=401),
    Row(Rejected, "our user may not do this. {text}", status=403, rule="vendor.permission"),
    Row(NotFound, "the system does not know this record. {text}", status=(404, 410)),
    Row(Transient, "the system gave up waiting for our request. {text}", status=408),
    Row(Conflict, "the record holds something else or has changed meanwhile. {text}", status=(409, 412)),
    Row(Transient, "the record is locked. {text}", status=423),
    Row(Throttled, "the system asks for patience. {text}", status=429),
    Row(Rejected, "the system refuses the request. {text}", status=range(400, 500)),
    Row(Transient, "the system failed. {text}", status=range(500, 600)),
    Row(Rejected, "the system answered with the unexpected status {status}. {text}"),
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is not a success, with the call it answers."""

    operation: str
    status: int
    body: Any
    write: bool
    headers: Mapping[str, str] = field(default_factory=dict)
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Resolution:
    """The table of one system."""

    system: str
    explain: Explain
    rows: Sequence[Row]

    def error_of(self, refusal: Refusal, now: datetime | None = None) -> ConnectorError:
        """The classified error of an answer; to be raised by the caller, who redacts `message`.

        A 5xx on a write may have landed: it is `Ambiguous` unless its row says `not_applied`.
        """
        problems = list(self.explain(refusal.status, refusal.body)) or [Problem()]
        row, problem = self._decide(refusal, problems)
        error = row.error
        if error is Transient and refusal.write and refusal.status >= 500 and not row.not_applied:
            error = Ambiguous
        return error(
            f"{self.system}: {refusal.operation}: {_words(row, refusal.status, problem)}",
            system=self.system,
            operation=refusal.operation,
            status=refusal.status,
            code=problem.code,
            field=problem.field,
            rule=row.rule,
            request_id=refusal.request_id,
            retry_after=retry_after(refusal.headers, now or datetime.now(UTC)),
        )

    def _decide(self, refusal: Refusal, problems: Sequence[Problem]) -> tuple[Row, Problem]:
        for row in (*self.rows, *COMMON_ROWS):
            for problem in problems:
                if row.matches(refusal.status, problem, refusal.write):
                    return row, problem
        return COMMON_ROWS[-1], problems[0]


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that a `Retry-After` header (RFC 9110: seconds or an HTTP date) asks for, if it can be read."""
    value = headers.get("retry-after", headers.get("Retry-After", "")).strip()
    if value.replace(".", "", 1).isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now.timestamp())


def _within(value: int | str, wanted: Any) -> bool:
    if wanted is None:
        return True
    return value == wanted if isinstance(wanted, int | str) else value in wanted


def _words(row: Row, status: int, problem: Problem) -> str:
    words = row.words.format(code=problem.code, text=problem.text, field=problem.field, status=status)
    return words.strip()
