"""Billing on SQL (`store.billing_ports.Billing`): each call is one transaction of a function beside."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import Connection

from domain.billable import Adjustment, Billable, IntakeProblem, WorkedTime
from domain.invoice_state import BillingEventRow, InvoiceRow, InvoiceStage
from domain.outbound import OutboxNote
from domain.project_contract import ProjectContract
from domain.time_posting import SetAside
from store.billing_ports import ProjectTotals, TakenIn, UnbilledLine
from store.sql import (
    billing_contracts,
    billing_coverage,
    billing_entries,
    billing_events,
    billing_intake,
    billing_invoices,
    billing_problems,
    billing_review,
)
from store.sql.billing_rows import Review
from store.sql.database import Database
from store.sql.outbox import tell


class SqlBilling:
    """Contracts, billables, billing events and invoices. What each method raises stands at its port."""

    def __init__(self, database: Database) -> None:
        self._db = database

    # -- contracts

    async def put_contract(self, contract: ProjectContract) -> None:
        await self._db.write(lambda c: billing_contracts.put_contract(c, contract, self._db.now()))

    async def contract(self, project: str, revision: int | None = None) -> ProjectContract | None:
        return await self._db.read(lambda c: billing_contracts.contract(c, project, revision))

    async def projects(self, entity: str | None = None, after: str = "", limit: int = 200) -> Sequence[str]:
        return await self._db.read(lambda c: billing_contracts.projects(c, entity, after, limit))

    # -- billables

    async def take_in(self, entries: Sequence[Billable]) -> TakenIn:
        return await self._db.write(lambda c: billing_intake.take_in(c, entries, self._db.now()))

    async def refuse(self, problems: Sequence[IntakeProblem]) -> int:
        return await self._db.write(lambda c: billing_problems.refuse(c, problems))

    async def problems(
        self, *, owner: str | None = None, project: str | None = None, limit: int = 200
    ) -> Sequence[IntakeProblem]:
        return await self._db.read(lambda c: billing_problems.problems(c, owner, project, limit))

    async def set_aside(self, wish: SetAside) -> None:
        await self._db.write(lambda c: billing_problems.set_aside(c, wish, self._db.now()))

    async def entry(self, key: str) -> Billable | None:
        return await self._db.read(lambda c: billing_entries.entry(c, key))

    async def worked(self, source: str, days: Sequence[tuple[str, date]]) -> Sequence[WorkedTime]:
        return await self._db.read(lambda c: billing_entries.worked(c, source, days))

    async def open_entries(
        self, project: str, *, line: int | None = None, up_to: date, after: str = "", limit: int = 1000
    ) -> Sequence[Billable]:
        return await self._db.read(
            lambda c: billing_entries.open_entries(c, project, line, up_to, after, limit)
        )

    async def entries_of(self, invoice: str) -> Sequence[Billable]:
        return await self._db.read(lambda c: billing_entries.entries_of(c, invoice))

    async def adjust(
        self,
        key: str,
        *,
        decision: str,
        held: bool | None = None,
        hold_reason: str | None = None,
        parked: bool | None = None,
        adjustment: Adjustment | None = None,
        project: str | None = None,
        line: int | None = None,
        narrative: str | None = None,
    ) -> Billable:
        asked = Review(
            held=held,
            hold_reason=hold_reason,
            parked=parked,
            adjustment=adjustment,
            project=project,
            line=line,
            narrative=narrative,
        )
        return await self._db.write(lambda c: billing_review.adjust(c, key, decision, asked, self._db.now()))

    # -- events

    async def add_event(self, event: BillingEventRow) -> bool:
        return await self._db.write(lambda c: billing_events.add_event(c, event, self._db.now()))

    async def events(self, project: str, *, open_only: bool = False) -> Sequence[BillingEventRow]:
        return await self._db.read(lambda c: billing_events.events(c, project, open_only=open_only))

    async def void_event(self, key: str, *, reason: str) -> None:
        await self._db.write(lambda c: billing_events.void_event(c, key, reason, self._db.now()))

    # -- invoices

    async def put_invoice(self, invoice: InvoiceRow, *, tells: Sequence[OutboxNote] = ()) -> InvoiceRow:
        def work(connection: Connection) -> InvoiceRow:
            now = self._db.now()
            row = billing_invoices.put_invoice(connection, invoice, now)
            tell(connection, invoice.id, now, tells)
            return row

        return await self._db.write(work)

    async def invoice(self, id: str) -> InvoiceRow | None:
        return await self._db.read(lambda c: billing_invoices.invoice(c, id))

    async def invoices(
        self,
        *,
        project: str | None = None,
        stage: InvoiceStage | None = None,
        customer: str | None = None,
        limit: int = 200,
    ) -> Sequence[InvoiceRow]:
        return await self._db.read(lambda c: billing_invoices.invoices(c, project, stage, customer, limit))

    async def documents(self, project: str, *, credits: str | None = None) -> Sequence[InvoiceRow]:
        return await self._db.read(lambda c: billing_invoices.documents(c, project, credits))

    async def cover(self, invoice: str, *, entries: Sequence[str] = (), events: Sequence[str] = ()) -> None:
        await self._db.write(lambda c: billing_coverage.cover(c, invoice, entries, events, self._db.now()))

    async def release(
        self, invoice: str, *, entries: Sequence[str] | None = None, events: Sequence[str] | None = None
    ) -> Sequence[str]:
        return await self._db.write(
            lambda c: billing_coverage.release(c, invoice, entries, events, self._db.now())
        )

    async def settle(
        self, invoice: str, row: InvoiceRow, *, seen: ProjectTotals | None = None
    ) -> ProjectTotals:
        return await self._db.write(lambda c: billing_invoices.settle(c, invoice, row, seen, self._db.now()))

    async def totals(self, project: str, *, without: str = "") -> ProjectTotals:
        return await self._db.read(lambda c: billing_invoices.totals(c, project, without))

    # -- looking back

    async def unbilled(self, as_of: date, *, project: str | None = None) -> Sequence[UnbilledLine]:
        return await self._db.read(lambda c: billing_entries.unbilled(c, as_of, project))

    async def approved_after(self, days: int, since: datetime) -> Sequence[Billable]:
        return await self._db.read(lambda c: billing_entries.approved_after(c, days, since))
