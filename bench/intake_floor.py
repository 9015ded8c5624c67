"""The floor of intake: a bare script that reads the same pages and inserts the same rows, and nothing else.

No Temporal, no judgement, no models, no look-ups, no heartbeats: one connection, one page after the other,
its answer parsed, its rows (as Fairlead left them) inserted into an empty store by one `executemany` a page.
"""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx

from store.sql.address import sqlite_url
from store.sql.migrate import upgrade

PAGE = 200
FOLLOW_AFTER = 2_000
"""Rows after which the window follows, as the connector's does."""
_INCLUDE = "user,story,workspace,role,active_submission"


def seconds(psa: httpx.AsyncClient, ours: Path, folder: Path) -> tuple[float, int]:
    """How long it takes, and how many rows were inserted. `ours` is the store that Fairlead filled."""
    with closing(sqlite3.connect(ours)) as filled:
        columns = [row[1] for row in filled.execute("PRAGMA table_info(billables)")]
        rows = {row[columns.index("key")]: row for row in filled.execute("SELECT * FROM billables")}
    empty = folder / "floor.db"
    upgrade(sqlite_url(empty))
    statement = f"INSERT INTO billables VALUES ({', '.join('?' * len(columns))})"  # noqa: S608  no input of others
    client = httpx.Client(base_url=psa.base_url, headers=psa.headers, timeout=60, trust_env=False)
    with client, closing(sqlite3.connect(empty)) as store:
        store.execute("PRAGMA journal_mode=WAL")
        store.execute("PRAGMA synchronous=NORMAL")
        started = time.perf_counter()
        inserted = 0
        for page in _pages(client):
            with store:
                found = [rows.pop(key) for id in page if (key := f"kantata:time:{id}") in rows]
                store.executemany(statement, found)
            inserted += len(found)
        return time.perf_counter() - started, inserted


def _pages(client: httpx.Client) -> Iterator[list[str]]:
    """Ids of approved time in order of change, page by page."""
    after, offset = "", 0
    while True:
        params: dict[str, Any] = {
            "approved": "true",
            "include": _INCLUDE,
            "order": "updated_at:asc",
            "from_archived_workspaces": "true",
            "limit": PAGE,
            "offset": offset,
        }
        if after:
            params["updated_after"] = after
        answer = client.get("/kantata/api/v1/time_entries", params=params)
        answer.raise_for_status()
        body = json.loads(answer.content)
        ids = [result["id"] for result in body["results"]]
        yield ids
        if len(ids) < PAGE:
            return
        offset += PAGE
        if offset >= FOLLOW_AFTER:
            after, offset = body["time_entries"][ids[-1]]["updated_at"], 0
