"""How an invoice stands, in words: what stops it, whom it waits for, and who may approve it."""

from typing import TYPE_CHECKING, Any

from cli import people
from cli.keys import MOST

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cli.context import Session
    from domain.attention import AttentionItem, Decision
    from domain.invoice_state import InvoiceRow
    from domain.project_contract import ProjectContract

APPROVAL = "approval"
"""Step of the exception that asks for a second person."""
_MAKING = (
    "hold_entry",
    "release_entry",
    "write_down",
    "write_up",
    "transfer",
    "edit_narrative",
    "release_prebill",
)
"""Decisions that make an invoice what it is: who took one does not approve it."""


_WAITING = ("collected", "priced")


async def standings(session: "Session", rows: "Iterable[InvoiceRow]") -> dict[str, str]:
    """Each invoice's standing by its id: such as `in review`, `blocked`, `awaiting approval`, `posted`."""
    asked = await _asked(session)
    return {row.id: await _standing(session, row, asked) for row in rows}


async def in_review(session: "Session", row: "InvoiceRow") -> bool:
    """Whether it waits for the project manager: collected, or sent back by who should approve it."""
    return await _standing(session, row, await _asked(session)) == "in review"


async def approval(session: "Session", row: "InvoiceRow", contract: "ProjectContract") -> dict[str, Any]:
    """Whether a second person has to agree, who did, who made it, and who else may."""
    priced, limit = row.priced, contract.terms.approval_limit
    needed = bool(row.credits) or row.approval_needed
    made = await makers(session, row)
    able = [email for email in people.able(session.firm, people.APPROVERS) if email.casefold() not in made]
    holds = bool(row.approval) and priced is not None and priced.content_hash == row.approved_hash
    return {
        "needed": needed,
        "limit": limit,
        "state": _approval_state(row, needed, holds),
        "approved_by": row.approved_by,
        "decision": row.approval,
        "content_hash": priced.content_hash if priced else "",
        "made_by": sorted(made),
        "may_approve": able if needed and not holds and row.stage in _WAITING else [],
    }


async def makers(session: "Session", row: "InvoiceRow") -> set[str]:
    """Who asked for it, changed a line, agreed to such a change, or released it: in lower case."""
    entries = await (await session.store()).audit.list(row.id)
    started = {entry.actor for entry in entries if entry.outcome == "started" and "@" in entry.actor}
    made = {each.id: each for each in await _decisions(session, row)}
    took = {each.actor for each in made.values() if _makes(each, made)}
    return {actor.casefold() for actor in started | took}


def _makes(decision: "Decision", others: "Mapping[str, Decision]") -> bool:
    first = others.get(decision.target) if decision.action == "second" else decision
    return first is not None and first.action in _MAKING


async def _standing(session: "Session", row: "InvoiceRow", asked: "dict[str, AttentionItem]") -> str:
    if row.stage == "collected" and not row.credits:
        return "in review"
    if row.stage in ("collected", "priced") and row.id in asked:
        return "awaiting approval"
    if row.stage == "priced" and row.priced is not None and row.priced.blocked:
        return "blocked"
    if row.stage == "priced" and not row.credits and await _sent_back(session, row):
        return "in review"
    return row.stage


async def _asked(session: "Session") -> "dict[str, AttentionItem]":
    """Open questions for an approval, by the process that asks."""
    items = await (await session.store()).attention.list(limit=MOST)
    return {item.process: item for item in items if item.step == APPROVAL}


async def _sent_back(session: "Session", row: "InvoiceRow") -> bool:
    """A rejected invoice is reviewed again until somebody releases it."""
    turns = [
        decision.action
        for decision in await _decisions(session, row)
        if decision.action in ("reject", "release_prebill")
    ]
    return bool(turns) and turns[-1] == "reject"


async def _decisions(session: "Session", row: "InvoiceRow") -> "list[Decision]":
    """Decisions that its process took in, in order."""
    store = await session.store()
    entries = await store.audit.list(row.id)
    ids = [entry.key.partition("/")[2] for entry in entries if entry.key.startswith("decision/")]
    found = [await store.decisions.get(id) for id in ids]
    return [decision for decision in found if decision is not None]


def _approval_state(row: "InvoiceRow", needed: bool, holds: bool) -> str:
    if holds:
        return "approved"
    if row.approval:
        return "void: the lines changed since"
    if row.priced is None:
        return "not known before it is priced"
    return "needed" if needed else "not needed"
