"""An invoice or credit note as data: lines, taxes, totals, what it covers, approval, and what the ERP has."""

from typing import TYPE_CHECKING, Any

from cli.billing_keys import IN_LEDGER, short
from cli.invoice_standing import approval, standings

if TYPE_CHECKING:
    from cli.context import Session
    from domain.invoice_state import InvoiceRow, PricedInvoice
    from domain.project_contract import ProjectContract


async def sheet(session: "Session", row: "InvoiceRow", contract: "ProjectContract") -> dict[str, Any]:
    """Stable: everything the store knows of one invoice."""
    billing = (await session.store()).billing
    priced = row.priced
    entries = await billing.entries_of(row.id)
    notes = await billing.documents(row.project, credits=row.id)
    approved = await approval(session, row, contract)
    standing = (await standings(session, [row]))[row.id]
    return {
        "invoice": row.id,
        "kind": "credit note" if row.credits else "invoice",
        "number": row.number,
        "stage": row.stage,
        "standing": standing,
        "project": row.project,
        "title": contract.title,
        "entity": row.entity,
        "customer": row.customer,
        "customer_name": contract.customer_name,
        "contract": contract.number,
        "customer_po": contract.customer_po.number if contract.customer_po else "",
        "payment_terms": contract.terms.payment_terms,
        "service_from": row.service_from,
        "service_to": row.service_to,
        "dated": row.dated,
        "due_on": row.due_on,
        "currency": priced.currency if priced else contract.currency,
        "lines": _lines(priced),
        "taxes": [tax.model_dump(mode="json") for tax in priced.taxes] if priced else [],
        "net": priced.net if priced else None,
        "tax": priced.tax if priced else None,
        "gross": priced.gross if priced else None,
        "retention": priced.retention if priced else None,
        "advance_applied": priced.advance_applied if priced else None,
        "adjusted": priced.adjusted if priced else None,
        "covers": {"entries": len(entries), "events": len(row.events), "event_keys": list(row.events)},
        "parked": list(priced.parked) if priced else [],
        "findings": [_finding(finding.model_dump(mode="json")) for finding in priced.findings]
        if priced
        else [],
        "approval": approved,
        "erp": _erp(session, row),
        "credits": row.credits,
        "credit_reason": row.credit_reason,
        "credited_by": [
            {"invoice": note.id, "number": note.number, "stage": note.stage, "net": _net(note)}
            for note in notes
        ],
        "rebills": row.rebills,
        "updated_at": row.updated_at,
        "commands": _commands(row, standing, approved),
    }


def _lines(priced: "PricedInvoice | None") -> list[dict[str, Any]]:
    return [
        {
            "ref": each.line.ref,
            "kind": each.line.kind,
            "description": each.line.description,
            "quantity": each.line.quantity,
            "unit": each.line.unit,
            "unit_price": each.line.unit_price,
            "net": each.line.net,
            "tax_code": each.line.tax_code,
            "contract_line": each.line.contract_line,
            "covers": len(each.shares),
        }
        for each in (priced.lines if priced else ())
    ]


def _finding(found: dict[str, Any]) -> dict[str, Any]:
    keys = found.pop("keys", ())
    return found | {"entries": len(keys)}


def _erp(session: "Session", row: "InvoiceRow") -> dict[str, Any]:
    """What the ERP made of it, and whether that is what was priced."""
    from firm.policies import snapshot

    differs = [
        f"{name}: priced {ours}, in the ERP {theirs}"
        for name, ours, theirs in (
            ("net", row.priced.net if row.priced else None, row.erp_net),
            ("tax", row.priced.tax if row.priced else None, row.erp_tax),
        )
        if ours is not None and theirs is not None and ours != theirs
    ]
    states = {"drafted": "draft", "posted": "posted", "paid": "paid", "credited": "credited"}
    return {
        "system": snapshot(session.firm).route("erp", row.entity).system,
        "external_id": row.external_id,
        "number": row.number,
        "state": states.get(row.stage, "not written"),
        "net": row.erp_net,
        "tax": row.erp_tax,
        "differs": differs,
    }


def _net(row: "InvoiceRow") -> Any:
    return row.priced.net if row.priced else None


def _commands(row: "InvoiceRow", standing: str, approved: dict[str, Any]) -> list[str]:
    """What is possible now, ready to be completed."""
    id = short(row)
    if standing == "in review":
        return [f"fairlead prebill show {id}", f"fairlead prebill release {id}"]
    if standing == "awaiting approval":
        who = next(iter(approved["may_approve"]), "EMAIL")
        content = approved["content_hash"][:12]
        return [
            f"fairlead invoice approve {id} --content {content} --reason TEXT --as {who}",
            f"fairlead invoice reject {id} --reason TEXT --as {who}",
        ]
    if standing == "blocked":
        return [f"fairlead exceptions show {row.id}"]
    if row.stage in IN_LEDGER and row.stage != "credited" and not row.credits:
        key = row.number or id
        return [f"fairlead invoice credit {key} --reason billing_error --text TEXT --as EMAIL"]
    return []
