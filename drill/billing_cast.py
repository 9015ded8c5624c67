"""The projects of the billing drill: three entities, three ways of billing, three ways to go wrong.

hours     time with a cap, expenses, retention, a reviewed pre-bill; two entries credited and billed again
phases    an advance, milestones (one above the approval limit), a whole credit note, billed again
undone    time; its first posting is refused for good: undone, then billed again
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from domain.attention import AttentionItem, DecisionAction
from domain.money import Money
from drill.billing_stage import Sold, Spent, ToBill, Worked, numbered
from drill.billing_story import Project, Stuck, try_again
from drill.lane import Lane
from local.ephemeral import FAST_TIMING

_LATER = timedelta(days=300)
_AGO = timedelta(days=17)
"""Contracts began so long ago: what is worked since then can be billed today."""
HOURS, PHASES, UNDONE, REFUSED = "DE01-HOURS", "US01-PHASES", "IN01-UNDONE", "DE01-REFUSED"
POST_STEP = "erp.post"

_LINE = {"tax_rounding": '"line"'}
"""The ERP of the sandbox taxes each line by itself, and so do we."""
TERMS: Mapping[str, Mapping[str, str]] = {
    HOURS: {"retention_percent": '"10"', "prebill": "true", **_LINE},
    PHASES: {"advance": '"6000"', "currency": '"USD"', "prebill": "false", **_LINE},
    UNDONE: {"prebill": "false", "po_required": "false", **_LINE},
    REFUSED: {"prebill": "false", **_LINE},
}
"""What the firm's file says of each contract, as TOML."""

FIRM_VALUES: Mapping[str, Mapping[str, str]] = {
    "timing": {**FAST_TIMING, "own_timeout": "5.0"},
    **{f'billing.contracts."C-{number}"': terms for number, terms in TERMS.items()},
}
"""A write into our own store has no heartbeat: that its worker is dead is seen after `own_timeout`."""
Story = Callable[[Project, date], Awaitable[None]]


@dataclass(frozen=True)
class Role:
    """A project and what happens in it."""

    to_bill: ToBill
    story: Story
    write_down: str = ""

    @property
    def number(self) -> str:
        return self.to_bill.number


def cast(today: date, deals: Mapping[str, Sequence[str]]) -> list[Role]:
    """The three projects. `deals` are signed ones by their currency; each project has one of its own."""
    start = today - _AGO
    days = [start + timedelta(days=2 + number) for number in range(8)]
    hours = ToBill(
        HOURS,
        deals["EUR"][0],
        start,
        start + _LATER,
        sold=numbered([Sold("Architecture", price="180", cap="6000"), Sold("Support", price="95.50")]),
        work=[Worked(line, day, "5" if line == 1 else "2.5") for line in (1, 2) for day in days],
        spent=[Spent(1, days[1], "119.37")],
    )
    milestones = [Sold("Concept", amount="12000"), Sold("Hand-over", amount="120000")]
    phases = ToBill(PHASES, deals["USD"][0], start, start + _LATER, sold=numbered(milestones))
    undone = ToBill(
        UNDONE,
        deals["INR"][0],
        start,
        start + _LATER,
        sold=numbered([Sold("Testing", price="4100")]),
        work=[Worked(1, day, "6.25", person=1) for day in days[:5]],
    )
    return [Role(hours, by_hours, write_down="50.00"), Role(phases, by_phases), Role(undone, once_undone)]


def refused_project(today: date, deal: str) -> ToBill:
    """The project whose every write is refused for good once."""
    start = today - _AGO
    days = [start + timedelta(days=2 + number) for number in range(4)]
    return ToBill(
        REFUSED,
        deal,
        start,
        start + _LATER,
        sold=numbered([Sold("Migration", price="140"), Sold("Training", price="110")]),
        work=[Worked(line, day, "4", person=2) for line in (1, 2) for day in days],
    )


async def prepare(lane: Lane, today: date) -> None:
    """Arm what belongs to the stories themselves, and happens in the fault-free run too.

    The refusal lasts: a worker may be killed before it has heard of it. The next generation has another key.
    """
    step = f"invoice/{lane.firm}/{UNDONE}:0:{today.isoformat()}:1/{POST_STEP}/1"
    await lane.arm_fault(kind="reject", match=step, only="writes")


async def by_hours(project: Project, today: date) -> None:
    await project.begin()
    await project.bill_now(today - timedelta(days=11))
    first = await project.invoice_of((today - timedelta(days=11)).isoformat())
    await project.bill_now(today)
    second = await project.invoice_of(today.isoformat())
    entries = [entry.key for entry in await project.lane.store.billing.entries_of(first.id)]
    named = tuple(sorted(key for key in entries if ":time:" in key)[:2])
    await _credited(project, first.id, entries=named, rebill=True)
    conceded = Money.of("100", project.contract.currency)
    await _credited(project, second.id, reason="concession", reason_text="agreed", amount=conceded)


async def by_phases(project: Project, today: date) -> None:
    await project.begin()
    await project.accept(1, times=3)
    await project.accept(2)
    concept = await project.invoice_of("1")
    await _credited(project, concept.id, rebill=True)


async def once_undone(project: Project, today: date) -> None:
    project.decide = _give_posting_up
    await project.begin()
    await project.bill_now(today)
    row = await project.invoice_of(today.isoformat())
    if row.stage != "discarded":
        raise Stuck(f"{row.id}: refused for good and given up, but it is {row.stage}")
    project.decide = try_again
    await project.bill_now(today)


async def _credited(project: Project, invoice: str, **asked: object) -> None:
    result = await project.credit(invoice, **asked)
    if result.state != "posted":
        raise Stuck(f"the credit note to {invoice} ended {result.state}: {result.reason}")


def _give_posting_up(item: AttentionItem) -> DecisionAction | None:
    """A posting that fails is given up; anything else passes."""
    return "compensate" if item.step == POST_STEP else try_again(item)
