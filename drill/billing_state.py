"""How one project stands at the end: in our store, in the ERP, in the PSA and in the CRM.

What may differ between two runs that did the same is left out: ids and numbers that a system gives in the
order of arrival, and stamps.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from domain.billable import Billable
from domain.books import InvoiceFacts
from domain.identity import short_key
from domain.invoice_state import BillingEventRow, InvoiceRow
from drill.billing_stage import Systems
from drill.billing_story import Project
from drill.effects import Effect, Effects

FAR = date(9999, 12, 31)
"""Up to this day every entry was worked."""
LIVE = ("posted", "paid", "credited")


@dataclass(frozen=True)
class Standing:
    """Everything the drill looks at of one project."""

    project: Project
    rows: Sequence[InvoiceRow]
    """Invoices and credit notes of our store."""
    facts: Sequence[InvoiceFacts]
    """Documents of the ERP, ours or not."""
    entries: Sequence[Billable]
    """Kept by us, on an invoice or not."""
    approved: Sequence[str]
    """Keys of what is approved in the PSA."""
    events: Sequence[BillingEventRow]
    shown: Mapping[str, Any]
    """What PSA and CRM show."""

    def facts_of(self, row: InvoiceRow) -> InvoiceFacts | None:
        return next((facts for facts in self.facts if facts.external_id == row.external_id), None)

    @property
    def documents(self) -> list[InvoiceRow]:
        """What is in the ledger."""
        return [row for row in self.rows if row.stage in LIVE]

    def comparable(self) -> dict[str, Any]:
        """The end as plain values, equal in every run that ends the same."""
        return {
            "our documents": {row.id: _row(row) for row in self.rows},
            "ERP": sorted(_facts(facts, self._document(facts)) for facts in self.facts),
            "entries": {
                entry.key: f"{entry.invoice or 'open'}, {'held, ' if entry.held else ''}"
                f"{'parked, ' if entry.parked else ''}{entry.adjustment and entry.adjustment.amount}"
                for entry in self.entries
            },
            "events": {event.key: f"{event.invoice or 'open'}, void {event.void}" for event in self.events},
            **self.shown,
        }

    def _document(self, facts: InvoiceFacts) -> str:
        """The id of our row, or what the ERP calls a document that we do not have."""
        named = (row.id for row in self.rows if row.external_id == facts.external_id)
        return next(named, facts.key or f"unknown {facts.state}")


async def standing(project: Project, systems: Systems) -> Standing:
    """Read everything. No fault may be armed."""
    billing, number = project.lane.store.billing, project.number
    rows = await project.invoices()
    entries = {entry.key: entry for entry in await billing.open_entries(number, up_to=FAR)}
    for row in rows:
        entries |= {entry.key: entry for entry in await billing.entries_of(row.id)}
    screens = _Screens(project, systems)
    return Standing(
        project=project,
        rows=rows,
        facts=await systems.erp.project_invoices(project.contract.erp_project),
        entries=[entries[key] for key in sorted(entries)],
        approved=await screens.approved(),
        events=await billing.events(number),
        shown=await screens.shown(rows),
    )


class _Screens:
    """What people see in the PSA and in the CRM."""

    def __init__(self, project: Project, systems: Systems) -> None:
        self._lane, self._contract = project.lane, project.contract
        self._psa, self._crm = systems.psa.system, systems.crm.system

    async def approved(self) -> list[str]:
        keys = [
            f"{self._psa}:time:{row['id']}" for row in await self._work("time_entries") if row["approved"]
        ]
        expenses = await self._work("expenses")
        return sorted([*keys, *(f"{self._psa}:expense:{row['id']}" for row in expenses)])

    async def shown(self, rows: Sequence[InvoiceRow]) -> dict[str, Any]:
        entries = {
            f"{kind} {row['id']}": bool(row["is_invoiced"])
            for kind in ("time_entries", "expenses")
            for row in await self._work(kind)
        }
        return {"PSA invoiced": entries, "PSA records": await self._records(), "CRM": await self._deal(rows)}

    async def _records(self) -> list[str]:
        mine = int(self._contract.psa_project)
        return sorted(
            f"{row['status']}: time {sorted(row['time_entry_ids'])}, expenses {sorted(row['expense_ids'])}"
            for row in await self._rows(self._psa, "invoices")
            if mine in [int(id) for id in row["workspace_ids"]]
        )

    async def _deal(self, rows: Sequence[InvoiceRow]) -> dict[str, str]:
        """The deal's billing fields; the number of the last document as what it is of."""
        answer = await self._lane.sandbox.get(f"/_control/{self._crm}/Opportunity/{self._contract.deal}")
        answer.raise_for_status()
        numbers = {row.number: row.id for row in rows if row.number}
        fields = {name: str(value) for name, value in answer.json().items() if "nvoice" in name}
        return {name: numbers.get(value, value) for name, value in fields.items()}

    async def _work(self, collection: str) -> list[dict[str, Any]]:
        rows = await self._rows(self._psa, collection)
        return [row for row in rows if str(row["workspace_id"]) == self._contract.psa_project]

    async def _rows(self, system: str, collection: str) -> list[dict[str, Any]]:
        answer = await self._lane.sandbox.get(f"/_control/{system}/{collection}")
        answer.raise_for_status()
        return list(answer.json()["records"])


def effects_of(number: str, found: Effects) -> dict[Effect, int]:
    """The effects on one project of its invoices and credit notes.

    A draft that is deleted takes no key along: it is known by the short key under which it was made.
    """
    marks = (f"/{number}:", f"/{number}/")
    drafts = {
        short_key(e.key): e.key for e in found if e.key.startswith("invoice/") and "/erp.draft" in e.key
    }
    mine: dict[Effect, int] = {}
    for effect, count in found.items():
        made = drafts.get(effect.key.removeprefix("no key: "))
        key = f"{made}/undo" if made else effect.key
        if key.startswith(("invoice/", "credit/")) and any(mark in key for mark in marks):
            mine[Effect(effect.system, effect.object, effect.operation, key)] = count
    return mine


def gaps(expected: Any, found: Any, where: str = "") -> Iterator[str]:
    """Every place at which two ends differ."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for name in sorted({*expected, *found}):
            yield from gaps(expected.get(name), found.get(name), f"{where} / {name}" if where else name)
    elif expected != found:
        yield f"{where}: {found}, and without trouble {expected}"


def _row(row: InvoiceRow) -> dict[str, Any]:
    priced = row.priced
    lines = priced.lines if priced else ()
    return {
        "stage": row.stage,
        "amounts": f"{priced.net}, tax {priced.tax}, gross {priced.gross}" if priced else "",
        "lines": [f"{line.line.kind} {line.line.net}" for line in lines],
        "shares": sorted(f"{share.key} {share.net}" for line in lines for share in line.shares),
        "parked": sorted(priced.parked) if priced else [],
        "released": sorted(row.released),
        "events": sorted(row.events),
        "credits": row.credits,
        "rebills": row.rebills,
        "approved": bool(row.approval),
        "revision": row.revision,
    }


def _facts(facts: InvoiceFacts, document: str) -> str:
    lines = ", ".join(f"{line.net}" for line in facts.lines)
    return f"{document}: {facts.state}, {facts.net} + {facts.tax} = {facts.gross} of {lines}"
