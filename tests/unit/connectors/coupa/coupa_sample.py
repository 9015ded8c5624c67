"""An instance's settings and records as Coupa writes them, for the connector's unit tests."""

from typing import Any

from connectors.coupa.settings import CoupaSettings
from domain.account_roles import AccountRole

ADDRESS = "https://acme.coupahost.test"


def settings(**changes: Any) -> CoupaSettings:
    given: dict[str, Any] = {
        "base_url": ADDRESS,
        "client_id": "fairlead",
        "client_secret": "canary-secret",
        "requester": "fairlead.integration",
        "ship_to": {"DE01": "Berlin"},
        "charts": {"DE01": "DE01 CoA"},
        "accounts": {AccountRole.SUBCONTRACT_COST: "5100"},
    }
    return CoupaSettings.model_validate({**given, **changes})


def account(project: str = "DE01-7K3QXW", chart: str = "DE01 CoA") -> dict[str, Any]:
    return {
        "segment-1": "DE01",
        "segment-2": "5100",
        "segment-3": project,
        "account-type": {"name": chart},
    }


def order_line(**changes: Any) -> dict[str, Any]:
    given = {
        "id": 5001,
        "line-num": 1,
        "description": "QA Analyst",
        "quantity": "320.0",
        "price": "112.50",
        "total": "36000.00",
        "account": account(),
        "custom-fields": {"fairlead-line": "4"},
    }
    return {**given, **changes}


def order(**changes: Any) -> dict[str, Any]:
    given = {
        "id": 31,
        "po-number": "FLABCDEFGHIJKLMNOPQR",
        "status": "issued",
        "version": 1,
        "acknowledged-flag": False,
        "transmission-status": "sent_via_email",
        "currency": {"code": "EUR"},
        "supplier": {"id": 7, "number": "S-002"},
        "requisition-header": {"id": 12},
        "updated-at": "2026-11-23T09:00:00+01:00",
        "custom-fields": {},
        "order-lines": [order_line()],
    }
    return {**given, **changes}


def requisition_line(**changes: Any) -> dict[str, Any]:
    given = order_line(**{"id": 1001, "unit-price": "112.50"})
    del given["price"]
    more = {
        "need-by-date": "2026-12-01T00:00:00+00:00",
        "supplier": {"id": 7, "number": "S-002"},
        "order-line-id": None,
    }
    return {**given, **more, **changes}


def requisition(**changes: Any) -> dict[str, Any]:
    given = {
        "id": 12,
        "status": "pending_approval",
        "reject-reason-comment": None,
        "currency": {"code": "EUR"},
        "updated-at": "2026-11-23T09:00:00+01:00",
        "custom-fields": {"fairlead-key": "activation/acme/1/coupa.requisition/1"},
        "requisition-lines": [requisition_line()],
    }
    return {**given, **changes}
