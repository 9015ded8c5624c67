"""Pricing an invoice: its case is read from store and firm's file, priced by pure rules, and kept."""

from collections.abc import Sequence
from datetime import date
from typing import Protocol
from zoneinfo import ZoneInfo

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.billed_before import BilledBefore
from activities.billing_rows import BillingRows, store_refusals
from activities.boundary import Clock, utc_now
from domain.base import Canonical
from domain.billable import Billable
from domain.invoice_case import InvoiceCase, UsedLimits
from domain.invoice_state import InvoiceFinding, InvoiceRow, PricedInvoice
from domain.invoicing import Priced, price_invoice
from domain.money import Money
from domain.project_contract import ProjectContract
from domain.rules.approval import ApprovalNeed
from domain.rules.errors import RuleError
from domain.rules.tax import ExpectedTax
from domain.selling import RateCard
from store.billing_ports import Billing, OverDrawn, ProjectTotals
from store.ports import Store

_RACES = 5
_SHOWN = 20
"""Findings that travel; the rest are counted, and in the store."""


class BillingRules(Protocol):
    """The firm's file, as far as prices depend on it."""

    def rate_cards(self) -> Sequence[RateCard]: ...

    def expected_tax(self, contract: ProjectContract, net: Money, on: date) -> ExpectedTax: ...

    def approval_need(self, total: Money, contract: ProjectContract, on: date) -> ApprovalNeed: ...


class PriceIt(Canonical):
    invoice: str
    without_rate: bool = False
    time_zone: str = "UTC"
    """Of the billing entity: its day is the day of the document."""


class PricedSummary(Canonical):
    """What the invoice comes to; its lines are in the store."""

    net: Money
    tax: Money
    gross: Money
    lines: int = 0
    entries: int = 0
    """Entries on it."""
    content_hash: str = ""
    findings: tuple[InvoiceFinding, ...] = ()
    blocking: int = 0
    approval: str = ""
    """Why a second person has to approve it; empty when nobody has to."""


class PricingActivities:
    """On our own queue: Fairlead's store and the firm's file."""

    def __init__(self, store: Store, rules: BillingRules, clock: Clock = utc_now) -> None:
        self._billing: Billing = store.billing
        self._rows = BillingRows(store)
        self._before = BilledBefore(store)
        self._rules = rules
        self._clock = clock

    @activity.defn(name="invoicing.price")
    async def price(self, input: PriceIt) -> PricedSummary:
        """Price what the invoice covers, take its share of caps, advance and retention, and keep it.

        Another invoice of the project that was faster with the last of a limit only means that this one
        is priced again, on what is left.
        """
        row = await self._rows.invoice(input.invoice)
        contract = await self._rows.contract(row.project)
        dated = row.dated or self._clock().astimezone(ZoneInfo(input.time_zone)).date()
        for _ in range(_RACES):
            try:
                return await self._priced(row, contract, dated, without_rate=input.without_rate)
            except OverDrawn:
                continue
            except RuleError as error:
                raise ApplicationError(
                    str(error),
                    {"field": error.field, "rule": error.rule},
                    type="Rejected",
                    non_retryable=True,
                ) from error
        raise ApplicationError(f"other invoices of {row.project} use its limits faster", type="Transient")

    async def _priced(
        self, row: InvoiceRow, contract: ProjectContract, dated: date, *, without_rate: bool
    ) -> PricedSummary:
        totals = await self._billing.totals(row.project, without=row.id)
        entries = await self._billing.entries_of(row.id)
        reversed_ones = await self._before.reversed_by(row, entries)
        case = InvoiceCase(
            contract=contract,
            dated=dated,
            entries=tuple(entries),
            events=tuple(e for e in await self._billing.events(row.project) if e.key in row.events),
            used=await self._used(contract, totals, row),
            billed=reversed_ones.billed,
            psa_invoice=row.psa_invoice,
            without_rate=without_rate,
        )
        priced = price_invoice(
            case, self._rules.rate_cards(), lambda net: self._rules.expected_tax(contract, net, dated)
        )
        need = self._rules.approval_need(priced.invoice.gross, contract, dated)
        row = _kept(row, priced.invoice, dated, needed=need.needed)
        await self._billing.settle(row.id, row, seen=totals)
        if not priced.invoice.blocked:
            with store_refusals():
                await self._let_go(row, priced, entries)
                superseded = reversed_ones.superseded(priced.left_out)
                if superseded:
                    await self._billing.cover(row.id, events=superseded)
        return _summary(priced, need.reason if need.needed else "", len(entries) - len(priced.left_out))

    async def _let_go(self, row: InvoiceRow, priced: Priced, entries: Sequence[Billable]) -> None:
        """What is not billed leaves the invoice, parked where a cap keeps it out.

        Only when nothing blocks: until then a cure may bring it back.
        """
        if priced.left_out:
            await self._billing.release(row.id, entries=priced.left_out)
        parked, decision = set(priced.invoice.parked), f"{row.id}/cap/{priced.invoice.content_hash[:12]}"
        for entry in entries:
            now_parked = entry.key in parked
            if entry.parked != now_parked and (now_parked or entry.key not in priced.left_out):
                await self._billing.adjust(entry.key, decision=decision, parked=now_parked)

    async def _used(self, contract: ProjectContract, totals: ProjectTotals, row: InvoiceRow) -> UsedLimits:
        return UsedLimits(
            billed=totals.billed,
            by_line=totals.billed_by_line,
            by_cap=await self._before.used_caps(contract, besides=row.id),
            retained=totals.retained,
            advance_left=totals.advance_left,
            expenses=totals.expenses or Money.zero(contract.currency),
        )


def _kept(row: InvoiceRow, priced: PricedInvoice, dated: date, *, needed: bool) -> InvoiceRow:
    """The row with its price; an approval of other lines is void."""
    if row.approval and row.approved_hash == priced.content_hash:
        return row.with_changes(stage="approved", priced=priced, dated=dated, approval_needed=needed)
    return row.with_changes(
        stage="priced",
        priced=priced,
        dated=dated,
        approval_needed=needed,
        approval="",
        approved_by="",
        approved_hash="",
    )


def _summary(priced: Priced, approval: str, entries: int) -> PricedSummary:
    invoice = priced.invoice
    # Those that block first: of many findings, these are read.
    findings = sorted(invoice.findings, key=lambda finding: not finding.blocking)
    return PricedSummary(
        net=invoice.net,
        tax=invoice.tax,
        gross=invoice.gross,
        lines=len(invoice.lines),
        entries=entries,
        content_hash=invoice.content_hash,
        findings=tuple(findings[:_SHOWN]),
        blocking=sum(finding.blocking for finding in invoice.findings),
        approval=approval,
    )
