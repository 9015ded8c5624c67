"""The work list of billing: what is ready, held or blocked and why, approvals, exceptions, orders, intake."""

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cli import billing_reads
from cli.billing_keys import named
from cli.billing_reads import standing, state_of, today
from cli.invoice_standing import standings
from cli.keys import MOST

if TYPE_CHECKING:
    from cli.billing_reads import Standing
    from cli.context import Session
    from domain.attention import AttentionItem
    from domain.billable import Billable, IntakeProblem
    from domain.invoice_state import InvoiceRow

_KINDS = ("invoice", "credit", "billing", "time")
"""Processes whose exceptions are billing's."""
_SPOKEN = {"ready": "ready", "held": "held", "parked": "above the cap"}
_CAUSES = ("ready", "on a bill", "held", "above the cap")
"""In this order."""


async def gather(session: "Session") -> dict[str, Any]:
    """Of the whole firm."""
    store = await session.store()
    stands = [await standing(session, each, today()) for each in await billing_reads.contracts(session)]
    rows = await billing_reads.open_rows(session)
    words = await standings(session, rows)
    items = await store.attention.list(limit=MOST)
    return {
        "as_of": datetime.now(UTC),
        "unbilled": [line for stand in stands for line in _unbilled(stand)],
        "blocked": [_blocked(row) for row in rows if words[row.id] == "blocked"],
        "approvals": [_waiting(row) for row in rows if words[row.id] == "awaiting approval"],
        "exceptions": [_exception(item) for item in items if item.process.partition("/")[0] in _KINDS],
        "orders": sorted(
            (line for stand in stands if (line := _order(stand))), key=lambda line: line["left_percent"]
        ),
        "intake": _intake(await store.billing.problems(limit=MOST)),
    }


def _unbilled(stand: "Standing") -> list[dict[str, Any]]:
    """Approved work of one project by what becomes of it. What is on a bill is in review, or blocked."""
    causes: dict[str, list[Billable]] = {}
    for entry in stand.work.entries:
        cause = "on a bill" if entry.invoice else _SPOKEN[state_of(entry)]
        causes.setdefault(cause, []).append(entry)
    lines = []
    for cause in _CAUSES:
        entries = causes.get(cause)
        if entries:
            lines.append(
                {
                    "project": stand.contract.project,
                    "customer": stand.contract.customer_name,
                    "cause": cause,
                    "entries": len(entries),
                    "value": stand.work.valued.sum_of(entries, stand.contract.currency),
                    "without_rate": len(stand.work.valued.without_value(entries)),
                    "oldest": min(entry.work_date for entry in entries),
                }
            )
    return lines


def _blocked(row: "InvoiceRow") -> dict[str, Any]:
    findings = [finding for finding in row.priced.findings if finding.blocking] if row.priced else []
    first = findings[0] if findings else None
    return {
        "invoice": row.id,
        "project": row.project,
        "gross": row.priced.gross if row.priced else None,
        "cause": first.rule if first else "",
        "problem": first.problem if first else "",
        "owner": first.owner if first else "",
        "findings": len(findings),
    }


def _waiting(row: "InvoiceRow") -> dict[str, Any]:
    return {
        "invoice": row.id,
        "named": named(row),
        "project": row.project,
        "net": row.priced.net if row.priced else None,
        "gross": row.priced.gross if row.priced else None,
        "since": row.updated_at,
    }


def _exception(item: "AttentionItem") -> dict[str, Any]:
    return {
        "id": item.id,
        "headline": item.headline,
        "amount": item.amount,
        "owner": item.owner.value,
        "state": item.state,
        "due": item.due_at,
    }


def _order(stand: "Standing") -> dict[str, Any] | None:
    """What is left of the customer's purchase order; none where it has no amount, or another currency."""
    order = stand.contract.customer_po
    if order is None or order.amount is None or order.amount.currency != stand.contract.currency:
        return None
    left = order.amount - stand.totals.billed
    percent = left.amount * 100 / order.amount.amount if order.amount.amount else left.amount * 0
    return {
        "project": stand.contract.project,
        "customer": stand.contract.customer_name,
        "order": order.number,
        "amount": order.amount,
        "left": left,
        "left_percent": round(percent, 1),
        "expires_on": order.expires_on,
    }


def _intake(problems: "Any") -> list[dict[str, Any]]:
    """Refused entries by owner and rule."""
    found: list[IntakeProblem] = list(problems)
    counts = Counter((problem.owner, problem.rule) for problem in found)
    lines = []
    for (owner, rule), count in counts.most_common():
        oldest = min(
            (each for each in found if (each.owner, each.rule) == (owner, rule)), key=lambda p: p.found_at
        )
        lines.append(
            {
                "owner": owner,
                "rule": rule,
                "count": count,
                "oldest": oldest.key,
                "since": oldest.found_at,
                "problem": oldest.problem,
            }
        )
    return lines
