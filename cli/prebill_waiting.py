"""Pre-bills that wait for their project manager, as data for the list and the work list."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cli.billing_keys import REVIEWABLE
from cli.billing_reads import open_rows
from cli.invoice_standing import in_review
from cli.prebill_sheet import sheet, sums

if TYPE_CHECKING:
    from cli.context import Session
    from cli.prebill_sheet import Sheet

_NEVER = datetime.max.replace(tzinfo=UTC)


async def waiting(
    session: "Session", *, project: str | None = None, manager: str | None = None
) -> list[dict[str, Any]]:
    """One line per pre-bill in review, the one due first at the top. Raises `Stop` for an unknown project."""
    from cli.billing_keys import find_contract

    if project is not None:
        project = (await find_contract(session, project)).project
    found = []
    for row in await open_rows(session, project):
        if row.stage not in REVIEWABLE or row.credits or not await in_review(session, row):
            continue
        contract = await find_contract(session, row.project)
        if manager is None or contract.terms.project_manager.casefold() == manager.casefold():
            found.append(_line(await sheet(session, contract, row)))
    return sorted(found, key=lambda line: (line["due"] or _NEVER, line["invoice"]))


def _line(found: "Sheet") -> dict[str, Any]:
    summed, contract = sums(found), found.contract
    assert found.invoice is not None  # noqa: S101  it was asked for
    return {
        "project": contract.project,
        "title": contract.title,
        "customer": contract.customer_name,
        "project_manager": contract.terms.project_manager,
        "invoice": found.invoice.id,
        "value": summed["total"],
        "entries": summed["entries"],
        "entries_held": summed["entries_held"],
        "entries_without_rate": summed["entries_without_rate"],
        "state": "overdue" if found.due and found.due < datetime.now(UTC) else "waiting",
        "since": found.since,
        "due": found.due,
    }
