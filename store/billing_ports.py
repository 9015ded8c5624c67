"""What billing asks of Fairlead's own database: the guard that nothing is ever billed twice.

The store is the guard, not the flag of a PSA: an entry, and a billing event, is on one live invoice, by a
unique constraint. As in `store.ports`, every method is idempotent under repetition with the same
arguments, and writes its audit entries in its own transaction.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from domain.base import Canonical
from domain.billable import Adjustment, Billable, IntakeProblem, WorkedTime
from domain.invoice_state import BillingEventRow, InvoiceRow, InvoiceStage
from domain.money import Money
from domain.outbound import OutboxNote
from domain.project_contract import ProjectContract
from domain.time_posting import SetAside
from store.ports import StoreError


class AlreadyCovered(StoreError):
    """An entry or event is on another live invoice; the text names both."""


class OverDrawn(StoreError):
    """More of an advance, a retention or a hard cap is used than there is; the text says what is left."""


class TakenIn(Canonical):
    """What became of a page of entries."""

    new: int = 0
    same: int = 0
    replaced: int = 0
    """Unbilled entries that their source changed since."""
    refused: tuple[tuple[str, str], ...] = ()
    """(key, why): a billed entry changed, or the same version with other content. The first stands."""
    cleared: tuple[tuple[str, str], ...] = ()
    """(key, why): of the replaced, those whose adjustment fell, because it was made for another price."""


class ProjectTotals(Canonical):
    """What a project has used of its limits, over all live invoices."""

    billed: Money
    """Net, before retention and advances; posted credit notes taken off."""
    retained: Money
    """Held and not yet released."""
    advance_left: Money
    """Of posted advances, less what live invoices apply."""
    billed_by_line: dict[int, Money] = {}
    expenses: Money | None = None
    """What of expenses was rebilled, net and before markup: what counts against the expense cap."""


class UnbilledLine(Canonical):
    """Approved and not billed, of one project: for alerts, work lists and the leakage report."""

    project: str
    entity: str
    currency: str
    cause: str
    """`ready`, `held`, `parked` (above a cap), or `not_billable`."""
    entries: int
    oldest: date
    minutes: int = 0
    """Of time kept in minutes or hours, to the whole minute; a day has no fixed length."""
    expenses: Money | None = None


class Billing(Protocol):
    """Contracts, billables, billing events and invoices."""

    # -- contracts

    async def put_contract(self, contract: ProjectContract) -> None:
        """Keep a revision. The same revision with other content raises `StoreError`."""

    async def contract(self, project: str, revision: int | None = None) -> ProjectContract | None:
        """The newest revision, or the one asked for."""

    async def projects(self, entity: str | None = None, after: str = "", limit: int = 200) -> Sequence[str]:
        """Numbers of projects with a contract, in order, after `after`."""

    # -- billables

    async def take_in(self, entries: Sequence[Billable]) -> TakenIn:
        """Keep a page of entries in one transaction.

        The same content is the same entry. Other content replaces what is kept when its source's version
        is newer and no live invoice has it; else the first stands. A replaced entry stays held or parked
        if it was, and keeps an adjustment only while what it was made for is worth the same.
        """

    async def refuse(self, problems: Sequence[IntakeProblem]) -> int:
        """Keep what was refused; returns how many are new. `take_in` of the key heals it."""

    async def problems(
        self, *, owner: str | None = None, project: str | None = None, limit: int = 200
    ) -> Sequence[IntakeProblem]:
        """Unhealed, oldest first."""

    async def set_aside(self, wish: SetAside) -> None:
        """Leave out what is refused of one source and owner, as it stood when that was decided.

        It is no problem any more until its content changes, or it is refused for something else.
        """

    async def entry(self, key: str) -> Billable | None: ...

    async def worked(self, source: str, days: Sequence[tuple[str, date]]) -> Sequence[WorkedTime]:
        """Time that `source` gave of these persons on these days (resource, work date), billable or not.

        Asked for every page of intake, with up to 200 days: backed by an index."""

    async def open_entries(
        self, project: str, *, line: int | None = None, up_to: date, after: str = "", limit: int = 1000
    ) -> Sequence[Billable]:
        """Billable, on no live invoice, worked until `up_to` (held and parked ones included, for the review),
        in order of work date and key, after the entry whose `<work date>/<key>` is `after`."""

    async def entries_of(self, invoice: str) -> Sequence[Billable]:
        """Entries a live invoice covers, in order of work date and key."""

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
        """Change one entry, once per `decision`; what is None stays.

        Raises `StoreError` for an entry on a posted invoice, for a line its contract does not have, and
        for the same decision with another change.
        """

    # -- events

    async def add_event(self, event: BillingEventRow) -> bool:
        """False when its key is there already. The same key with another amount raises `StoreError`."""

    async def events(self, project: str, *, open_only: bool = False) -> Sequence[BillingEventRow]: ...

    async def void_event(self, key: str, *, reason: str) -> None:
        """Raises `AlreadyCovered` while a live invoice bills it."""

    # -- invoices

    async def put_invoice(self, invoice: InvoiceRow, *, tells: Sequence[OutboxNote] = ()) -> InvoiceRow:
        """Insert or replace by id; what it uses of limits follows its price, unchecked (see `settle`).

        `tells` is noted in the same transaction, each event once.

        A row never goes back from `posted`, and its price, number and id in the ERP stay from there on.
        Raises `StoreError` then. A credit note (`credits`) states amounts with its invoice's sign.
        """

    async def invoice(self, id: str) -> InvoiceRow | None: ...

    async def invoices(
        self,
        *,
        project: str | None = None,
        stage: InvoiceStage | None = None,
        customer: str | None = None,
        limit: int = 200,
    ) -> Sequence[InvoiceRow]:
        """The last changed ones, to be looked at. What is summed up takes `documents`."""

    async def documents(self, project: str, *, credits: str | None = None) -> Sequence[InvoiceRow]:
        """All invoices and credit notes of a project, or the credit notes to `credits`; newest first."""

    async def cover(self, invoice: str, *, entries: Sequence[str] = (), events: Sequence[str] = ()) -> None:
        """Put entries and events on a live invoice whose row is kept, all or none.

        Raises `AlreadyCovered`; `StoreError` for what is not billable, void or of another project, and
        when the invoice is posted already.
        """

    async def release(
        self, invoice: str, *, entries: Sequence[str] | None = None, events: Sequence[str] | None = None
    ) -> Sequence[str]:
        """Take named entries and events off an invoice, or everything where neither is named.

        Returns what came free, in a repeat the same again. Raises `StoreError` for a posted invoice that
        is neither `credited` nor has a posted credit note: it would be billed twice.
        """

    async def settle(
        self, invoice: str, row: InvoiceRow, *, seen: ProjectTotals | None = None
    ) -> ProjectTotals:
        """Record the priced invoice with its draw-down of advance, retention and caps, in one transaction.

        `seen` are the totals without it that it was priced on; other ones by now raise `OverDrawn`, since
        tiers, caps and the customer's order would come out otherwise. A credit note may take back no more
        of a line, and no entry, than other live credit notes have left.

        Raises `OverDrawn` when a concurrent invoice has used what this one counts on: it is priced again.
        An advance can be drawn, and a retention released, from the moment it is posted. Raises `StoreError`
        when it bills what it does not cover, or its lines do not bear out the retention or advance stated.
        Returns the totals with this invoice.
        """

    async def totals(self, project: str, *, without: str = "") -> ProjectTotals:
        """Used limits of a project, over its live invoices other than `without`."""

    # -- looking back

    async def unbilled(self, as_of: date, *, project: str | None = None) -> Sequence[UnbilledLine]:
        """What is on no live invoice now and was worked until `as_of`, by project, currency and cause."""

    async def approved_after(self, days: int, since: datetime) -> Sequence[Billable]:
        """Entries approved more than `days` after their work date, taken in since: late approvals.

        The day of an approval is that of UTC.
        """
