"""What Salesforce computes itself: stage flags, contract number and end, line totals, roll-up of amounts."""

import calendar
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.core.records import Record, RecordStore
from sandbox.salesforce.errors import refuse
from sandbox.salesforce.objects import CONTRACT_STATUS, LOST, STAGES, WON
from sandbox.salesforce.schema import SObject


def computed(
    store: RecordStore, kind: SObject, values: Mapping[str, Any], sent: Mapping[str, Any]
) -> dict[str, Any]:
    """The fields that follow from a record's own values. Raises Refused where they cannot be."""
    if kind.name == "Opportunity":
        stage = values["StageName"]
        flags = {"IsWon": stage == WON, "IsClosed": stage in (WON, LOST), "Probability": STAGES[stage]}
        return {**flags, "HasOpportunityLineItem": values.get("HasOpportunityLineItem", False)}
    if kind.name == "Contract":
        return _contract(store, values)
    if kind.name == "OpportunityLineItem":
        return _line(store, values, sent)
    if kind.name in ("Contact", "User"):
        parts = (values.get("FirstName"), values.get("LastName"))
        return {"Name": " ".join(part for part in parts if part)}
    return {}


def follow(store: RecordStore, record: Record, at: float | None = None) -> None:
    """Carry a written or deleted line item's figures to its opportunity."""
    if record.object != "OpportunityLineItem":
        return
    opportunity_id = record["OpportunityId"]
    if store.get("Opportunity", opportunity_id) is None:
        return
    lines = store.find("OpportunityLineItem", "OpportunityId", opportunity_id)
    changes: dict[str, Any] = {"HasOpportunityLineItem": bool(lines)}
    if lines:
        changes["Amount"] = sum((Decimal(line["TotalPrice"]) for line in lines), Decimal(0))
    store.update("Opportunity", opportunity_id, changes, at=at, derived=True)


def _contract(store: RecordStore, values: Mapping[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {"StatusCode": CONTRACT_STATUS[values["Status"]]}
    if not values.get("ContractNumber"):
        changes["ContractNumber"] = f"{store.next_number('ContractNumber', 100):08d}"
    start, term = values.get("StartDate"), values.get("ContractTerm")
    changes["EndDate"] = _end(date.fromisoformat(start), int(term)).isoformat() if start and term else None
    return changes


def _end(start: date, months: int) -> date:
    year, month = divmod(start.month - 1 + months, 12)
    last = calendar.monthrange(start.year + year, month + 1)[1]
    return date(start.year + year, month + 1, min(start.day, last)) - timedelta(days=1)


def _line(store: RecordStore, values: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    if sent.get("UnitPrice") is not None and sent.get("TotalPrice") is not None:
        message = "Only one of unit price or total price may be specified"
        raise refuse("FIELD_INTEGRITY_EXCEPTION", message, ["TotalPrice"])
    quantity = Decimal(values["Quantity"])
    unit, total = values.get("UnitPrice"), values.get("TotalPrice")
    if sent.get("TotalPrice") is not None and quantity:
        unit = (Decimal(sent["TotalPrice"]) / quantity).quantize(Decimal("0.0001"), ROUND_HALF_UP)
    elif unit is not None:
        total = (quantity * Decimal(unit)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    if unit is None or total is None:
        message = "Required fields are missing: [UnitPrice]"
        raise refuse("REQUIRED_FIELD_MISSING", message, ["UnitPrice"])
    opportunity = store.get("Opportunity", values["OpportunityId"])
    product = store.get("Product2", values["Product2Id"]) if values.get("Product2Id") else None
    code = product.get("ProductCode") if product else None
    name = f"{opportunity['Name']} {product['Name'] if product else ''}".strip() if opportunity else None
    currency = opportunity.get("CurrencyIsoCode") if opportunity else None
    changes = {"UnitPrice": unit, "TotalPrice": total, "ProductCode": code, "Name": name}
    return {**changes, "CurrencyIsoCode": currency}
