"""`POST /services/rest/query/v1/suiteql`.

Source: SuiteTalk REST, executing SuiteQL: `Prefer: transient` is required, `{"q", "params"}` with `?`
placeholders, pages of at most 1,000 rows by `limit` and `offset`; not available asynchronously.
"""

from typing import Any

from sandbox.core.call import Answer, Call, Refused
from sandbox.netsuite.errors import error, invalid_request
from sandbox.netsuite.representation import counts
from sandbox.netsuite.suiteql.execution import execute
from sandbox.netsuite.suiteql.parser import parse
from sandbox.netsuite.suiteql.tokens import BadQuery

PATH = "/services/rest/query/v1/suiteql"
MAX_PAGE = 1000
MAX_ROWS = 100_000


def run(call: Call) -> Answer:
    """Answer one query."""
    preferences = {part.strip().lower() for part in call.headers.get("prefer", "").split(",")}
    if "respond-async" in preferences:
        raise invalid_request("The SuiteQL service cannot run asynchronously.", header="Prefer")
    if "transient" not in preferences:
        raise invalid_request("The required header 'Prefer: transient' is missing.", header="Prefer")
    limit, offset = page(call)
    body = call.json_object()
    rows = _rows(call, body)[:MAX_ROWS]
    shown = rows[call.page_offset(offset) :][:limit]
    items = [{"links": [], **row} for row in shown]
    address = f"{call.base_url}{PATH}?limit={limit}&offset={offset}"
    links = [{"rel": "self", "href": address}]
    return Answer(200, {"links": links, "items": items, **counts(len(items), len(rows), offset)})


def page(call: Call) -> tuple[int, int]:
    """`limit` and `offset` of the query string. Raises Refused for values out of range."""
    found = []
    for name, default, low, high in (("limit", MAX_PAGE, 1, MAX_PAGE), ("offset", 0, 0, MAX_ROWS)):
        text = call.query.get(name, str(default))
        if not text.isdecimal() or not low <= int(text) <= high:
            raise invalid_request(f"The value '{text}' of '{name}' is not valid.", query=name)
        found.append(int(text))
    limit, offset = found
    if offset % limit:
        raise invalid_request("The offset must be a multiple of the limit.", query="offset")
    return limit, offset


def _rows(call: Call, body: dict[str, Any]) -> list[dict[str, str]]:
    text, parameters = body.get("q"), body.get("params", [])
    if not isinstance(text, str) or not isinstance(parameters, list):
        raise invalid_request("The body must hold the query as text in 'q' and an array in 'params'.")
    try:
        return execute(parse(text), parameters, call.store)
    except BadQuery as problem:
        detail = f"Invalid search query. Detailed unprocessed description follows. {problem}."
        raise Refused(error(400, "INVALID_PARAMETER", detail, path="q")) from None
