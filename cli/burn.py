"""Burn: how much of what a project may cost its customer is used. Definition, source and figures."""

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cli.billing_reads import Standing
    from domain.money import Money
    from domain.project_contract import ProjectContract

DEFINITION = (
    "used = billed + unbilled approved; used % = used / limit; left = limit - used. Limit: the cap "
    "of the contract, else its value, else the caps of its lines. Billed: net before retention and advances, "
    "priced drafts included, posted credit notes taken off. Unbilled approved: work on none of these, ready "
    "or held, at the contract's price with write-downs; what is above a cap stands apart."
)
SOURCE = "Fairlead's store: contracts, entries taken in, invoices"
_TENTH = Decimal("0.1")


def burn_line(stand: "Standing") -> dict[str, Any]:
    """One project. Percent to one decimal; none without a limit."""
    contract, totals, work = stand.contract, stand.totals, stand.work
    limit, kind = limit_of(contract)
    ready, held = work.sum("ready"), work.sum("held")
    used = totals.billed + ready + held
    return {
        "project": contract.project,
        "title": contract.title,
        "customer": contract.customer_name,
        "entity": contract.entity,
        "currency": contract.currency,
        "project_manager": contract.terms.project_manager,
        "value": contract.value,
        "cap": contract.terms.cap,
        "limit": limit,
        "limit_is": kind,
        "billed": totals.billed,
        "unbilled": ready + held,
        "unbilled_held": held,
        "above_cap": work.sum("parked"),
        "entries_without_rate": len(work.valued.without_value(work.entries)),
        "left": limit - used if limit else None,
        "used_percent": _percent(used, limit),
        "retained": totals.retained,
        "advance_left": totals.advance_left,
        "problem": work.problem,
    }


def limit_of(contract: "ProjectContract") -> "tuple[Money | None, str | None]":
    """What the customer pays at most, and which figure that is."""
    from domain.money import total

    if contract.terms.cap is not None:
        return contract.terms.cap, "cap"
    if contract.value is not None and contract.value.amount > 0:
        return contract.value, "contract value"
    caps = [line.cap for line in contract.lines if line.cap is not None]
    if caps and len(caps) == len(contract.lines):
        return total(caps, contract.currency), "caps of its lines"
    return None, None


def _percent(used: "Money", limit: "Money | None") -> Decimal | None:
    if limit is None or not limit.amount:
        return None
    return (used.amount * 100 / limit.amount).quantize(_TENTH, ROUND_HALF_UP)
