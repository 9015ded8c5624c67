"""Composite: up to 25 subrequests in one call, with references from one to the next.

Source: REST API developer guide, "Composite". The outer answer is 200; each subrequest has its own
`httpStatusCode`. With allOrNone, one failure undoes all and the others answer PROCESSING_HALTED.
"""

import re
from collections.abc import Callable
from typing import Any

from sandbox.core import wire
from sandbox.core.call import Answer, Call, Refused
from sandbox.core.records import RecordStore
from sandbox.core.routing import Router
from sandbox.salesforce.errors import SalesforceErrors, error

MOST_SUBREQUESTS = 25
MOST_QUERIES = 5
_REFERENCE = re.compile(r"@\{(\w+)((?:\.\w+|\[\d+\])+)\}")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_REFERENCE_ID = re.compile(r"[A-Za-z]\w*")
HALTED = "The transaction was rolled back since another operation in the same transaction failed."

Sub = dict[str, Any]


class Composite:
    """The `/composite` resource."""

    def __init__(self, store: RecordStore, router: Callable[[], Router]) -> None:
        self._store = store
        self._router = router

    def run(self, call: Call) -> Answer:
        """`POST /composite`."""
        body = call.json_object()
        subs = _subrequests(body)
        locked_from = (len(subs) + 1) // 2 if call.fires("partial_batch") else len(subs)
        answers: dict[str, Answer] = {}
        try:
            with self._store.database.savepoint():
                for number, sub in enumerate(subs):
                    locked = SalesforceErrors().locked() if number >= locked_from else None
                    answers[sub["referenceId"]] = locked or self._one(call, sub, answers)
                if body.get("allOrNone") is True and any(one.status >= 400 for one in answers.values()):
                    raise _Undo
        except _Undo:
            halted = error(400, "PROCESSING_HALTED", HALTED)
            answers = {name: one if one.status >= 400 else halted for name, one in answers.items()}
        shown = [
            {
                "body": one.body,
                "httpHeaders": one.headers,
                "httpStatusCode": one.status,
                "referenceId": name,
            }
            for name, one in answers.items()
        ]
        return Answer(200, {"compositeResponse": shown})

    def only_reads(self, call: Call) -> bool:
        """Whether every subrequest is a GET."""
        try:
            subs = wire.decode(call.body)["compositeRequest"]
            return all(str(sub["method"]).upper() == "GET" for sub in subs)
        except (wire.BadJson, KeyError, TypeError):
            return False

    def _one(self, call: Call, sub: Sub, answers: dict[str, Answer]) -> Answer:
        try:
            url = _filled(sub["url"], answers)
            body = _filled(sub.get("body"), answers)
        except _Unresolved as missing:
            return error(400, "PROCESSING_HALTED", str(missing))
        path, _, query = str(url).partition("?")
        found = self._router().find(str(sub["method"]).upper(), path)
        if found is None or found[0].kind == "token" or path.rstrip("/").endswith("/composite"):
            return SalesforceErrors().unknown_path(str(sub["method"]), path)
        route, params = found
        inner = Call(
            *(call.system, str(sub["method"]).upper(), path, query.replace("+", "%20"), call.headers),
            body=b"" if body is None else wire.encode(body),
            base_url=call.base_url,
            store=call.store,
            errors=call.errors,
            params=params,
            draw=call.draw,
            subject=call.subject,
        )
        try:
            with self._store.database.savepoint():
                return route.handler(inner)
        except Refused as refused:
            return refused.answer


class _Undo(Exception):
    """A subrequest failed and allOrNone was asked for."""


class _Unresolved(Exception):
    """A reference to something that is not there."""


def _subrequests(body: dict[str, Any]) -> list[Sub]:
    subs = body.get("compositeRequest")
    if not isinstance(subs, list) or not subs:
        raise Refused(error(400, "JSON_PARSER_ERROR", "compositeRequest must be a non-empty array"))
    if len(subs) > MOST_SUBREQUESTS:
        raise Refused(error(400, "INVALID_INPUT", f"at most {MOST_SUBREQUESTS} subrequests per call"))
    seen: set[str] = set()
    for sub in subs:
        complete = isinstance(sub, dict) and all(isinstance(sub.get(n), str) for n in ("method", "url"))
        name = sub.get("referenceId") if complete else None
        if not isinstance(name, str) or not _REFERENCE_ID.fullmatch(name):
            message = "each subrequest needs method, url and a referenceId of letters, digits and underscores"
            raise Refused(error(400, "INVALID_INPUT", message))
        if name in seen:
            raise Refused(error(400, "INVALID_INPUT", f"referenceId {name} is used twice"))
        seen.add(name)
    queries = sum(1 for sub in subs if "/query" in sub["url"] or "/composite/sobjects" in sub["url"])
    if queries > MOST_QUERIES:
        message = f"at most {MOST_QUERIES} subrequests may be queries or collections"
        raise Refused(error(400, "INVALID_INPUT", message))
    return subs


def _filled(value: Any, answers: dict[str, Answer]) -> Any:
    if isinstance(value, str):
        return _REFERENCE.sub(lambda found: _resolved(found[1], found[2], answers), value)
    if isinstance(value, dict):
        return {name: _filled(part, answers) for name, part in value.items()}
    if isinstance(value, list):
        return [_filled(part, answers) for part in value]
    return value


def _resolved(name: str, path: str, answers: dict[str, Answer]) -> str:
    answer = answers.get(name)
    at = answer.body if answer is not None and answer.status < 400 else None
    for field, index in _STEP.findall(path):
        if field and isinstance(at, dict):
            at = at.get(field)
        elif index and isinstance(at, list) and int(index) < len(at):
            at = at[int(index)]
        else:
            at = None
    if at is None:
        raise _Unresolved(f"Invalid reference specified. No value for {name}{path} found in {name}")
    return str(at)
