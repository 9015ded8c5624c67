"""Column types: times stay aware and exact, JSON keeps its digits, on both kinds of database."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from sqlalchemy import Column, MetaData, Table, create_engine, insert, select
from sqlalchemy.dialects import postgresql

from store.sql.types import ExactJson, UtcDateTime

INSTANT = datetime(2026, 3, 2, 23, 59, 59, 999999, tzinfo=timezone(timedelta(hours=-5)))


def test_round_trip_on_sqlite():
    table = Table("t", MetaData(), Column("at", UtcDateTime), Column("body", ExactJson))
    engine = create_engine("sqlite://")
    body = {"rate": Decimal("1.10"), "big": Decimal("12345678901234567890.123456789"), "text": "ä€"}
    with engine.begin() as connection:
        table.create(connection)
        connection.execute(insert(table), [{"at": INSTANT, "body": body}, {"at": None, "body": None}])
        (first, second) = connection.execute(select(table)).all()
    engine.dispose()
    assert first.at == INSTANT
    assert first.at.tzinfo is UTC
    assert first.body == body
    assert str(first.body["rate"]) == "1.10"
    assert tuple(second) == (None, None)


def test_a_database_with_time_zones_answers_in_utc_too():
    dialect = postgresql.dialect()
    assert UtcDateTime().process_result_value(INSTANT, dialect) == INSTANT
    read = UtcDateTime().process_result_value(INSTANT, dialect)
    assert read is not None
    assert read.tzinfo is UTC
    assert "WITH TIME ZONE" in str(UtcDateTime().compile(dialect=dialect))


def test_naive_time_is_refused():
    with pytest.raises(ValueError, match="2026-03-02T12:00:00 has no time zone"):
        UtcDateTime().process_bind_param(datetime(2026, 3, 2, 12), postgresql.dialect())  # noqa: DTZ001
