"""Corrections: what a person may set right in a deal while its process waits, by canonical path.

A correction changes what Fairlead goes on with; the source is corrected by its owner. A line is named by
its number, `lines[2].amount`. Nothing here invents facts that only a party can state, such as a signature.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

from domain.base import Value
from domain.money import Money, exact, minor_units
from domain.selling import BillingMethod, Contract, ContractLine, CustomerPO, Deal
from domain.tax_ids import problem_with

_Holder = TypeVar("_Holder", bound=Value)


class Correctable(Value):
    """One row of the table of what may be corrected."""

    path: str
    """Canonical path; `lines[]` stands for any line."""
    form: str
    """What a value looks like."""
    money: bool = False
    """Whether it changes what the customer pays, or when."""


class _Row(NamedTuple):
    parse: Callable[[str, Deal | None], Any]
    """The value, or `ValueError`; without a deal it is checked as far as its text goes."""
    form: str
    money: bool = False


def _text(value: str, _: Deal | None) -> str:
    if not value:
        raise ValueError("it is empty")
    return value


def _date(value: str, _: Deal | None) -> date:
    return date.fromisoformat(value)


def _currency(value: str, _: Deal | None) -> str:
    minor_units(value)
    return value


def _country(value: str, _: Deal | None) -> str:
    if not re.fullmatch(r"[A-Z]{2}", value):
        raise ValueError("it is not two capital letters")
    return value


def _tax_id(value: str, deal: Deal | None) -> str:
    problem = problem_with(_text(value, deal), deal.customer.address.country if deal else "")
    if problem:
        raise ValueError(problem)
    return value


def _not_negative(value: str, _: Deal | None) -> Decimal:
    number = exact(value)
    if number < 0:
        raise ValueError("it is negative")
    return number


def _percent(value: str, deal: Deal | None) -> Decimal:
    number = _not_negative(value, deal)
    if number >= 100:
        raise ValueError("it is not below 100")
    return number


def _amount(value: str, deal: Deal | None) -> Money | Decimal:
    number, _, currency = value.partition(" ")
    stated = _not_negative(number.replace(",", ""), deal)
    if deal is None:
        return Money.of(stated, currency) if currency else stated
    if deal.currency is None:
        raise ValueError("the deal has no currency: correct deal.currency first")
    if currency and currency != deal.currency:
        raise ValueError(f"the deal is in {deal.currency}")
    return Money.of(stated, deal.currency)


def _method(value: str, _: Deal | None) -> BillingMethod:
    return BillingMethod(value)


def _frequency(value: str, _: Deal | None) -> str:
    if value not in ("monthly", "quarterly"):
        raise ValueError("it is neither")
    return value


_DATE = "a date as YYYY-MM-DD"
_AMOUNT = 'an amount of zero or more in the deal\'s currency, such as "12500.00" or "12500.00 EUR"'
_NUMBER = 'a number of zero or more, such as "120.5"'
_TABLE: Mapping[str, _Row] = {
    "deal.currency": _Row(_currency, "an ISO 4217 code, such as EUR", money=True),
    "deal.region": _Row(_text, "a region of the firm's file, such as DE"),
    "deal.starts_on": _Row(_date, _DATE),
    "deal.ends_on": _Row(_date, _DATE),
    "deal.project_manager_email": _Row(_text, "a mail address"),
    "customer.legal_name": _Row(_text, "the registered name"),
    "customer.tax_id": _Row(_tax_id, "a registration number of the customer's country"),
    "customer.address.country": _Row(_country, "an ISO 3166-1 code, such as DE"),
    "customer.address.state": _Row(_text, "a state or province"),
    "customer.payment_terms": _Row(_text, 'terms the ERP knows, such as "Net 30"', money=True),
    "erp.customer": _Row(_text, "the ERP id of one of the candidates"),
    "contract.billing_entity": _Row(_text, "the code of a legal entity, such as DE01", money=True),
    "contract.rate_card": _Row(_text, "the code of a rate card, such as RC-DE-2026", money=True),
    "contract.value": _Row(_amount, _AMOUNT, money=True),
    "contract.starts_on": _Row(_date, _DATE),
    "contract.ends_on": _Row(_date, _DATE),
    "contract.retention_percent": _Row(
        _percent, 'a percentage from 0 to below 100, such as "10"', money=True
    ),
    "contract.customer_po.number": _Row(_text, "the number on the customer's purchase order"),
    "contract.customer_po.amount": _Row(_amount, _AMOUNT, money=True),
    "contract.customer_po.expires_on": _Row(_date, _DATE),
    "lines[].billing_method": _Row(_method, f"one of {', '.join(BillingMethod)}", money=True),
    "lines[].amount": _Row(_amount, _AMOUNT, money=True),
    "lines[].quantity": _Row(_not_negative, _NUMBER, money=True),
    "lines[].unit_price": _Row(_not_negative, _NUMBER, money=True),
    "lines[].cap": _Row(_amount, _AMOUNT, money=True),
    "lines[].role": _Row(_text, "a role of the rate card, such as Architect"),
    "lines[].grade": _Row(_text, "a grade of the rate card"),
    "lines[].supplier": _Row(_text, "the supplier's number, tax id or name"),
    "lines[].cost_rate": _Row(_not_negative, _NUMBER, money=True),
    "lines[].due_on": _Row(_date, _DATE),
    "lines[].starts_on": _Row(_date, _DATE),
    "lines[].ends_on": _Row(_date, _DATE),
    "lines[].frequency": _Row(_frequency, "monthly or quarterly", money=True),
}


def correctable() -> tuple[Correctable, ...]:
    """Every path that may be corrected, with the form of its values."""
    return tuple(Correctable(path=path, form=row.form, money=row.money) for path, row in _TABLE.items())


def pattern(path: str) -> str:
    """`path` with its line number taken out: `lines[2].amount` -> `lines[].amount`."""
    return re.sub(r"^lines\[[0-9]+\]", "lines[]", path)


def is_money(path: str) -> bool:
    """Whether a correction of `path` changes what the customer pays, or when."""
    row = _TABLE.get(pattern(path))
    return row is not None and row.money


def needs_second_person(path: str, second_person_fields: Iterable[str]) -> bool:
    """Whether the firm wants a second person for `path`; a field may be given as `lines[].amount`."""
    return pattern(path) in {pattern(field) for field in second_person_fields}


def check(path: str, value: str) -> None:
    """Check path and form of a correction before its deal is read.

    Raises `ValueError` naming the path, the value and the expected form.
    """
    row = _row(path)
    try:
        row.parse(value.strip(), None)
    except ValueError as error:
        raise _refusal(path, value, row, error) from error


def apply(deal: Deal, corrections: Mapping[str, str]) -> Deal:
    """`deal` with `corrections` (canonical path -> value) and without the findings they answer.

    The currency is corrected first, since amounts are read in it; a line whose quantity or price changes
    has its amount worked out again, unless the amount itself is corrected. Applying twice changes nothing.
    Raises `ValueError` naming the path, the value and the expected form.
    """
    unread = deal.currency is None
    for path in sorted(corrections, key=_order):
        deal = _corrected(deal, path, corrections[path])
    answered = set(corrections)
    if unread and "deal.currency" in corrections:
        answered |= {finding.field for finding in deal.findings if finding.rule.startswith("currency.")}
    return deal.with_changes(findings=tuple(f for f in deal.findings if f.field not in answered))


def _corrected(deal: Deal, path: str, value: str) -> Deal:
    row = _row(path)
    try:
        return _set(deal, path, row.parse(value.strip(), deal))
    except ValueError as error:
        raise _refusal(path, value, row, error) from error


def _row(path: str) -> _Row:
    row = _TABLE.get(pattern(path))
    if row is None:
        raise ValueError(f"{path} cannot be corrected; correctable are {', '.join(_TABLE)}")
    return row


def _refusal(path: str, value: str, row: _Row, error: ValueError) -> ValueError:
    reason = str(error).splitlines()[0]
    return ValueError(f"{path} = {value!r} is refused: {reason}; expected is {row.form}")


def _order(path: str) -> tuple[int, str]:
    """Currency and country before what is read by them, amounts after what they are worked out from."""
    first = ("deal.currency", "customer.address.country", "contract.customer_po.number")
    if path in first:
        return first.index(path), path
    return (len(first) + path.endswith(".amount"), path)


def _set(deal: Deal, path: str, value: Any) -> Deal:
    head, _, rest = path.partition(".")
    if path == "deal.currency":
        return _redenominated(deal, value)
    if path == "erp.customer":
        return deal.with_changes(customer=deal.customer.with_changes(erp_id=value))
    if head == "deal":
        return deal.with_changes(**{rest: value})
    if head == "customer":
        return deal.with_changes(customer=_set_nested(deal.customer, rest, value))
    if deal.contract is None:
        raise ValueError("the deal has no contract: link one in the CRM")
    if head == "contract":
        return deal.with_changes(contract=_set_in_contract(deal.contract, rest, value))
    number = int(head.removeprefix("lines[").removesuffix("]"))
    return deal.with_changes(contract=_set_in_line(deal.contract, number, rest, value, deal.currency))


def _set_nested(holder: _Holder, path: str, value: Any) -> _Holder:
    field, _, rest = path.partition(".")
    return holder.with_changes(**{field: _set_nested(getattr(holder, field), rest, value) if rest else value})


def _set_in_contract(contract: Contract, path: str, value: Any) -> Contract:
    if path == "customer_po.number" and contract.customer_po is None:
        return contract.with_changes(customer_po=CustomerPO(number=value))
    if path.startswith("customer_po.") and contract.customer_po is None:
        raise ValueError("the contract has no customer PO: correct contract.customer_po.number as well")
    return _set_nested(contract, path, value)


def _set_in_line(contract: Contract, number: int, field: str, value: Any, currency: str | None) -> Contract:
    named = [line for line in contract.lines if line.number == number]
    if len(named) != 1:
        known = ", ".join(str(line.number) for line in contract.lines) or "none"
        problem = "the contract has no such line" if not named else "several lines have this number"
        raise ValueError(f"{problem}; its lines are {known}")
    line = named[0].with_changes(**{field: value})
    if field in ("quantity", "unit_price") and currency is not None:
        line = _priced(line, currency)
    return contract.with_changes(lines=tuple(line if old is named[0] else old for old in contract.lines))


def _priced(line: ContractLine, currency: str) -> ContractLine:
    """The line with the amount its quantity and unit price make, where it has both."""
    if line.quantity is None or line.unit_price is None:
        return line
    return line.with_changes(amount=Money.rounded(line.quantity * line.unit_price, currency))


def _redenominated(deal: Deal, currency: str) -> Deal:
    """Amounts stand as they are written, now in `currency`; what was unreadable without one is priced."""
    if deal.contract is None or deal.currency == currency:
        return deal.with_changes(currency=currency)

    def moved(amount: Money | None) -> Money | None:
        return None if amount is None else Money.of(amount.amount, currency)

    lines = []
    for old in deal.lines:
        names = ("amount", "stand_alone_price", "allocated_price", "cap")
        line = old.with_changes(**{name: moved(getattr(old, name)) for name in names})
        lines.append(line if line.amount is not None else _priced(line, currency))
    order = deal.contract.customer_po
    contract = deal.contract.with_changes(
        value=moved(deal.contract.value),
        customer_po=order.with_changes(amount=moved(order.amount)) if order else None,
        lines=tuple(lines),
    )
    return deal.with_changes(currency=currency, contract=contract)
