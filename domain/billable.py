"""Billables: approved work as it waits to be billed, and what a project manager made of it."""

from datetime import date
from typing import Literal

from pydantic import AwareDatetime

from domain.base import Canonical, Value
from domain.money import Money
from domain.quantity import Quantity

EntryKind = Literal["time", "expense"]


class Adjustment(Value):
    """A write-down (below zero) or write-up of one entry's price. It changes revenue, never cost."""

    amount: Money
    reason_code: str
    reason: str = ""
    by: str
    seconded_by: str = ""


class Billable(Canonical):
    """One approved entry. `key` is its identity for ever: `<source>:time:<id>` or `<source>:expense:<id>`."""

    key: str
    kind: EntryKind
    source: str
    external_id: str
    version: AwareDatetime | None = None
    content_hash: str
    """Of what the source said; the same id with another hash is another content."""
    project: str
    line: int
    """Number of the contract line it is billed under."""
    task_ref: str = ""
    entity: str
    resource: str
    role: str = ""
    grade: str = ""
    work_date: date
    quantity: Quantity | None = None
    """Of time."""
    amount: Money | None = None
    """Of an expense: net of recoverable tax, before markup."""
    category: str = ""
    """Of an expense: what a per diem goes by."""
    billable: bool = True
    narrative: str = ""
    approved_by: str = ""
    approved_at: AwareDatetime | None = None
    reverses: str = ""
    """Key of the entry that this one reverses."""
    held: bool = False
    hold_reason: str = ""
    parked: bool = False
    """Above a cap: billed when the cap is raised, or written off."""
    adjustment: Adjustment | None = None
    invoice: str = ""
    """Id of the one live invoice that covers it."""


class WorkedTime(Value):
    """Time of one person on one day, as it is kept: what a day's sum is made of."""

    key: str
    resource: str
    work_date: date
    minutes: int
    """Zero for time given in days, which have no fixed length."""
    content_hash: str


class IntakeProblem(Canonical):
    """An entry that was refused: who can cure it and what it is worth. Healed when the entry comes in."""

    key: str
    field: str
    rule: str
    problem: str
    owner: str
    """Owner group."""
    project: str = ""
    amount: str = ""
    external_id: str = ""
    since: AwareDatetime | None = None
    """Where its feed stood before the page that brought it; a drain from there brings it again."""
    content_hash: str = ""
    """Of the entry as it was refused; empty for what cannot be read."""
    set_aside: str = ""
    """Decision by which people left it out as it was: no exception for it, until it changes."""
    found_at: AwareDatetime
    healed_at: AwareDatetime | None = None
