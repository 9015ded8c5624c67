"""Adjusting one entry: what a review makes of it, once per decision."""

from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update

from domain.attention import Decision, sealed
from domain.billable import Billable
from domain.project_contract import ProjectContract
from store.ports import AuditNote, StaleReference, StoreError
from store.sql.billing_contracts import contract, contract_of, note_on_project
from store.sql.billing_limits import FINAL
from store.sql.billing_rows import BILLABLES, Review, billable_of, review_of, reviewed, source_of
from store.sql.billing_tables import AdjustmentRecord, InvoiceRecord
from store.sql.decisions import keep_hash_only
from store.sql.tables import DecisionRecord, table

ADJUSTMENTS = table(AdjustmentRecord)
DECISIONS = table(DecisionRecord)
INVOICES = table(InvoiceRecord)

_ENTRY = select(BILLABLES).where(BILLABLES.c.key == bindparam("of")).with_for_update()
_CHANGE = update(BILLABLES).where(BILLABLES.c.key == bindparam("of"))
_STAGE = select(INVOICES.c.stage).where(INVOICES.c.id == bindparam("of"))
_MADE = select(ADJUSTMENTS.c.asked).where(
    ADJUSTMENTS.c.decision == bindparam("by"), ADJUSTMENTS.c.entry == bindparam("of")
)
_INSERT = insert(ADJUSTMENTS)
_DECISION = select(DECISIONS.c.body).where(DECISIONS.c.id == bindparam("of"))


def adjust(connection: Connection, key: str, decision: str, asked: Review, now: datetime) -> Billable:
    """Change one entry, once per `decision`; a repeat answers the entry as it stands.

    Raises `StoreError` when its invoice is in the ledger, when the decision was used on this entry for
    something else, or when the change does not fit the contract; `StaleReference` when it is not kept.
    """
    found = connection.execute(_ENTRY, {"of": key}).first()
    if found is None:
        raise StaleReference(f"entry {key} is not kept, as after a restored backup; take it in again")
    before = billable_of(found)
    made = connection.execute(_MADE, {"by": decision, "of": key}).scalar()
    wish = _without_words(asked).model_dump_json(exclude_none=True)
    if made is not None:
        if made not in (wish, asked.model_dump_json(exclude_none=True)):  # as older versions kept it
            raise StoreError(
                f"decision {decision} has changed entry {key} otherwise; a new change needs a new decision"
            )
        return before
    _check_invoice(connection, before, asked)
    asked = _fitting(connection, before, asked)
    review = review_of(found).model_copy(update={n: v for n, v in asked if v is not None})
    after = review.over(source_of(found)).model_copy(update={"invoice": found.invoice})
    connection.execute(_CHANGE, {"of": key, **reviewed(after, review)})
    connection.execute(_INSERT, {"decision": decision, "entry": key, "asked": wish, "at": now})
    note_on_project(connection, before.project, now, _said(connection, before, asked, decision))
    keep_hash_only(connection, decision)
    return after


def _without_words(asked: Review) -> Review:
    """`asked` as a repeat is told by: the words stand in the entry alone."""
    return (
        asked if asked.narrative is None else asked.model_copy(update={"narrative": sealed(asked.narrative)})
    )


def _check_invoice(connection: Connection, entry: Billable, asked: Review) -> None:
    stage = connection.execute(_STAGE, {"of": entry.invoice}).scalar() if entry.invoice else None
    if stage in FINAL:
        raise StoreError(
            f"entry {entry.key} is on invoice {entry.invoice}, which is {stage}; credit it and release the"
            " entry, then adjust it"
        )
    if entry.invoice and asked.project not in (None, entry.project):
        raise StoreError(
            f"entry {entry.key} is on invoice {entry.invoice} of project {entry.project}; release it before"
            f" it moves to {asked.project}"
        )


def _fitting(connection: Connection, entry: Billable, asked: Review) -> Review:
    """`asked` as the contract allows it; an entry that moves is billed by the entity it moves to."""
    moved_to = asked.project not in (None, entry.project)
    if moved_to or asked.line is not None:
        target = contract_of(connection, asked.project or entry.project)
        _require_line(target, entry.line if asked.line is None else asked.line)
        if moved_to:
            asked = asked.model_copy(update={"entity": target.entity})
    if asked.adjustment is not None:
        bills = contract(connection, asked.project or entry.project)
        amount = asked.adjustment.amount
        if bills is not None and bills.currency != amount.currency:
            raise StoreError(
                f"entry {entry.key} is billed in {bills.currency}, it cannot be adjusted by {amount}"
            )
    return asked


def _require_line(target: ProjectContract, line: int) -> None:
    try:
        target.line(line)
    except KeyError as error:
        raise StoreError(f"{error.args[0]}; name one of its lines") from None


def _said(connection: Connection, before: Billable, asked: Review, decision: str) -> AuditNote:
    """Who decided, by the decision itself where it is kept."""
    body = connection.execute(_DECISION, {"of": decision}).scalar()
    by = Decision.model_validate_json(body).actor if body else ""
    changed = [name for name, value in asked if value is not None]
    return AuditNote(
        actor=by or (asked.adjustment.by if asked.adjustment else "fairlead"),
        what=f"entry {before.key}: {', '.join(changed) or 'nothing'} changed",
        why=decision,
        object=before.key,
        key=f"{decision}/{before.key}",
        outcome="adjusted",
        before="; ".join(_shown(name, getattr(before, name)) for name in changed),
        after="; ".join(_shown(name, getattr(asked, name)) for name in changed),
    )


def _shown(name: str, value: object) -> str:
    if name == "narrative":  # confidential: it stands in the entry alone
        return "narrative (not shown)"
    if name == "adjustment" and value is not None:
        return f"adjustment = {getattr(value, 'amount', '')} {getattr(value, 'reason_code', '')}"
    return f"{name} = {value}"
