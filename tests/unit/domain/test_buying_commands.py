"""What is asked of procurement must be sound before it leaves."""

from datetime import date
from decimal import Decimal

import pytest

from domain.buying import PurchaseLine, PurchaseOrder
from domain.buying_commands import CancelPurchaseOrder, RequestPurchase, WithdrawRequisition
from domain.money import Money


def line(ref: str = "1", currency: str = "EUR") -> PurchaseLine:
    return PurchaseLine(
        ref=ref,
        description="QA Analyst",
        quantity=Decimal("10.5"),
        rate=Decimal("100.01"),
        amount=Money.of("1050.11", currency),
    )


def request(*lines: PurchaseLine) -> RequestPurchase:
    return RequestPurchase(
        project="DE01-1",
        entity="DE01",
        supplier="S-002",
        currency="EUR",
        needed_on=date(2026, 12, 1),
        lines=lines,
    )


def test_what_matters_of_a_request_is_compared() -> None:
    assert request(line("1"), line("2")).matter() == {
        "project": "DE01-1",
        "entity": "DE01",
        "supplier": "S-002",
        "currency": "EUR",
        "needed_on": "2026-12-01",
        "total": "2,100.22 EUR",
        "line_count": "2",
    }


@pytest.mark.parametrize("lines", [(), (line("1"), line("1")), (line(currency="USD"),)], ids=len)
def test_an_unsound_request_is_refused(lines: tuple[PurchaseLine, ...]) -> None:
    with pytest.raises(ValueError, match=r"lines|line|currency|USD"):
        request(*lines)


def test_undoing_is_compared_by_its_outcome() -> None:
    assert WithdrawRequisition(requisition_external_id="12").matter() == {"withdrawn": "true"}
    assert CancelPurchaseOrder(order_external_id="31").matter() == {"cancelled": "true"}


@pytest.mark.parametrize(
    ("state", "machine"),
    [
        *((state, True) for state in ("draft", "held", "failed", "issued")),
        *((state, False) for state in ("accepted", "cancelled", "closed")),
    ],
)
def test_a_machine_cancels_nothing_that_a_supplier_has_accepted(state: str, machine: bool) -> None:
    order = PurchaseOrder.model_validate(
        {
            "number": "PO-1",
            "supplier": "S-002",
            "project": "DE01-1",
            "entity": "DE01",
            "currency": "EUR",
            "state": state,
            "lines": [line()],
        }
    )
    assert order.may_be_cancelled_by_machine is machine
