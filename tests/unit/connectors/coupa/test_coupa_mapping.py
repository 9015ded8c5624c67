"""Coupa's records as canonical objects, and the bodies that go there."""

from datetime import date
from decimal import Decimal
from typing import Any, get_args

import pytest

from connectors.coupa import mapping
from connectors.coupa.mapping import Refused, po_reference
from connectors.coupa.models import OrderRow, RequisitionRow, SupplierRow
from domain.account_roles import AccountRole
from domain.buying import OrderState, PurchaseLine, PurchaseOrder, PurchaseRequisition, RequisitionState
from domain.buying_commands import RequestPurchase
from domain.money import Money
from tests.unit.connectors.coupa import coupa_sample as sample

KEY = "procurement/acme/DE01-7K3QXW/coupa.requisition.4/1"


def order(**changes: Any) -> PurchaseOrder:
    return mapping.order(OrderRow.model_validate(sample.order(**changes)), sample.settings())


def requisition(**changes: Any) -> PurchaseRequisition:
    row = RequisitionRow.model_validate(sample.requisition(**changes))
    return mapping.requisition(row, sample.settings(), ("31",))


def request(**changes: Any) -> RequestPurchase:
    line = PurchaseLine(
        ref="4",
        description="QA Analyst",
        quantity=Decimal("80.25"),
        rate=Decimal("99.99"),
        amount=Money.of("8024.20", "EUR"),
    )
    command = RequestPurchase(
        project="DE01-7K3QXW",
        entity="DE01",
        supplier="S-002",
        currency="EUR",
        needed_on=date(2026, 12, 1),
        lines=(line,),
    )
    return command.with_changes(**changes)


def test_a_po_number_is_short_stable_and_of_its_key_alone() -> None:
    assert po_reference(KEY) == po_reference(KEY)
    assert len(po_reference(KEY)) == 20
    assert po_reference(KEY) != po_reference(f"{KEY}1")
    assert po_reference(KEY).startswith("FL")


def test_a_request_holds_hours_and_rate_digit_for_digit() -> None:
    body = mapping.requisition_body(request(), sample.settings(), KEY)
    (line,) = body["requisition-lines"]
    assert (line["quantity"], line["unit-price"]) == ("80.25", "99.99")
    assert line["account"] == sample.account()
    assert line["custom-fields"] == {"fairlead-line": "4"}
    assert body["custom-fields"] == {"fairlead-key": KEY}
    assert body["requested-by"] == {"login": "fairlead.integration"}


def test_a_supplier_without_number_is_named_by_its_id() -> None:
    row = {"id": 7, "number": None, "name": "Kontor", "status": "active", "on-hold": False}
    found = mapping.supplier(SupplierRow.model_validate(row))
    assert found.id == "id:7"
    body = mapping.requisition_body(request(supplier=found.id), sample.settings(), KEY)
    assert body["requisition-lines"][0]["supplier"] == {"id": 7}


@pytest.mark.parametrize(("status", "hold", "active"), [("active", True, False), ("inactive", False, False)])
def test_who_is_on_hold_or_inactive_may_not_be_asked(status: str, hold: bool, active: bool) -> None:
    row = {"id": 7, "number": "S-7", "name": "Kontor", "status": status, "on-hold": hold}
    assert mapping.supplier(SupplierRow.model_validate(row)).active is active


def test_what_the_file_does_not_name_is_refused_by_its_setting() -> None:
    with pytest.raises(Refused, match="add it to accounts"):
        mapping.requisition_body(request(cost=AccountRole.PROJECT_EXPENSE), sample.settings(), KEY)
    with pytest.raises(Refused, match="entity IN01; add it to charts"):
        mapping.requisition_body(request(entity="IN01"), sample.settings(), KEY)


def test_every_state_is_reached_by_a_status() -> None:
    assert {*mapping.REQUISITION_STATES.values(), "rejected"} == set(get_args(RequisitionState))
    assert {*mapping.ORDER_STATES.values(), "accepted"} == set(get_args(OrderState))


@pytest.mark.parametrize(
    ("status", "acknowledged", "state"),
    [
        ("issued", False, "issued"),
        ("issued", True, "accepted"),
        ("cancelled", True, "cancelled"),
        ("closed", True, "closed"),
        ("supplier_hold", False, "held"),
        ("error", False, "failed"),
    ],
)
def test_an_order_is_accepted_only_while_it_is_with_the_supplier(
    status: str, acknowledged: bool, state: str
) -> None:
    assert order(status=status, **{"acknowledged-flag": acknowledged}).state == state


def test_an_order_names_line_entity_project_and_requisition() -> None:
    read = order()
    assert (read.entity, read.project, read.supplier) == ("DE01", "DE01-7K3QXW", "S-002")
    assert (read.requisition, read.external_id) == ("12", "31")
    assert read.lines[0].ref == "4"
    assert read.total == Money.of("36000.00", "EUR")


def test_a_line_of_one_amount_counts_as_one_unit() -> None:
    line = sample.order_line(quantity=None, price="48000.00", total="48000.00")
    (read,) = order(**{"order-lines": [line]}).lines
    assert (read.quantity, read.rate) == (Decimal(1), Decimal("48000.00"))


def test_a_line_that_a_person_added_is_known_by_its_number() -> None:
    line = sample.order_line(**{"custom-fields": {"fairlead-line": None}, "line-num": 3})
    assert order(**{"order-lines": [line]}).lines[0].ref == "3"


def test_a_draft_with_a_reason_was_rejected() -> None:
    assert requisition(status="draft").state == "draft"
    refused = requisition(status="draft", **{"reject-reason-comment": "too dear"})
    assert (refused.state, refused.note, refused.orders) == ("rejected", "too dear", ("31",))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"status": "frozen"}, "status"),
        ({"order-lines": []}, "project"),
        ({"order-lines": [sample.order_line(total="36000.01")]}, "lines"),
        ({"order-lines": [sample.order_line(total="36000.001")]}, "total"),
        (
            {
                "order-lines": [
                    sample.order_line(),
                    sample.order_line(account=sample.account("DE01-OTHER")),
                ]
            },
            "project",
        ),
    ],
    ids=["status", "no lines", "total", "decimals", "two projects"],
)
def test_what_cannot_be_taken_names_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refused:
        order(**changes)
    assert refused.value.field.startswith(field)


def test_a_requisition_shows_what_was_asked() -> None:
    row = RequisitionRow.model_validate(sample.requisition())
    assert mapping.requisition_fields(row, sample.settings()) == {
        "project": "DE01-7K3QXW",
        "entity": "DE01",
        "supplier": "S-002",
        "currency": "EUR",
        "needed_on": "2026-12-01",
        "total": "36,000.00 EUR",
        "line_count": "1",
    }
