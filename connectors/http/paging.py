"""Walking through pages: how the next page is asked for is a small object, the walk itself is one loop.

    request = PageRequest("/workspaces", {"order": "created_at:asc"})
    async for row in walk(http, request, PageNumber(size=200), operation="list projects",
                          items=rows_of, identity=lambda row: row["id"]):
        ...

Rows move while one pages: with `identity` a row seen twice is given once. A row that slips *back* over a
page border is only safe with `Keyset`, or with an `overlap` in `OffsetPages`.
"""

from collections.abc import AsyncIterator, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from connectors.errors import Rejected
from connectors.http.transport import VendorHttp

MAX_PAGES = 100_000
"""A walk beyond this is a vendor's loop, not data."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """One request for a page; `json` is the body of vendors that page by POST (SuiteQL)."""

    path: str
    params: Mapping[str, str | int] = field(default_factory=dict)
    method: str = "GET"
    json: Any = None

    def with_params(self, **params: str | int) -> "PageRequest":
        return replace(self, params={**self.params, **params})


class Paging(Protocol):
    """How a vendor pages."""

    def first(self, request: PageRequest) -> PageRequest:
        """The request of the first page."""

    def following(self, request: PageRequest, body: Any, rows: Sequence[Any]) -> PageRequest | None:
        """The request after `request`, which was answered by `body` with `rows`; None at the end."""


@dataclass(frozen=True, slots=True)
class NextLink:
    """The answer names the next page: `next_of(body)` gives its path or URL, or None."""

    next_of: Callable[[Any], str | None]

    def first(self, request: PageRequest) -> PageRequest:
        return request

    def following(self, request: PageRequest, body: Any, rows: Sequence[Any]) -> PageRequest | None:
        link = self.next_of(body)
        return PageRequest(link, {}, request.method, request.json) if link else None


@dataclass(frozen=True, slots=True)
class PageNumber:
    """Pages are numbered. `last_of(body)` gives the last page's number, where the vendor says it."""

    size: int
    number_param: str = "page"
    size_param: str = "per_page"
    start: int = 1
    last_of: Callable[[Any], int | None] = lambda body: None

    def first(self, request: PageRequest) -> PageRequest:
        return request.with_params(**{self.number_param: self.start, self.size_param: self.size})

    def following(self, request: PageRequest, body: Any, rows: Sequence[Any]) -> PageRequest | None:
        number, last = int(request.params[self.number_param]), self.last_of(body)
        ended = not rows or (len(rows) < self.size if last is None else number >= last)
        return None if ended else request.with_params(**{self.number_param: number + 1})


@dataclass(frozen=True, slots=True)
class OffsetPages:
    """Pages by offset; `more_of(body)` says whether more follows, where the vendor does.

    `overlap` rows are read again on each page, so that up to that many rows removed meanwhile hide none.
    The offset advances by the rows received, since a server may clamp the page size.
    """

    size: int
    offset_param: str = "offset"
    size_param: str = "limit"
    overlap: int = 0
    more_of: Callable[[Any], bool | None] = lambda body: None

    def __post_init__(self) -> None:
        if not 0 <= self.overlap < self.size:
            raise ValueError(f"an overlap of {self.overlap} rows does not fit pages of {self.size}")

    def first(self, request: PageRequest) -> PageRequest:
        return request.with_params(**{self.offset_param: 0, self.size_param: self.size})

    def following(self, request: PageRequest, body: Any, rows: Sequence[Any]) -> PageRequest | None:
        more = self.more_of(body)
        ended = len(rows) < self.size if more is None else not more
        step = len(rows) - self.overlap
        if ended or step <= 0:
            return None
        return request.with_params(**{self.offset_param: int(request.params[self.offset_param]) + step})


@dataclass(frozen=True, slots=True)
class Keyset:
    """Each page asks for rows after the last one seen: nothing is skipped however rows move.

    `after(request, row)` builds the request for rows behind `row` in a unique, ascending order.
    """

    size: int
    after: Callable[[PageRequest, Any], PageRequest]

    def first(self, request: PageRequest) -> PageRequest:
        return request

    def following(self, request: PageRequest, body: Any, rows: Sequence[Any]) -> PageRequest | None:
        return None if len(rows) < self.size else self.after(request, rows[-1])


async def walk(
    http: VendorHttp,
    request: PageRequest,
    paging: Paging,
    *,
    operation: str,
    items: Callable[[Any], Sequence[Any]],
    identity: Callable[[Any], Hashable] | None = None,
    headers: Mapping[str, str] | None = None,
) -> AsyncIterator[Any]:
    """Every row of every page, once per `identity`. Pages are fetched only as rows are taken.

    Raises what `VendorHttp.call` raises, and `Rejected` when the pages do not advance.
    """
    seen: set[Hashable] = set()
    page: PageRequest | None = paging.first(request)
    for _ in range(MAX_PAGES):
        if page is None:
            return
        answer = await http.call(
            page.method,
            page.path,
            operation=operation,
            write=False,
            params=page.params or None,
            json=page.json,
            headers=headers,
        )
        rows = items(answer.body)
        for row in rows:
            key = identity(row) if identity else None
            if identity is None or key not in seen:
                seen.add(key)
                yield row
        following = paging.following(page, answer.body, rows)
        if following == page:
            break
        page = following
    raise Rejected(
        f"{http.system}: {operation}: the pages do not advance (at {page.path if page else request.path})",
        system=http.system,
        operation=operation,
        rule="paging.stuck",
    )
