"""An invoice in our own store: collected, approved, recorded as the ERP posted it, or let go.

Rows never travel: these activities read and write them by the id of the invoice, which is its workflow id.
"""

from collections.abc import Sequence
from datetime import date

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.billing_rows import BillingRows, store_refusals
from domain import invoice_commands
from domain.base import Canonical
from domain.books import InvoiceFacts
from domain.invoice_state import BillingEventRow, InvoiceRow
from domain.money import Money
from domain.outbound_notes import invoice_posted
from domain.project_contract import ProjectContract
from store.billing_ports import AlreadyCovered, Billing
from store.ports import Store

CHANGED_SINCE = "ChangedSince"
PAGE = 1000
_RACES = 5
"""How often another invoice may be faster with entries before the activity is repeated as a whole."""
_LEDGER_STATES = ("open", "paid", "credited")


class Collect(Canonical):
    invoice: str
    project: str
    events: tuple[str, ...]
    service_from: date
    service_to: date
    rebills: str = ""


class Collected(Canonical):
    """What is on the invoice, in sums; whose it is, for search attributes and routes."""

    entity: str
    customer: str
    region: str
    currency: str
    project_manager: str = ""
    prebill: bool = True
    prebill_hours: int = 48
    write_down_limit: Money | None = None
    entries: int = 0
    held: int = 0
    events: int = 0
    psa_invoice: str = ""
    """Id of the PSA's own document that is billed; empty where we price."""
    revision: int = 1
    """Of the draft: it is part of the draft's effect key."""


class ApproveIt(Canonical):
    invoice: str
    decision: str
    approver: str
    content_hash: str


class Posted(Canonical):
    """What the ERP posted, compared with what we priced."""

    number: str = ""
    due_on: date | None = None
    invoiced: Money
    """Net of all live invoices of the project, with this one."""
    differences: tuple[str, ...] = ()


class PostedAs(Canonical):
    invoice: str
    facts: InvoiceFacts


class Redate(Canonical):
    invoice: str
    dated: date
    revision: int
    """Of the draft that is made with the new day."""


class Discarded(Canonical):
    invoice: str
    empty: bool = False
    reason: str = ""


class InvoicingActivities:
    """On our own queue: Fairlead's store."""

    def __init__(self, store: Store) -> None:
        self._billing: Billing = store.billing
        self._rows = BillingRows(store)

    @activity.defn(name="invoicing.collect")
    async def collect(self, input: Collect) -> Collected:
        """Begin the invoice, and put its events and the work they bill on it; again adds what is new."""
        contract = await self._rows.contract(input.project)
        with store_refusals():
            row = await self._billing.put_invoice(await self._begun(input, contract))
            await self._billing.cover(row.id, events=input.events)
        events = await _events(self._billing, row)
        held = await self._cover_work(row, events, contract)
        terms, released = contract.terms, next((event for event in events if event.kind == "psa"), None)
        return Collected(
            entity=contract.entity,
            customer=contract.customer,
            region=contract.region,
            currency=contract.currency,
            project_manager=terms.project_manager,
            prebill=terms.prebill,
            prebill_hours=terms.prebill_hours,
            write_down_limit=terms.write_down_limit,
            entries=len(await self._billing.entries_of(row.id)),
            held=held,
            events=len(events),
            psa_invoice=released.evidence if released else "",
            revision=row.revision,
        )

    @activity.defn(name="invoicing.approve")
    async def approve(self, input: ApproveIt) -> None:
        """Bind the approval to the lines as they are. Fails with `ChangedSince` when they did change."""
        row = await self._rows.invoice(input.invoice)
        if row.priced is None or row.priced.content_hash != input.content_hash:
            raise ApplicationError(
                f"invoice {row.id} was changed after it was shown; look at it again",
                type=CHANGED_SINCE,
                non_retryable=True,
            )
        await self._billing.put_invoice(
            row.with_changes(
                stage="approved",
                approval=input.decision,
                approved_by=input.approver,
                approved_hash=input.content_hash,
            )
        )

    @activity.defn(name="invoicing.redate")
    async def redate(self, input: Redate) -> int:
        """Another day for a document that could not be posted on its own, such as in a closed period.

        Returns the revision of the draft that is made with it.
        """
        row = await self._rows.invoice(input.invoice)
        await self._billing.put_invoice(row.with_changes(dated=input.dated, revision=input.revision))
        return input.revision

    @activity.defn(name="invoicing.posted")
    async def posted(self, input: PostedAs) -> Posted:
        """Keep what the ERP posted: its number is the number. Says where it differs from our price."""
        row, facts = await self._rows.invoice(input.invoice), input.facts
        require_posted(facts)
        with store_refusals():
            done = row.with_changes(
                stage="posted",
                external_id=facts.external_id,
                number=facts.number,
                dated=facts.dated,
                due_on=facts.due_on,
                erp_net=facts.net,
                erp_tax=facts.tax,
            )
            await self._billing.put_invoice(done, tells=invoice_posted(done))
            await self._keep_remainders(row)
        rows = await self._billing.documents(row.project)
        return Posted(
            number=facts.number,
            due_on=facts.due_on,
            invoiced=invoice_commands.invoiced(rows, facts.currency),
            differences=differences(row, facts.net, facts.tax),
        )

    @activity.defn(name="invoicing.discard")
    async def discard(self, input: Discarded) -> int:
        """The invoice ends without being posted: everything on it is free again. Returns how much.

        A cycle in which nothing was billed is over: what comes late goes with the next one.
        """
        row = await self._billing.invoice(input.invoice)
        if row is None:
            return 0  # stopped before it began
        with store_refusals():
            await self._billing.put_invoice(row.with_changes(stage="empty" if input.empty else "discarded"))
            released = await self._billing.release(row.id)
            if input.empty:
                for event in await _events(self._billing, row):
                    if event.kind == "time" and not event.invoice:
                        await self._billing.void_event(event.key, reason=input.reason)
        return len(released)

    # -- inside -----------------------------------------------------------------------------------

    async def _begun(self, input: Collect, contract: ProjectContract) -> InvoiceRow:
        """The row as it stands; after a cancel it begins anew, as another draft."""
        row = await self._billing.invoice(input.invoice)
        first = InvoiceRow(
            id=input.invoice,
            project=input.project,
            entity=contract.entity,
            customer=contract.customer,
            events=input.events,
            service_from=input.service_from,
            service_to=input.service_to,
            rebills=input.rebills,
        )
        if row is not None and row.stage in ("discarded", "empty"):
            return first.with_changes(revision=row.revision + 1)
        return row or first

    async def _cover_work(
        self, row: InvoiceRow, events: Sequence[BillingEventRow], contract: ProjectContract
    ) -> int:
        """Put the work that is due on the invoice; how much is held back."""
        for _ in range(_RACES):
            due, held = await self._due_entries(row, events, contract)
            try:
                with store_refusals():
                    await self._billing.cover(row.id, entries=due)
                return held
            except ApplicationError as error:
                if error.type != AlreadyCovered.__name__:
                    raise
        raise ApplicationError(f"other invoices of {row.project} take its entries faster", type="Transient")

    async def _due_entries(
        self, row: InvoiceRow, events: Sequence[BillingEventRow], contract: ProjectContract
    ) -> tuple[list[str], int]:
        """Keys of the open work that the invoice bills, and how much of it is held back."""
        if not any(event.kind == "time" for event in events):
            return [], 0
        ours = {line.number for line in contract.lines if line.billing_authority == "fairlead"}
        only = await self._released_from(row) if row.rebills else None
        due: list[str] = []
        held, after = 0, ""
        while True:
            page = await self._billing.open_entries(
                row.project, up_to=row.service_to, after=after, limit=PAGE
            )
            for entry in page:
                if only is not None and entry.key not in only:
                    continue
                if entry.held:
                    held += 1
                elif entry.line in ours:
                    due.append(entry.key)
            if len(page) < PAGE:
                return due, held
            after = f"{page[-1].work_date}/{page[-1].key}"

    async def _released_from(self, row: InvoiceRow) -> set[str]:
        """A rebill contains what credit notes released by name, and nothing else."""
        known = await self._billing.documents(row.project, credits=row.rebills)
        credits = [one for one in known if one.stage in ("posted", "paid")]
        return {key for credit in credits for key in credit.released}

    async def _keep_remainders(self, row: InvoiceRow) -> None:
        """What a cap kept back of a billed entry is an event of its own, billed when the cap is raised."""
        if row.priced is None or not row.priced.above:
            return
        kept = await self._billing.events(row.project)
        for share in row.priced.above:
            mine = [event for event in kept if event.kind == "above_cap" and event.evidence == share.key]
            if all(event.void for event in mine):
                await self._billing.add_event(_remainder(row, share.key, share.net, len(mine) + 1))


async def _events(billing: Billing, row: InvoiceRow) -> list[BillingEventRow]:
    wanted = set(row.events)
    return [event for event in await billing.events(row.project) if event.key in wanted]


def _remainder(row: InvoiceRow, key: str, net: Money, revision: int) -> BillingEventRow:
    line = next(
        line.line.contract_line
        for line in (row.priced.lines if row.priced else ())
        if any(share.key == key for share in line.shares)
    )
    occasion = f"above-cap:{key}"
    return BillingEventRow(
        key=f"{row.project}/{line}/{occasion}/{revision}",
        project=row.project,
        line=line,
        kind="above_cap",
        occasion=occasion,
        revision=revision,
        amount=net,
        due_on=row.service_to,
        service_from=row.service_from,
        service_to=row.service_to,
        evidence=key,
    )


def require_posted(facts: InvoiceFacts) -> None:
    """Fails while the ERP does not show the document as posted, for good where it never will be."""
    if facts.state in _LEDGER_STATES:
        return
    raise ApplicationError(
        f"document {facts.external_id} was posted and the ERP shows it as {facts.state}",
        type="Transient" if facts.state == "draft" else "Rejected",
        non_retryable=facts.state != "draft",
    )


def differences(row: InvoiceRow, net: Money, tax: Money) -> tuple[str, ...]:
    """Where the posted document is not what was priced, to the cent."""
    if row.priced is None:
        return ()
    compared = (("net", row.priced.net, net), ("tax", row.priced.tax, tax))
    return tuple(
        f"{name}: priced {ours}, posted {theirs}" for name, ours, theirs in compared if ours != theirs
    )
