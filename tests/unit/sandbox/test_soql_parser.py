"""SOQL text to tree: what is understood, and that the rest is refused at the right place."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from sandbox.salesforce.soql_lexer import SoqlError
from sandbox.salesforce.soql_parser import Comparison, Group, Not, parse


def test_a_statement_with_all_parts() -> None:
    query = parse(
        "select Id, Account.Name, (SELECT Id FROM OpportunityLineItems ORDER BY SortOrder) from Opportunity"
        " WHERE IsWon = true AND (Amount >= 10.50 OR CloseDate < 2026-11-23)"
        " ORDER BY Amount DESC NULLS FIRST, Id LIMIT 5 OFFSET 2"
    )
    assert [path.parts for path in query.fields] == [("Id",), ("Account", "Name")]
    assert query.children[0].source == "OpportunityLineItems"
    assert query.limit == 5
    assert query.offset == 2
    assert [(o.path.parts, o.descending, o.nulls_first) for o in query.orders] == [
        (("Amount",), True, True),
        (("Id",), False, True),
    ]
    assert isinstance(query.where, Group)
    inner = query.where.conditions[1]
    assert isinstance(inner, Group)
    assert inner.joined_by == "OR"
    amounts = [part.literals[0].value for part in inner.conditions if isinstance(part, Comparison)]
    assert amounts == [Decimal("10.50"), date(2026, 11, 23)]


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        (r"'O\'Neil \\ Co'", "O'Neil \\ Co"),
        ("''", ""),
        ("2026-11-23T06:00:00Z", datetime(2026, 11, 23, 6, tzinfo=UTC)),
        ("2026-11-23T06:00:00.000+02:00", datetime(2026, 11, 23, 4, tzinfo=UTC)),
        ("-3", Decimal(-3)),
        ("NULL", None),
        ("True", True),
    ],
)
def test_literals(literal: str, value: object) -> None:
    where = parse(f"SELECT Id FROM Account WHERE Name = {literal}").where  # noqa: S608
    assert isinstance(where, Comparison)
    assert where.literals[0].value == value


def test_not_in_like_and_not() -> None:
    where = parse("SELECT Id FROM A WHERE NOT Name LIKE 'a%' AND Type NOT IN ('x', 'y')").where
    assert isinstance(where, Group)
    assert isinstance(where.conditions[0], Not)
    second = where.conditions[1]
    assert isinstance(second, Comparison)
    assert second.operator == "NOT IN"
    assert [literal.value for literal in second.literals] == ["x", "y"]


@pytest.mark.parametrize(
    ("statement", "at"),
    [
        ("SELECT Id, FROM Account", 11),
        ("SELECT Id Account", 10),
        ("SELECT Id FROM Account WHERE", 28),
        ("SELECT Id FROM Account WHERE A = 1 AND B = 2 OR C = 3", 45),  # AND with OR needs parentheses
        ("SELECT Id FROM Account WHERE Name = 'open", 36),
        ("SELECT Id FROM Account LIMIT -1", 29),
        ("SELECT Id FROM Account WHERE A IN ()", 35),
        ("SELECT Id FROM Account WHERE A == 1", 32),
        ("SELECT Id FROM Account WHERE A = 2026-13-01", 33),
        ("SELECT Id FROM Account WHERE A = 2026-11-23T06:00:00", 33),
        ("SELECT Id FROM Account; DROP", 22),
        ("SELECT (SELECT (SELECT Id FROM C) FROM B) FROM A", 16),
        ("DELETE FROM Account", 0),
        ("", 0),
    ],
)
def test_what_it_does_not_understand_is_refused_where_it_stands(statement: str, at: int) -> None:
    with pytest.raises(SoqlError) as refusal:
        parse(statement)
    assert (refusal.value.code, refusal.value.at) == ("MALFORMED_QUERY", at)
