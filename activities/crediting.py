"""Credit notes in our own store: checked and kept, recorded as the ERP posted them, and what follows.

A credit note releases by name what was billed in error. Bills of it are made anew: events void and kept as
a new revision, work by a `time` event of its own.
"""

from datetime import date
from zoneinfo import ZoneInfo

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.billing_rows import BillingRows, store_refusals
from activities.boundary import Clock, utc_now
from activities.invoicing import Posted, PostedAs, differences, require_posted
from domain import invoice_commands
from domain.base import Canonical
from domain.billing_process import CreditInput
from domain.crediting import conceded, credit_of_request, credit_row, posted_invoice
from domain.invoice_state import BillingEventRow, InvoiceRow
from domain.money import Money, total
from domain.outbound_notes import invoice_credited
from domain.project_contract import ProjectContract
from domain.rules.credited import CreditRefused
from store.billing_ports import Billing, OverDrawn
from store.ports import Store

_RACES = 5
_POSTED = ("posted", "paid", "credited")
_LIVE_CREDIT = ("priced", "approved", "posted", "paid")


class PrepareCredit(Canonical):
    credit: str
    """Id of the credit note."""
    request: CreditInput
    time_zone: str = "UTC"


class CreditRequest(Canonical):
    """A request whose invoice is known: whose it is."""

    project: str
    entity: str
    customer: str
    number: str
    dated: date | None = None


class PreparedCredit(Canonical):
    """The credit note that waits for its approval; or why there is none."""

    refused: str = ""
    net: Money | None = None
    tax: Money | None = None
    gross: Money | None = None
    lines: int = 0
    content_hash: str = ""
    dated: date | None = None


class RedateCredit(Canonical):
    credit: str
    dated: date


class CreditRef(Canonical):
    credit: str


class CreditPosted(Posted):
    whole: bool = False
    """Nothing is left of the invoice."""
    released: int = 0


class Rebill(Canonical):
    credit: str


class RebillEvents(Canonical):
    """What the new invoice bills; none where nothing was released."""

    events: tuple[str, ...] = ()
    service_from: date
    service_to: date


class CreditingActivities:
    """On our own queue: Fairlead's store."""

    def __init__(self, store: Store, clock: Clock = utc_now) -> None:
        self._billing: Billing = store.billing
        self._rows = BillingRows(store)
        self._clock = clock

    @activity.defn(name="crediting.look_up")
    async def look_up(self, input: CreditInput) -> CreditRequest:
        """Whose the invoice is. Fails with `StaleReference` for one that is not kept."""
        row = await self._rows.invoice(input.invoice)
        return CreditRequest(
            project=row.project,
            entity=row.entity,
            customer=row.customer,
            number=row.number,
            dated=row.dated,
        )

    @activity.defn(name="crediting.prepare")
    async def prepare(self, input: PrepareCredit) -> PreparedCredit:
        """Check the request and keep the credit note, not approved; or say why it is refused.

        Counts on what other credit notes to the invoice have left: one that was faster is seen.
        """
        invoice = await self._rows.invoice(input.request.invoice)
        contract = await self._rows.contract(invoice.project)
        for _ in range(_RACES):
            try:
                row = await self._prepared(input, invoice, contract)
            except CreditRefused as error:
                return PreparedCredit(refused=str(error))
            except OverDrawn:
                continue
            return _summary(row)
        raise ApplicationError(f"other credit notes to {invoice.id} are faster", type="Transient")

    @activity.defn(name="crediting.redate")
    async def redate(self, input: RedateCredit) -> None:
        """Another day for a credit note whose period is closed. Fails with `Rejected` before its invoice."""
        row = await self._rows.invoice(input.credit)
        invoice = await self._rows.invoice(row.credits)
        if invoice.dated is not None and input.dated < invoice.dated:
            raise ApplicationError(
                f"{input.dated} is before {invoice.number} itself, of {invoice.dated}: give a later day",
                type="Rejected",
                non_retryable=True,
            )
        await self._billing.put_invoice(row.with_changes(dated=input.dated))

    @activity.defn(name="crediting.posted")
    async def posted(self, input: PostedAs) -> CreditPosted:
        """Keep what the ERP posted, release by name what may be billed again, and close the invoice when
        nothing is left of it. A credit note's amounts are negative in the ERP."""
        row, facts = await self._rows.invoice(input.invoice), input.facts
        require_posted(facts)
        with store_refusals():
            done = row.with_changes(
                stage="posted",
                external_id=facts.external_id,
                number=facts.number,
                dated=facts.dated,
                erp_net=-facts.net,
                erp_tax=-facts.tax,
            )
            await self._billing.put_invoice(done, tells=invoice_credited(done))
            invoice = await self._rows.invoice(row.credits)
            whole = await self._nothing_left(invoice)
            if whole and invoice.stage != "credited":
                await self._billing.put_invoice(invoice.with_changes(stage="credited"))
            released = await self._release(row, invoice, whole=whole)
        rows = await self._billing.documents(row.project)
        return CreditPosted(
            number=facts.number,
            invoiced=invoice_commands.invoiced(rows, facts.currency),
            differences=differences(row, -facts.net, -facts.tax),
            whole=whole,
            released=released,
        )

    @activity.defn(name="crediting.rebill")
    async def rebill(self, input: Rebill) -> RebillEvents:
        """New events for what the credit note released: the old ones are void, work gets one of its own."""
        row = await self._rows.invoice(input.credit)
        kept = list(await self._billing.events(row.project))
        made = [event for event in kept if event.evidence == row.id]
        again = RebillEvents(service_from=row.service_from, service_to=row.service_to)
        with store_refusals():
            keys = [await self._anew(event, row, kept) for event in kept if event.key in row.released]
            if made:
                keys += [event.key for event in made]
            elif await self._released_work(row):
                keys.append(await self._work_event(row, kept))
        return again.with_changes(events=tuple(keys))

    @activity.defn(name="crediting.discard")
    async def discard(self, input: CreditRef) -> bool:
        """The credit note ends without being posted; false when it was never kept."""
        row = await self._billing.invoice(input.credit)
        if row is None:
            return False
        with store_refusals():
            await self._billing.put_invoice(row.with_changes(stage="discarded"))
        return True

    # -- inside -----------------------------------------------------------------------------------

    async def _prepared(
        self, input: PrepareCredit, invoice: InvoiceRow, contract: ProjectContract
    ) -> InvoiceRow:
        kept = await self._billing.invoice(input.credit)
        if kept is not None and kept.stage not in ("discarded", "empty"):
            return kept
        credits = await self._credits(invoice, besides=input.credit)
        today = self._clock().astimezone(ZoneInfo(input.time_zone)).date()
        dated = max(today, invoice.dated or today)
        credit = credit_of_request(input.request, invoice, credits, dated, contract.terms.tax_rounding)
        row = credit_row(input.credit, credit, invoice, credits, kept.revision + 1 if kept else 1)
        await self._check_balances(row, contract)
        await self._check_parts(row)
        return (await self._settled(row)) or row

    async def _settled(self, row: InvoiceRow) -> InvoiceRow | None:
        try:
            with store_refusals():
                await self._billing.settle(row.id, row)
        except ApplicationError as error:
            if error.type == OverDrawn.__name__:
                raise OverDrawn(error.message) from None
            raise
        return await self._billing.invoice(row.id)

    async def _check_balances(self, row: InvoiceRow, contract: ProjectContract) -> None:
        """What was drawn from an advance, or released of a retention, is not taken back beneath it."""
        totals = await self._billing.totals(row.project)
        balances = (
            ("advance", totals.advance_left, "has been applied to other invoices"),
            ("retention", totals.retained, "has been released"),
        )
        for kind, left, why in balances:
            back = _sum_of(row, kind)
            taken = back if kind == "advance" else -back
            if left < taken:
                raise CreditRefused(
                    "invoice",
                    "8 retention, advances",
                    f"of its {kind} {taken - left} {why}: credit those first",
                )

    async def _check_parts(self, row: InvoiceRow) -> None:
        """An entry of which the rest was billed later is not released here alone."""
        for event in await self._billing.events(row.project):
            part = event.kind == "above_cap" and event.evidence in row.released
            if part and event.invoice and event.key not in row.released:
                raise CreditRefused(
                    "entries",
                    "7 caps",
                    f"the rest of {event.evidence} is billed by {event.invoice}: credit that one first",
                    event.amount,
                )

    async def _credits(self, invoice: InvoiceRow, besides: str = "") -> list[InvoiceRow]:
        """Live credit notes to `invoice`, in the order of their ids."""
        rows = await self._billing.documents(invoice.project, credits=invoice.id)
        mine = [row for row in rows if row.stage in _LIVE_CREDIT]
        return sorted((row for row in mine if row.id != besides), key=lambda row: row.id)

    async def _nothing_left(self, invoice: InvoiceRow) -> bool:
        credits = [row for row in await self._credits(invoice) if row.stage in _POSTED]
        left = posted_invoice(invoice, credits).left_of_lines
        return not any(amount.amount for amount in left.values())

    async def _release(self, row: InvoiceRow, invoice: InvoiceRow, *, whole: bool) -> int:
        """Release what the credit note names; with a whole invoice also what it covers without a price."""
        if not row.released:
            return 0
        events = await self._billing.events(row.project)
        names = {event.key for event in events}
        going = set(row.released)
        if whole:
            credits = [one for one in await self._credits(invoice) if one.stage in _POSTED]
            covered = {entry.key for entry in await self._billing.entries_of(invoice.id)}
            covered |= {event.key for event in events if event.invoice == invoice.id}
            going |= covered - conceded(credits)
        await self._billing.release(invoice.id, entries=sorted(going - names), events=sorted(going & names))
        for event in events:
            rest = event.kind == "above_cap" and event.evidence in going and not event.invoice
            if rest or (event.kind == "time" and event.key in going):
                # The work is billed anew whole, by an event of its own or with the next cycle.
                await self._billing.void_event(event.key, reason=f"credited by {row.id}")
            elif event.key in going and row.credit_reason == "billing_error":
                # Its invoice has ended under the old key: only a new revision can be billed again.
                await self._anew(event, row, list(events))
        return len(row.released)

    async def _released_work(self, row: InvoiceRow) -> bool:
        """Whether any of what was released is work, and still open."""
        for key in row.released:
            entry = await self._billing.entry(key)
            if entry is not None and not entry.invoice:
                return True
        return False

    async def _anew(self, event: BillingEventRow, row: InvoiceRow, kept: list[BillingEventRow]) -> str:
        """The next revision of a released event; the old one is void."""
        mine = [one for one in kept if (one.line, one.occasion) == (event.line, event.occasion)]
        newer = next((one for one in mine if one.revision > event.revision and not one.void), None)
        if newer is not None:
            return newer.key
        if not event.void:
            await self._billing.void_event(event.key, reason=f"credited by {row.id}, billed anew")
        revision = max(one.revision for one in mine) + 1
        key = f"{event.project}/{event.line}/{event.occasion}/{revision}"
        await self._billing.add_event(
            event.with_changes(key=key, revision=revision, void=False, invoice="", due_on=row.dated)
        )
        return key

    async def _work_event(self, row: InvoiceRow, kept: list[BillingEventRow]) -> str:
        number = 1 + sum(event.occasion.startswith("rebill-") for event in kept)
        occasion = f"rebill-{number}"
        event = BillingEventRow(
            key=f"{row.project}/0/{occasion}/1",
            project=row.project,
            line=0,
            kind="time",
            occasion=occasion,
            due_on=row.dated or row.service_to,
            service_from=row.service_from,
            service_to=row.service_to,
            evidence=row.id,
        )
        await self._billing.add_event(event)
        return event.key


def _sum_of(row: InvoiceRow, kind: str) -> Money:
    lines = row.priced.lines if row.priced else ()
    currency = row.priced.currency if row.priced else ""
    return total([line.line.net for line in lines if line.line.kind == kind], currency)


def _summary(row: InvoiceRow) -> PreparedCredit:
    priced = invoice_commands.priced_of(row)
    return PreparedCredit(
        net=priced.net,
        tax=priced.tax,
        gross=priced.gross,
        lines=len(priced.lines),
        content_hash=priced.content_hash,
        dated=row.dated,
    )
