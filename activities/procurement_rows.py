"""What became of a project's purchases, in our own store: for the timeline, the work list and the audit."""

from temporalio import activity

from domain.base import Canonical, Value
from store.ports import AuditNote, Store


class PurchaseNote(Value):
    """One change of one line, told once."""

    key: str
    """Of what it is about: a repeat with the same `outcome` is not told again."""
    what: str
    outcome: str


class RecordPurchases(Canonical):
    process: str
    project: str
    entity: str
    stage: str
    title: str
    """The purchases in a few words, as work lists show them."""
    notes: tuple[PurchaseNote, ...] = ()


class ProcurementRowActivities:
    """On our own queue."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @activity.defn(name="procurement.record")
    async def record(self, input: RecordPurchases) -> None:
        """Show where the purchases stand, and audit each change once."""
        facts = {
            "stage": input.stage,
            "project": input.project,
            "entity": input.entity,
            "title": input.title,
        }
        for note in input.notes:
            audit = AuditNote(what=note.what, outcome=note.outcome, key=note.key)
            await self._store.processes.update(input.process, audit=audit, **facts)
