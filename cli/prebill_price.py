"""What a pre-bill would come to if it were priced now: the same rules as the invoice, and nothing is kept."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cli.context import Session
    from domain.billable import Billable
    from domain.invoice_state import BillingEventRow, InvoiceRow, PricedInvoice
    from domain.project_contract import ProjectContract
    from store.billing_ports import ProjectTotals


async def expected(
    session: "Session",
    contract: "ProjectContract",
    row: "InvoiceRow",
    entries: "Sequence[Billable]",
    events: "Sequence[BillingEventRow]",
    totals: "ProjectTotals",
) -> "PricedInvoice":
    """The price of `row`: the kept one, else what the rules make of it. Raises `RuleError`."""
    from activities.billed_before import BilledBefore
    from cli.billing_reads import today
    from domain.invoice_case import InvoiceCase, UsedLimits
    from domain.invoicing import price_invoice
    from domain.money import Money
    from firm.billing_rules import FirmBillingRules

    if row.priced is not None:
        return row.priced
    before = BilledBefore(await session.store())
    rules, dated = FirmBillingRules(session.firm), row.dated or today()
    case = InvoiceCase(
        contract=contract,
        dated=dated,
        entries=tuple(entries),
        events=tuple(events),
        used=UsedLimits(
            billed=totals.billed,
            by_line=totals.billed_by_line,
            by_cap=await before.used_caps(contract, besides=row.id),
            retained=totals.retained,
            advance_left=totals.advance_left,
            expenses=totals.expenses or Money.zero(contract.currency),
        ),
        billed=(await before.reversed_by(row, entries)).billed,
        psa_invoice=row.psa_invoice,
    )
    made = price_invoice(case, rules.rate_cards(), lambda net: rules.expected_tax(contract, net, dated))
    return made.invoice
