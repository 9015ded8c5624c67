"""Values on the way in (checked against the schema) and on the way out (as Salesforce writes them)."""

from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.core import clock
from sandbox.core.call import Refused
from sandbox.salesforce.errors import refuse
from sandbox.salesforce.objects import COUNTRIES
from sandbox.salesforce.schema import NUMERIC, TEXTUAL, Field, SObject

_JSON_TOKENS = {
    bool: "VALUE_BOOLEAN",
    int: "VALUE_NUMBER_INT",
    Decimal: "VALUE_NUMBER_FLOAT",
    str: "VALUE_STRING",
}
_JSON_TOKENS |= {list: "START_ARRAY", dict: "START_OBJECT"}


def checked(sobject: SObject, field: Field, value: Any) -> Any:
    """The value as stored. Raises Refused with Salesforce's error for a wrong type or length."""
    if value is None or value == "":
        return False if field.type == "boolean" else None
    if field.type in TEXTUAL:
        return _text(sobject, field, value)
    if field.type in NUMERIC:
        return _number(field, value)
    if field.type == "date":
        return _date(field, value)
    if isinstance(value, {"boolean": bool, "reference": str}.get(field.type, type(None))):
        return value
    raise _wrong_type(field, value)


def _text(sobject: SObject, field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong_type(field, value)
    if len(value) > field.length:
        shown = f"{field.name}: data value too large: {value[:80]} (max length={field.length})"
        raise refuse("STRING_TOO_LONG", shown, [field.name])
    if field.restricted and value not in field.values:
        message = f"{field.name}: bad value for restricted picklist field: {value}"
        raise refuse("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, [field.name])
    if field.name.endswith("CountryCode") and value not in COUNTRIES:
        message = "There's a problem with this country, even though it may appear correct. Please select a"
        message += f" country/territory from the list of valid countries.: {sobject.name} {field.name}"
        raise refuse("FIELD_INTEGRITY_EXCEPTION", message, [field.name])
    if field.type == "email" and ("@" not in value or " " in value):
        raise refuse("INVALID_EMAIL_ADDRESS", f"{field.name}: invalid email address: {value}", [field.name])
    return value


def _number(field: Field, value: Any) -> Decimal | int:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise _wrong_type(field, value)
    exact = Decimal(value)
    if abs(exact) >= Decimal(10) ** (18 - field.scale):
        message = f"{field.name}: value outside of valid range on numeric field: {value}"
        raise refuse("NUMBER_OUTSIDE_VALID_RANGE", message, [field.name])
    if field.type == "int":
        if exact != exact.to_integral_value():
            raise _wrong_type(field, value)
        return int(exact)
    return exact.quantize(Decimal(1).scaleb(-field.scale), ROUND_HALF_UP)


def _date(field: Field, value: Any) -> str:
    if isinstance(value, str) and len(value) == 10:
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError:
            raise _wrong_type(field, value) from None
    raise _wrong_type(field, value)


def _wrong_type(field: Field, value: Any) -> Refused:
    token = _JSON_TOKENS.get(type(value), "VALUE")
    shown = f" value {value}" if isinstance(value, str | int | Decimal) else ""
    message = f"Cannot deserialize instance of {field.type} from {token}{shown} or request may be missing a"
    return refuse("JSON_PARSER_ERROR", f"{message} required field at {field.name}")


def stamp(at: float) -> str:
    """A datetime as Salesforce writes it: whole seconds, `+0000`."""
    return clock.utc(at).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def http_date(text: str) -> float | None:
    """The stamp of an HTTP date header, or None where it is none."""
    try:
        return datetime.strptime(text, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
