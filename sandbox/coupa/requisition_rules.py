"""What a requisition must be. References are looked up, never created; every refusal is the vendor's 400.

Source: Coupa Core API, requisitions: requester, address and a line are required, line numbers count up by
one, suppliers and users must be active, an account stands in a chart of accounts whose segments have values.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.core.records import Record, RecordStore
from sandbox.coupa import shapes
from sandbox.coupa.errors import invalid, unknown_attribute
from sandbox.coupa.selection import moment

HEADER = frozenset(
    {
        *("requested-by", "requester", "department", "currency", "ship-to-address", "justification"),
        *("external-po-reference", "need-by-date", "buyer-note", "custom-fields", "requisition-lines"),
    }
)
LINE = frozenset(
    {
        *("line-num", "line-type", "description", "quantity", "unit-price", "uom", "currency", "commodity"),
        *("need-by-date", "supplier", "account", "payment-term", "custom-fields"),
    }
)
LONGEST_REFERENCE = 20
NOUN = "requisition"


class Rules:
    """Checks one body and gives the record it becomes."""

    def __init__(self, store: RecordStore) -> None:
        self._store = store

    def header(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The requisition's data, without status. Raises Refused."""
        known(body, HEADER, NOUN)
        problems = [
            f"{words} can't be blank"
            for name, words in (("ship-to-address", "Ship to address"), ("requisition-lines", "Lines"))
            if not body.get(name)
        ]
        if not (body.get("requested-by") or body.get("requester")):
            problems.append("Requested by can't be blank")
        if problems:
            raise invalid(NOUN, problems)
        lines = [self._line(line, number) for number, line in enumerate(body["requisition-lines"], start=1)]
        return {
            "requested-by": self._user(body.get("requested-by") or body["requester"]),
            "ship-to-address": self._one("addresses", body["ship-to-address"], "Ship to address", "name"),
            "currency": self._currency(body.get("currency") or lines[0]["currency"]),
            "justification": body.get("justification"),
            "buyer-note": body.get("buyer-note"),
            "need-by-date": _date(body.get("need-by-date"), required=False),
            "external-po-reference": _reference(body.get("external-po-reference")),
            "reject-reason-comment": None,
            "submitted-at": None,
            "custom-fields": custom(NOUN, body.get("custom-fields")),
            "requisition-lines": lines,
        }

    def _line(self, line: Any, number: int) -> dict[str, Any]:
        if not isinstance(line, Mapping):
            raise invalid(NOUN, [f"line {number} must be an object"])
        known(line, LINE, "requisition-line")
        if line.get("line-num") != number:
            raise invalid(NOUN, [f"Line num must count up by one: {line.get('line-num')} at place {number}"])
        if not line.get("description"):
            raise invalid(NOUN, [f"Description can't be blank (line {number})"])
        kind = line.get("line-type", "RequisitionQuantityLine")
        if kind not in ("RequisitionQuantityLine", "RequisitionAmountLine"):
            raise invalid(NOUN, [f"Line type {kind} is invalid"])
        price = _decimal(line, "unit-price", number)
        quantity = _decimal(line, "quantity", number) if kind == "RequisitionQuantityLine" else None
        if price < 0 or (quantity is not None and quantity <= 0):
            raise invalid(NOUN, [f"Quantity must be above zero and unit price not below (line {number})"])
        currency = self._currency(line.get("currency"))
        commodity = line.get("commodity")
        return {
            "id": self._store.next_number("requisition_lines", 1001),
            "line-num": number,
            "line-type": kind,
            "description": line["description"],
            "quantity": None if quantity is None else shapes.text(quantity),
            "unit-price": shapes.text(price),
            "total": shapes.money(self._store, price * (quantity or 1), currency["code"]),
            "uom": None if quantity is None else self._one("uoms", line.get("uom"), "Uom", "code"),
            "currency": currency,
            "commodity": self._one("commodities", commodity, "Commodity", "name") if commodity else None,
            "need-by-date": _date(line.get("need-by-date"), required=True),
            "supplier": self._supplier(line.get("supplier")),
            "account": self._account(line.get("account")),
            "order-line-id": None,
            "custom-fields": custom("requisition-line", line.get("custom-fields")),
        }

    def _user(self, given: Any) -> dict[str, Any]:
        user = self._found("users", given, "Requested by", ("login", "email"))
        if not user["active"]:
            raise invalid(NOUN, ["Requested by is not active"])
        return {"id": int(user.id), "login": user["login"]}

    def _supplier(self, given: Any) -> dict[str, Any] | None:
        if given is None:
            return None
        found = self._found("suppliers", given, "Supplier", ("number", "name"))
        if found["status"] != "active" or found["on-hold"]:
            raise invalid(NOUN, [f"Supplier {found['name']} is not active or on hold"])
        return {"id": int(found.id), "number": found["number"], "name": found["name"]}

    def _account(self, given: Any) -> dict[str, Any] | None:
        """An account of a dynamic chart: each segment of an existing value; the project is free text."""
        if given is None:
            return None
        if not isinstance(given, Mapping):
            raise invalid(NOUN, ["Account must be an object"])
        chart = self._found("account_types", given.get("account-type"), "Account type", ("name",))
        segments = {name: value for name, value in given.items() if name != "account-type"}
        known(segments, frozenset(chart["segments"]), "account")
        for name, values in chart["segments"].items():
            value = segments.get(name)
            if not value or (values and value not in values):
                raise invalid(NOUN, [f"Account {name} {value or ''} is invalid in {chart['name']}"])
        code = "-".join(str(segments[name]) for name in chart["segments"])
        return {"code": code, **segments, "account-type": {"id": int(chart.id), "name": chart["name"]}}

    def _currency(self, given: Any) -> dict[str, Any]:
        return self._one("currencies", given, "Currency", "code")

    def _one(self, table: str, given: Any, words: str, attribute: str) -> dict[str, Any]:
        found = self._found(table, given, words, (attribute,))
        return {"id": int(found.id), attribute: found[attribute]}

    def _found(self, table: str, given: Any, words: str, attributes: Sequence[str]) -> Record:
        if isinstance(given, Mapping):
            known(given, frozenset({"id", *attributes}), words.lower())
            for row in self._store.rows(table):
                named = given.get("id") == int(row.id)
                if named or any(name in given and given[name] == row[name] for name in attributes):
                    return row
        raise invalid(NOUN, [f"{words} {given if given else ''} is invalid or does not exist"])


def known(given: Mapping[str, Any], names: frozenset[str], noun: str) -> None:
    """Refuse what an object does not have."""
    for name in given:
        if name not in names:
            raise unknown_attribute(noun, name)


def custom(noun: str, given: Any) -> dict[str, Any]:
    """Custom fields that exist, as text. Raises Refused."""
    if given is None:
        return shapes.custom(noun, {})
    if not isinstance(given, Mapping):
        raise invalid(noun, ["custom-fields must be an object"])
    known(given, frozenset(shapes.CUSTOM_FIELDS[noun]), noun)
    if any(
        value is not None and (not isinstance(value, str) or len(value) > 255) for value in given.values()
    ):
        raise invalid(noun, ["a custom field holds text of at most 255 characters"])
    return shapes.custom(noun, dict(given))


def _decimal(line: Mapping[str, Any], name: str, number: int) -> Decimal:
    given = line.get(name)
    try:
        found = Decimal(str(given))
        if isinstance(given, bool) or not found.is_finite():
            raise InvalidOperation
    except InvalidOperation:
        raise invalid(NOUN, [f"{name} {given} is not a number (line {number})"]) from None
    return found


def _date(given: Any, *, required: bool) -> str | None:
    if given is None and not required:
        return None
    found = moment(given)
    if found is None:
        raise invalid(NOUN, [f"Need by date {given or ''} is invalid"])
    return found.isoformat()


def _reference(given: Any) -> str | None:
    if given is not None and (not isinstance(given, str) or not 0 < len(given) <= LONGEST_REFERENCE):
        raise invalid(NOUN, [f"External po reference is too long (at most {LONGEST_REFERENCE} characters)"])
    return given
