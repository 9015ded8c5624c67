"""Tryton's answers as classes of failure (JSON-RPC of series 8.0; texts in English, which we ask for).

A refusal comes with status 200 and one of four names; any other name is a defect: a call that Tryton does
not understand, or a fault of its own. Whoever raises it has been rolled back.
"""

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.errors import (
    Conflict,
    NotFound,
    PeriodClosed,
    Rejected,
    Throttled,
    Transient,
    Unauthenticated,
)
from connectors.http.resolution import Problem, Resolution, Row

NAMES = ("UserError", "UserWarning", "ConcurrencyException", "LoginException")
DEFECT = "defect"
# Tryton answers 503 with the database's own words when it could not get a lock and has rolled back.
BUSY_TEXTS = (
    *("database is locked", "database table is locked", "could not obtain lock", "could not serialize"),
    *("deadlock detected", "lock timeout"),
)
PERIOD_TEXTS = (
    *("reopen the period", "closed period", "closed journal-period", "reopen the fiscal year"),
    *("create a period", "create a fiscal year", "find a period"),
)

ROWS = (
    *(
        Row(Throttled, "the database is busy; nothing was changed. {text}", status=503, text=text)
        for text in BUSY_TEXTS
    ),
    Row(Transient, "the record was changed at the same moment. {text}", code="ConcurrencyException"),
    Row(Unauthenticated, "the login is refused. {text}", code="LoginException"),
    Row(
        Rejected,
        "Tryton asks a person to confirm, which a machine never does: {text} (warning {field})",
        code="UserWarning",
        rule="vendor.warning",
    ),
    *(
        Row(PeriodClosed, "the period is closed: {text}", code="UserError", text=text, rule="period.closed")
        for text in PERIOD_TEXTS
    ),
    Row(NotFound, "Tryton does not know this record. {text}", code="UserError", text="that don't exist"),
    Row(
        Conflict,
        "another record holds this number or key: {text}",
        code="UserError",
        text="must be unique",
        rule="key.taken",
    ),
    Row(
        Rejected,
        "the record is not in the state for this: {text}",
        code="UserError",
        text="You can not call",
        rule="record.state",
    ),
    Row(
        Rejected,
        "our user may not do this: {text}",
        code="UserError",
        text="You are not allowed",
        rule="vendor.permission",
    ),
    Row(
        Rejected,
        "documents are numbered in the order of their dates: {text}",
        code="UserError",
        text="you must set an invoice date after",
        rule="number.order",
    ),
    Row(
        Rejected,
        "more is paid than is open: {text}",
        code="UserError",
        text="greater than the amount to pay",
        rule="amount.too_high",
    ),
    Row(
        Rejected,
        "more of an advance is applied than is left: {text}",
        code="UserError",
        text="not enough deposit",
        rule="advance.too_high",
    ),
    Row(Rejected, "a rule of Tryton says no: {text}", code="UserError", rule="vendor.rule"),
    Row(Rejected, "Tryton could not carry out the call: {text}", code=DEFECT, rule="vendor.defect"),
)


def explain(status: int, body: Any) -> Sequence[Problem]:
    """Problems of an answer: the `error` of a call, or the text of a page."""
    if isinstance(body, str):
        return (Problem(text=_plain(body)),)
    error = body.get("error") if isinstance(body, Mapping) else None
    if not isinstance(error, list) or not error:
        return ()
    name, said = str(error[0]), error[1] if len(error) > 1 else ""
    if name not in NAMES:
        return (Problem(code=DEFECT, text=name or _words(said)),)
    if not isinstance(said, list):
        return (Problem(code=name, text=str(said)),)
    if name == "UserWarning":
        return (Problem(code=name, text=_words(said[1:]), field=str(said[0]) if said else ""),)
    return (Problem(code=name, text=_words(said[:2])),)


def table(system: str) -> Resolution:
    return Resolution(system, explain, ROWS)


def _words(said: Any) -> str:
    parts = said if isinstance(said, list) else [said]
    return " ".join(str(part).strip() for part in parts if isinstance(part, str) and part.strip())


def _plain(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())[:500]
