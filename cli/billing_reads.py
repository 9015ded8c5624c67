"""What the billing commands read of the store together: contracts, open work, and what it is worth."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from cli.billing_keys import find_contract
from cli.keys import MOST

if TYPE_CHECKING:
    from cli.context import Session
    from domain.billable import Billable
    from domain.invoice_state import BillingEventRow, InvoiceRow
    from domain.money import Money
    from domain.project_contract import ProjectContract
    from domain.work_value import ValuedWork
    from store.billing_ports import ProjectTotals

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Work:
    """Approved work of one project that is in no ledger, with what it is worth."""

    entries: "Sequence[Billable]"
    valued: "ValuedWork"
    currency: str
    problem: str = ""
    """Why nothing of it could be valued."""

    def sum(self, state: str = "") -> "Money":
        return self.valued.sum_of(self.of(state), self.currency)

    def of(self, state: str) -> "list[Billable]":
        """Entries `ready`, `held` or `parked`; all for ""."""
        return [entry for entry in self.entries if state in ("", state_of(entry))]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a project's billing stands: its contract, what it used, and what is unbilled."""

    contract: "ProjectContract"
    totals: "ProjectTotals"
    work: Work


def state_of(entry: "Billable") -> str:
    """`held` by a person, `parked` above a cap, else `ready`."""
    return "held" if entry.held else "parked" if entry.parked else "ready"


def today() -> date:
    return datetime.now(UTC).date()


async def contracts(session: "Session", project: str | None = None) -> "list[ProjectContract]":
    """The contract of `project`, or all there are. Raises `Stop` for a project without one."""
    if project is not None:
        return [await find_contract(session, project)]
    billing = (await session.store()).billing
    found: list[ProjectContract] = []
    after = ""
    while page := await billing.projects(after=after, limit=_PAGE):
        read = [await billing.contract(number) for number in page]
        found += [contract for contract in read if contract is not None]
        after = page[-1]
    return found


async def open_entries(session: "Session", project: str, up_to: date) -> "list[Billable]":
    """Billable work on no live invoice, all of it, in order of work date."""
    billing = (await session.store()).billing
    found: list[Billable] = []
    after = ""
    while True:
        page = await billing.open_entries(project, up_to=up_to, after=after, limit=_PAGE)
        found += page
        if len(page) < _PAGE:
            return found
        after = f"{page[-1].work_date}/{page[-1].key}"


def valued(session: "Session", contract: "ProjectContract", entries: "Sequence[Billable]") -> Work:
    """`entries` at the contract's price; where no price can be made of them, the work says why."""
    from domain.rules.errors import RuleError
    from domain.work_value import ValuedWork, value_work

    try:
        return Work(
            entries,
            value_work(entries, contract, list(session.firm.cards.values())),
            contract.currency,
        )
    except RuleError as error:
        return Work(entries, ValuedWork(), contract.currency, problem=str(error))


async def standing(session: "Session", contract: "ProjectContract", up_to: date) -> Standing:
    """What is billed, and what is approved and unbilled: on no invoice, or on one whose price claims nothing,
    since it is collected only or blocked."""
    billing = (await session.store()).billing
    entries = await open_entries(session, contract.project, up_to)
    for row in await open_rows(session, contract.project):
        if row.priced is None or row.priced.blocked:
            entries += await billing.entries_of(row.id)
    totals = await billing.totals(contract.project)
    return Standing(contract, totals, valued(session, contract, entries))


async def open_rows(session: "Session", project: str | None = None) -> "list[InvoiceRow]":
    """Invoices and credit notes on their way, the oldest first."""
    from cli.billing_keys import OPEN

    rows = await (await session.store()).billing.invoices(project=project, limit=MOST)
    return [row for row in reversed(rows) if row.stage in OPEN]


async def events_of(session: "Session", row: "InvoiceRow") -> "list[BillingEventRow]":
    found = await (await session.store()).billing.events(row.project)
    return [event for event in found if event.key in row.events]
