"""The table: rows of data, first match wins; and the texts that leave it."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import Field

from connectors.errors import Ambiguous, ConnectorError, PeriodClosed, Rejected, Throttled, Transient
from connectors.http import exact_json
from connectors.http.quota import InFlight
from connectors.http.redaction import MAX_CHARACTERS, redact
from connectors.http.resolution import Problem, Refusal, Resolution, Row
from connectors.http.shapes import VendorShape, read_as

ROWS = (
    Row(PeriodClosed, "the period is closed: {text}", code="USER_ERROR", text="period CLOSED"),
    Row(Rejected, "refused {field}: {text}", code=("USER_ERROR", "INVALID"), rule="vendor.validation"),
    Row(Throttled, "slow down", status=(429, 430)),
    Row(Transient, "maintenance, nothing is taken", status=503, not_applied=True),
    Row(Rejected, "writes are off", status=418, write=True),
)


def explain(status: int, body: Any) -> list[Problem]:
    return [Problem(*entry) for entry in body] if isinstance(body, list) else []


def error_of(status: int, body: Any = None, write: bool = False) -> ConnectorError:
    return Resolution("acme", explain, ROWS).error_of(Refusal("post it", status, body, write))


@pytest.mark.parametrize(
    ("status", "problems", "write", "error"),
    [
        (400, [("USER_ERROR", "The Period closed in May", "")], True, PeriodClosed),
        (400, [("USER_ERROR", "no such item", "item")], True, Rejected),
        (400, [("OTHER", "x", ""), ("INVALID", "y", "z")], True, Rejected),
        (430, [], False, Throttled),
        (503, [], True, Transient),
        (502, [], True, Ambiguous),
        (502, [], False, Transient),
        (418, [], True, Rejected),
        (799, [], False, Rejected),
    ],
)
def test_the_first_matching_row_decides(
    status: int, problems: list[tuple[str, str, str]], write: bool, error: type[ConnectorError]
) -> None:
    assert type(error_of(status, problems, write)) is error


def test_the_error_has_words_field_code_and_rule() -> None:
    error = error_of(400, [("OTHER", "x", ""), ("INVALID", "too {long}", "name")])
    assert str(error) == "acme: post it: refused name: too {long}"
    assert (error.code, error.field, error.rule, error.status) == (
        "INVALID",
        "name",
        "vendor.validation",
        400,
    )


def test_json_is_exact_both_ways() -> None:
    text = b'{"a":0.1,"b":1e2,"c":9007199254740993,"d":"x"}'
    value = exact_json.decode(text)
    assert value == {"a": Decimal("0.1"), "b": Decimal("1E+2"), "c": 9007199254740993, "d": "x"}
    assert exact_json.encode({"a": Decimal("0.10"), "b": Decimal("1E+2"), "c": [date(2026, 11, 23)]}) == (
        b'{"a":0.10,"b":100,"c":["2026-11-23"]}'
    )
    stamp = datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert (
        exact_json.encode([stamp, None, True, "ü"]) == '["2026-11-23T08:00:00+00:00",null,true,"ü"]'.encode()
    )


@pytest.mark.parametrize("text", ['{"a": NaN}', '{"a": Infinity}', "{", "", b"\xff", "[" * 100_000])
def test_what_is_not_json_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError, match="not exact JSON"):
        exact_json.decode(text)


def test_a_float_is_refused_with_its_place() -> None:
    with pytest.raises(TypeError, match=r"\$\.lines\[1\]\.amount is the float 0\.1"):
        exact_json.encode({"lines": [{}, {"amount": 0.1}]})
    with pytest.raises(ValueError, match="NaN"):
        exact_json.encode({"amount": Decimal("NaN")})


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer canary-1234567890",
        "Basic canary+/1234567890==",
        '{"access_token": "canary-1234567890", "x": 1}',
        '{"client_secret":"canary-1234567890"}',
        "client_secret=canary-1234567890&grant_type=x",
        "assertion=canary-1234567890",
        "the known one: canary-known",
        "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----\ncanary and cut off",
        "eyJhbGciOiJSUzI1NiJ9.canary1234.canary5678",
    ],
)
def test_no_credential_survives_redaction(text: str) -> None:
    shown = redact(f"before {text} after", ["canary-known"])
    assert "canary" not in shown
    assert shown.startswith("before ")


def test_plain_words_survive_redaction() -> None:
    text = "Basic terms: the assertion failed, password too short, Bearer of news"
    assert redact(text, ["", "abc"]) == text


def test_long_texts_are_cut() -> None:
    shown = redact("x" * 20_000)
    assert len(shown) == MAX_CHARACTERS
    assert shown.endswith("[truncated]")


class Thing(VendorShape):
    id: str
    count: int = Field(alias="itemCount")


def test_drift_is_named_by_system_object_and_field() -> None:
    with pytest.raises(Rejected, match=r"acme: read thing: .*Thing\.itemCount") as missing:
        read_as(Thing, {"id": "1", "news": 1}, system="acme", thing="Thing", operation="read thing")
    assert (missing.value.field, missing.value.rule) == ("Thing.itemCount", "schema.missing_field")
    with pytest.raises(Rejected) as changed:
        read_as(Thing, {"id": "1", "itemCount": "many"}, system="acme", thing="Thing", operation="read thing")
    assert changed.value.rule == "schema.changed_field"


def test_drift_after_a_write_is_ambiguous() -> None:
    with pytest.raises(Ambiguous, match=r"Thing\.\(the whole answer\)|Thing"):
        read_as(Thing, None, system="acme", thing="Thing", operation="create thing", write=True)


def test_unknown_fields_are_ignored() -> None:
    data = {"id": "1", "itemCount": 2, "surprise": {}}
    assert read_as(Thing, data, system="acme", thing="Thing", operation="x").count == 2


def test_a_negative_cap_is_refused() -> None:
    with pytest.raises(ValueError, match="in flight"):
        InFlight(-1)
