"""Kantata's answers as classes of failure (OX API, errors): by status, text and field, as it has no codes."""

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.errors import NotFound, PeriodClosed, Rejected, Throttled, Transient, Unauthenticated
from connectors.http.resolution import Problem, Resolution, Row

ROWS = (
    Row(Unauthenticated, "Kantata refuses the access token. {text}", status=401, rule="vendor.token"),
    Row(
        Rejected,
        "the integration user may not do this: {text}. It must be an account administrator.",
        status=403,
        rule="vendor.permission",
    ),
    Row(NotFound, "Kantata does not know or does not show this record. {text}", status=404),
    Row(
        PeriodClosed,
        "the date lies on or before the account's lock date: {text}",
        status=422,
        text="lock date",
        rule="vendor.lock_date",
    ),
    Row(Rejected, "Kantata refuses {field}: {text}", status=422, rule="vendor.validation"),
    Row(
        Rejected,
        "the account is not as the firm's file says: {text}. Compare with `fairlead systems check`.",
        status=400,
        rule="schema.drift",
    ),
    Row(Throttled, "Kantata asks for patience. {text}", status=429),
    Row(
        Transient,
        "another change holds the record. {text}",
        status=503,
        text="updated by another process",
        not_applied=True,
    ),
    Row(Transient, "Kantata is not available. {text}", status=(502, 503)),
    Row(Transient, "Kantata gave up after its own time limit of 3 minutes. {text}", status=504),
)


def explain(status: int, body: Any) -> Sequence[Problem]:
    """Problems of `{"errors": [{"type", "message", "field"?}]}`; the type stands in for a code."""
    if isinstance(body, str):
        return (Problem(text=body),)
    entries = body.get("errors") if isinstance(body, Mapping) else None
    if not isinstance(entries, list):
        return ()
    return [_problem(entry) for entry in entries if isinstance(entry, Mapping)]


def _problem(entry: Mapping[str, Any]) -> Problem:
    return Problem(
        code=str(entry.get("type") or ""),
        text=str(entry.get("message") or ""),
        field=str(entry.get("field") or ""),
    )


def table(system: str) -> Resolution:
    """The resolution table of one account."""
    return Resolution(system, explain, ROWS)
