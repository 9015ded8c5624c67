"""Walking through pages while rows move."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from connectors.errors import Rejected
from connectors.http import exact_json
from connectors.http.auth import StaticBearer
from connectors.http.paging import Keyset, NextLink, OffsetPages, PageNumber, PageRequest, Paging, walk
from connectors.http.resolution import Resolution
from connectors.http.transport import VendorHttp


class Rows:
    """A list of ids served in any of the ways vendors page; `between` changes it after each page."""

    def __init__(
        self, count: int, between: Callable[[list[int], int], None] = lambda rows, page: None
    ) -> None:
        self.rows = list(range(1, count + 1))
        self.between = between
        self.pages = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        query = {name: int(value) for name, value in request.url.params.items()}
        if request.content:
            query |= exact_json.decode(request.content)
        if "after" in query:
            found = [row for row in self.rows if row > query["after"]][: query["limit"]]
        else:
            size = query.get("limit") or query["per_page"]
            start = query["offset"] if "offset" in query else (query["page"] - 1) * size
            found = self.rows[start : start + size]
        answer = httpx.Response(200, json={"rows": found, "total": len(self.rows)})
        self.pages += 1
        self.between(self.rows, self.pages)
        return answer


async def ids(
    server: Any, paging: Paging, request: PageRequest | None = None, once: bool = True
) -> list[int]:
    http = VendorHttp(
        system="acme",
        base_url="https://api.acme.example",
        auth=StaticBearer("a-token-of-some-length"),
        table=Resolution("acme", lambda status, body: [], ()),
        transport=httpx.MockTransport(server),
    )
    rows = walk(
        http,
        request or PageRequest("/rows", {}),
        paging,
        operation="list rows",
        items=lambda body: body["rows"],
        identity=(lambda row: row) if once else None,
    )
    return [row async for row in rows]


@pytest.mark.parametrize("count", [0, 1, 3, 6, 7])
async def test_every_row_comes_once_in_every_way(count: int) -> None:
    expected = list(range(1, count + 1))
    assert await ids(Rows(count), PageNumber(size=3)) == expected
    assert await ids(Rows(count), OffsetPages(size=3)) == expected
    assert await ids(Rows(count), keyset(), PageRequest("/rows", {"after": 0, "limit": 3})) == expected


def keyset() -> Keyset:
    return Keyset(3, lambda request, row: request.with_params(after=row))


def inserted_first(rows: list[int], page: int) -> None:
    if page == 1:
        rows.insert(0, 99)


def removed_first(rows: list[int], page: int) -> None:
    if page == 1:
        rows.pop(0)


async def test_a_row_pushed_over_the_border_comes_once() -> None:
    assert await ids(Rows(7, inserted_first), PageNumber(size=3)) == [1, 2, 3, 4, 5, 6, 7]
    assert await ids(Rows(7, inserted_first), PageNumber(size=3), once=False) == [1, 2, 3, 3, 4, 5, 6, 7]


async def test_a_row_that_slips_back_needs_overlap_or_keyset() -> None:
    assert 4 not in await ids(Rows(7, removed_first), OffsetPages(size=3))
    assert 4 in await ids(Rows(7, removed_first), OffsetPages(size=3, overlap=1))
    assert 4 in await ids(Rows(7, removed_first), keyset(), PageRequest("/rows", {"after": 0, "limit": 3}))


async def test_the_vendor_may_say_which_page_is_the_last() -> None:
    server = Rows(6)
    assert await ids(server, PageNumber(size=3, last_of=lambda body: 2)) == [1, 2, 3, 4, 5, 6]
    assert server.pages == 2, "and no empty page is asked for"


async def test_a_clamped_page_size_skips_nothing() -> None:
    class Clamped(Rows):
        def __call__(self, request: httpx.Request) -> httpx.Response:
            offset = int(request.url.params["offset"])
            return httpx.Response(200, json={"rows": self.rows[offset : offset + 2], "total": len(self.rows)})

    def more(rows: int) -> OffsetPages:
        seen: list[int] = []

        def more_of(body: Any) -> bool:
            seen.extend(body["rows"])
            return len(seen) < rows

        return OffsetPages(size=3, more_of=more_of)

    assert await ids(Clamped(7), more(7)) == [1, 2, 3, 4, 5, 6, 7]


async def test_the_answer_may_name_the_next_page() -> None:
    pages = {
        "/rows": {"rows": [1, 2], "next": "/rows/b"},
        "/rows/b": {"rows": [3], "next": "https://api.acme.example/rows/c"},
        "/rows/c": {"rows": [4], "next": None},
    }

    def server(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=pages[request.url.path])

    assert await ids(server, NextLink(lambda body: body["next"])) == [1, 2, 3, 4]


async def test_a_page_that_names_itself_is_stuck() -> None:
    def server(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"rows": [1], "next": "/rows"})

    with pytest.raises(Rejected, match="do not advance"):
        await ids(server, NextLink(lambda body: body["next"]))


async def test_paging_by_post_keeps_its_body() -> None:
    request = PageRequest("/query", {}, method="POST", json={"after": 0, "limit": 2})

    def after(request: PageRequest, row: int) -> PageRequest:
        return PageRequest(request.path, {}, "POST", {"after": row, "limit": 2})

    assert await ids(Rows(5), Keyset(2, after), request) == [1, 2, 3, 4, 5]


def test_an_overlap_larger_than_a_page_is_refused() -> None:
    with pytest.raises(ValueError, match="overlap"):
        OffsetPages(size=3, overlap=3)
