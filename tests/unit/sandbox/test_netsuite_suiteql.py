"""SuiteQL of the emulated account: grammar, nulls, types, paging."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sandbox.netsuite.suiteql.parser import parse
from sandbox.netsuite.suiteql.tokens import BadQuery
from sandbox.netsuite.suiteql.tree import Junction, Membership, Negation
from tests.unit.sandbox.netsuite_account import RECORD, TAX_ID, Account


@pytest.fixture
async def account(tmp_path: Path) -> AsyncIterator[Account]:
    account = Account(tmp_path)
    yield account
    await account.close()


def test_and_binds_tighter_than_or() -> None:
    where = parse("SELECT id FROM customer WHERE id = 1 OR id = 2 AND NOT id IN (3, ?)").where
    assert isinstance(where, Junction)
    assert where.operator == "OR"
    second = where.parts[1]
    assert isinstance(second, Junction)
    assert (second.operator, type(second.parts[1])) == ("AND", Negation)
    assert isinstance(second.parts[1].part, Membership)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT FROM customer", "expected a name at position 8"),
        ("SELECT id customer", "expected FROM"),
        ("SELECT id FROM customer WHERE", "expected a name at position 30, found the end"),
        ("SELECT id FROM customer WHERE id ~ 3", "unexpected character '~' at position 34"),
        ("SELECT id FROM customer WHERE id BETWEEN 1", "expected a comparison"),
        ("SELECT id FROM customer ORDER id", "expected BY"),
        ("SELECT id FROM customer; DELETE", "unexpected character ';'"),
        ("DELETE FROM customer", "expected SELECT"),
        ("SELECT AVG(id) FROM customer", "unknown function AVG"),
        ("SELECT UPPER(id, 2) FROM customer", "UPPER takes 1 argument"),
    ],
)
def test_what_is_not_understood_is_named(query: str, words: str) -> None:
    with pytest.raises(BadQuery) as problem:
        parse(query)
    assert words in str(problem.value)


async def test_values_are_text_and_nulls_are_left_out(account: Account) -> None:
    rows = await account.rows("SELECT * FROM customer WHERE companyname = ?", "Alpha Werke")
    assert rows[0]["isinactive"] == "F"
    assert rows[0]["defaulttaxreg"] == TAX_ID
    assert rows[0]["balance"] == "0"
    assert "externalid" not in rows[0]
    assert "comments" not in rows[0]


async def test_joins_follow_references(account: Account) -> None:
    inner = "SELECT c.id, s.externalid AS entity FROM customer c JOIN subsidiary s ON s.id = c.subsidiary"
    assert {row["entity"] for row in await account.rows(inner)} == {"sub-DE01"}
    account.by_hand("customer", account.id_of("customer", "companyName", "Alpha Werke"), {"terms": None})
    left = "SELECT c.companyname, t.name FROM customer c LEFT JOIN term t ON c.terms = t.id ORDER BY c.id"
    rows = await account.rows(left)
    assert rows[0] == {"companyname": "Alpha Werke"}
    assert rows[1]["name"] == "Net 30"
    assert len(await account.rows(left.replace("LEFT JOIN", "INNER JOIN"))) == 2


@pytest.mark.parametrize(
    ("where", "params", "names"),
    [
        ("companyname LIKE 'Beta%'", [], ["Beta Werke", "Beta Werke (old)"]),
        ("companyname LIKE ?", ["_lpha%"], ["Alpha Werke"]),
        ("companyname NOT LIKE 'Beta%'", [], ["Alpha Werke"]),
        ("UPPER(companyname) = ?", ["ALPHA WERKE"], ["Alpha Werke"]),
        ("defaulttaxreg IN (?, ?)", [TAX_ID, "x"], ["Alpha Werke"]),
        ("externalid IS NULL AND isinactive = 'T'", [], []),
        ("externalid IS NOT NULL", [], []),
        ("externalid <> 'x'", [], []),
        ("NOT (externalid = 'x')", [], []),
        (
            "(id = ? OR id > ?) AND creditlimit >= 10000000",
            ["1001", 1002],
            ["Alpha Werke", "Beta Werke (old)"],
        ),
        ("companyname = 'It''s'", [], []),
    ],
)
async def test_conditions(account: Account, where: str, params: list[Any], names: list[str]) -> None:
    query = "SELECT companyname FROM customer WHERE " + where + " ORDER BY id"  # noqa: S608  test data
    rows = await account.rows(query, *params)
    assert [row["companyname"] for row in rows] == names


async def test_dates_follow_the_users_format_unless_written_out(account: Account) -> None:
    query = (
        "SELECT startdate, TO_CHAR(startdate, 'YYYY-MM-DD') AS iso FROM accountingperiod"
        " WHERE isyear = 'F' AND isquarter = 'F' AND closed = 'F'"
        " AND startdate >= TO_DATE(?, 'YYYY-MM-DD') AND enddate <= TO_DATE(?, 'YYYY-MM-DD')"
    )
    rows = await account.rows(query, "2026-11-15", "2026-12-31")
    assert rows == [{"startdate": "12/01/2026", "iso": "2026-12-01"}]


async def test_display_names_and_distinct(account: Account) -> None:
    query = "SELECT DISTINCT BUILTIN.DF(currency) AS currency FROM customer"
    assert await account.rows(query) == [{"currency": "Euro"}]


async def test_order_puts_nulls_last_and_numbers_by_size(account: Account) -> None:
    await account.call("PATCH", f"{RECORD}/customer/1001", {"creditLimit": 9})
    await account.call("PATCH", f"{RECORD}/customer/1002", {"creditLimit": None})
    rows = await account.rows("SELECT id FROM customer ORDER BY creditlimit, id")
    assert [row["id"] for row in rows] == ["1001", "1003", "1002"]


async def test_pages_by_offset_and_by_key(account: Account) -> None:
    first = (await account.suiteql("SELECT id FROM customer ORDER BY id", limit="2")).json()
    assert (first["count"], first["hasMore"], first["totalResults"]) == (2, True, 3)
    second = await account.suiteql("SELECT id FROM customer ORDER BY id", limit="2", offset="2")
    assert second.json()["hasMore"] is False
    by_key = await account.rows("SELECT id FROM customer WHERE id > ? ORDER BY id", "1002")
    assert by_key == [{"id": "1003"}]


@pytest.mark.parametrize(
    ("query", "params"),
    [
        ("SELECT id FROM unheard", []),
        ("SELECT nothing FROM customer", []),
        ("SELECT id FROM customer c JOIN term t ON t.id = c.terms", []),
        ("SELECT c.id FROM customer c JOIN term t ON c.id = c.terms", []),
        ("SELECT id FROM customer WHERE id = ?", []),
        ("SELECT id FROM customer WHERE id = ?", [[1]]),
        ("SELECT id FROM accountingperiod WHERE startdate > '2026-01-01'", []),
    ],
)
async def test_bad_queries_are_refused(account: Account, query: str, params: list[Any]) -> None:
    answer = await account.suiteql(query, *params)
    assert answer.status_code == 400
    assert "Invalid search query" in answer.json()["o:errorDetails"][0]["detail"]


@pytest.mark.parametrize("headers", [{}, {"Prefer": "respond-async"}])
async def test_the_preference_is_required(account: Account, headers: dict[str, str]) -> None:
    body = {"q": "SELECT id FROM customer"}
    answer = await account.call("POST", "/services/rest/query/v1/suiteql", body, headers)
    assert answer.json()["o:errorDetails"][0]["o:errorHeader"] == "Prefer"


async def test_limits_of_a_page(account: Account) -> None:
    for paging in ({"limit": "1001"}, {"limit": "0"}, {"limit": "2", "offset": "3"}, {"limit": "x"}):
        assert (await account.suiteql("SELECT id FROM customer", **paging)).status_code == 400


# ---- groups


GROUPED = "SELECT c.companyname AS name, COUNT(*) AS many FROM customer c GROUP BY c.companyname"


async def test_rows_are_added_up_per_group(account: Account) -> None:
    await account.call("PATCH", f"{RECORD}/customer/1001", {"creditLimit": None})
    await account.call("PATCH", f"{RECORD}/customer/1002", {"creditLimit": Decimal("0.1")})
    await account.call("PATCH", f"{RECORD}/customer/1003", {"creditLimit": Decimal("0.2")})
    query = (
        "SELECT subsidiary, SUM(creditlimit) AS total, COUNT(creditlimit) AS known, COUNT(*) AS rows_,"
        " MIN(companyname) AS first, MAX(id) AS last FROM customer GROUP BY subsidiary"
    )
    (row,) = await account.rows(query)
    assert row["subsidiary"] == account.id_of("subsidiary", "externalId", "sub-DE01")
    assert (row["total"], row["known"], row["rows_"]) == ("0.3", "2", "3")
    assert (row["first"], row["last"]) == ("Alpha Werke", "1003")


async def test_without_group_by_all_rows_are_one_group(account: Account) -> None:
    assert await account.rows("SELECT COUNT(*) AS n, SUM(balance) AS b FROM customer WHERE id = 0") == [
        {"n": "0"}
    ]


async def test_groups_are_ordered_by_what_they_add_up_to(account: Account) -> None:
    rows = await account.rows(f"{GROUPED} ORDER BY COUNT(*), c.companyname DESC")
    assert [row["name"] for row in rows] == ["Beta Werke (old)", "Beta Werke", "Alpha Werke"]
    terms = "SELECT UPPER(name) AS shout, COUNT(*) AS n FROM term t GROUP BY t.name ORDER BY t.name"
    assert [row["shout"] for row in await account.rows(terms)] == ["NET 30", "NET 60"]


async def test_a_join_may_compare_two_pairs_of_columns(account: Account) -> None:
    query = (
        "SELECT a.id FROM customer a JOIN customer b ON b.id = a.id AND b.subsidiary = a.subsidiary"
        " WHERE a.companyname LIKE 'Beta%' ORDER BY a.id"
    )
    assert [row["id"] for row in await account.rows(query)] == ["1002", "1003"]
    never = query.replace("b.subsidiary = a.subsidiary", "b.externalid = a.externalid")
    assert await account.rows(never) == [], "null equals nothing, not even null"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT companyname, COUNT(*) FROM customer", "must be an aggregate or stand in GROUP BY"),
        ("SELECT id FROM customer GROUP BY companyname", "must be an aggregate or stand in GROUP BY"),
        (f"{GROUPED} ORDER BY c.id", "must be an aggregate or stand in GROUP BY"),
        ("SELECT SUM(companyname) FROM customer", "SUM takes numbers"),
        ("SELECT id FROM customer WHERE SUM(id) > 1", "not allowed in WHERE"),
        ("SELECT SUM(MAX(id)) FROM customer", "of another aggregate"),
        ("SELECT id FROM customer ORDER BY SUM(id)", "needs a group"),
        ("SELECT SUM(*) FROM customer", "expected a name"),
        ("SELECT COUNT(*) FROM customer GROUP companyname", "expected BY"),
    ],
)
async def test_groups_that_make_no_sense_are_refused(account: Account, query: str, words: str) -> None:
    answer = await account.suiteql(query)
    assert answer.status_code == 400
    assert words in answer.json()["o:errorDetails"][0]["detail"]
