"""The seeded instance: the firm's suppliers, its charts of accounts, addresses, people and reference data."""

from typing import TYPE_CHECKING

from sandbox.core.records import RecordStore

if TYPE_CHECKING:
    from sandbox.seed.firm import Firm

INTEGRATION_LOGIN = "fairlead.integration"
NATURAL_ACCOUNTS = ("5100", "5200")
"""Subcontracted services, project expenses: the numbers they have in the books."""
_DECIMALS = {"JPY": 0, "BHD": 3}


def seed(plan: "Firm", store: RecordStore) -> None:
    """Fill the empty instance."""
    for code in (*plan.currencies, *_DECIMALS):
        data = {"code": code, "decimals": _DECIMALS.get(code, 2), "active": True}
        store.create("currencies", data)
    for code in ("HR", "EA", "DAY"):
        store.create("uoms", {"code": code, "name": code.title(), "active": True})
    for name in ("Contract Labor", "Software"):
        store.create("commodities", {"name": name, "active": True})
    _entities(plan, store)
    _users(plan, store)
    _suppliers(plan, store)


def _entities(plan: "Firm", store: RecordStore) -> None:
    """A chart of accounts and an address per legal entity."""
    for entity in plan.entities:
        segments = {"segment-1": [entity.code], "segment-2": list(NATURAL_ACCOUNTS), "segment-3": []}
        store.create(
            "account_types",
            {
                "name": f"{entity.code} CoA",
                "active": True,
                "currency": {"code": entity.currency},
                "segments": segments,
            },
        )
        store.create(
            "addresses",
            {
                "name": f"{entity.code} Office",
                "active": True,
                "street1": entity.address.street,
                "city": entity.address.city,
                "postal-code": entity.address.postal_code,
                "country": {"code": entity.country},
            },
        )


def _users(plan: "Firm", store: RecordStore) -> None:
    people = sorted({deal.project_manager_email for deal in plan.deals})
    store.create(
        "users",
        {"login": INTEGRATION_LOGIN, "email": "integration@fairlead-sandbox.example", "active": True},
    )
    for email in people:
        store.create("users", {"login": email, "email": email, "active": True})


def _suppliers(plan: "Firm", store: RecordStore) -> None:
    """Everyone who lends people to a line of a deal, or could."""
    for supplier in plan.suppliers:
        store.create(
            "suppliers",
            {
                "number": supplier.key,
                "name": supplier.name,
                "display-name": supplier.name,
                "status": "active",
                "on-hold": False,
                "tax-id": supplier.tax_id,
                "po-method": "email",
                "po-email": supplier.email,
                "currency": {"code": supplier.currency},
                "payment-term": {"code": supplier.payment_terms},
                "primary-address": {
                    "street1": supplier.address.street,
                    "city": supplier.address.city,
                    "postal-code": supplier.address.postal_code,
                    "country": {"code": supplier.country},
                },
            },
        )
