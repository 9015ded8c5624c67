"""Intake: pages of approved work as a PSA hands them over, and its own released invoices."""

from datetime import date
from typing import Literal

from pydantic import AwareDatetime

from domain.base import Canonical, Value
from domain.delivery import Expense, TimeEntry
from domain.money import Money


class Unreadable(Value):
    """A record the PSA holds and we refuse: what is wrong with it, for the one who can cure it."""

    kind: Literal["time", "expense"]
    external_id: str
    field: str
    problem: str
    project_external_id: str = ""
    version: AwareDatetime | None = None


class FeedPosition(Value):
    """Where a drain of a feed stands: changes from `since` on, and the page to read next."""

    since: AwareDatetime | None = None
    page: str = ""
    """The connector's own token of the next page; empty for the first."""


class WorkPage(Canonical):
    """One page of approved work, oldest change first. The same entry may come again; never fewer."""

    entries: tuple[TimeEntry, ...] = ()
    expenses: tuple[Expense, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    next_page: str = ""
    """Token of the page after this; empty at the end."""
    mark: AwareDatetime | None = None
    """Newest change stamp seen up to here: the next drain begins there, less an overlap."""


class PsaInvoiceLine(Value):
    ref: str
    kind: Literal["time", "expense", "milestone", "other"]
    description: str
    net: Money
    entry_ids: tuple[str, ...] = ()


class PsaInvoice(Canonical):
    """An invoice a PSA released, to become exactly one invoice of the ERP."""

    external_id: str
    number: str = ""
    project_external_id: str
    currency: str
    net: Money
    state: Literal["draft", "released", "cancelled", "paid"]
    dated: date
    lines: tuple[PsaInvoiceLine, ...] = ()
    ours: bool = False
    """Made by `RecordBilling`: it tells what was billed and is never billed again."""
    version: AwareDatetime
