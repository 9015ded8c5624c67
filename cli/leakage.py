"""The leakage report as data: by currency and cause, with formula, period, source and what is not in it."""

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cli.keys import MOST
from cli.leakage_reads import Facts, facts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from cli.context import Session
    from domain.rules.leakage import LeakageItem

DEFINITION = (
    "Leakage = billable value earned in the period and not invoiced within the target, plus write-downs. "
    "Value: at the contract's price, work by its date, fixed amounts by their due day. Each has one cause."
)
SOURCE = "Fairlead's store: entries taken in, billing events, invoices as posted"
NOT_MEASURED = (
    "time that nobody recorded, or that its PSA holds unapproved: it never came in",
    "prices below the contract's that a PSA or an ERP set in its own documents",
)
MEANING = {
    "unapproved": "approved too late, or on a bill that waits for a person",
    "gate_red": "on a bill that a finding stops",
    "held": "held by its project manager",
    "cap_reached": "above a cap",
    "rate_missing": "no rate: its value is not known",
    "lost_event": "nothing stops it, and no bill came in time",
    "under_contract_rate": "billed under the contract's rate",
    "write_down": "written down",
    "not_recorded": "never recorded",
}
_LARGEST = 10


async def document(session: "Session", entity: str | None, first: "date", last: "date") -> dict[str, Any]:
    """Stable. `target_days` is the firm's threshold for unbilled work."""
    from firm.policies import snapshot

    now = datetime.now(UTC)
    target = snapshot(session.firm).alerts.unbilled_days
    groups = await facts(session, entity, first, last)
    return {
        "report": "leakage",
        "definition": DEFINITION,
        "source": SOURCE,
        "as_of": now,
        "first": first,
        "last": last,
        "target_days": target,
        "entity": entity,
        "currencies": [_of_currency(group, first, last, now.date(), target) for group in groups],
        "refused_at_intake": await _refused(session),
        "not_measured": list(NOT_MEASURED),
    }


def _of_currency(group: Facts, first: "date", last: "date", as_of: "date", target: int) -> dict[str, Any]:
    from domain.leakage_facts import earned, event_items, work_items
    from domain.rules.leakage import leakage

    items = work_items(group.work, group.currency, target) + event_items(group.events, as_of)
    whole = earned(group.work, group.events, first, last, group.currency)
    shown: dict[str, Any] = {
        "currency": group.currency,
        "earned": whole,
        "entries_without_rate": sum(fact.value is None for fact in group.work),
        "problems": group.problems,
    }
    if whole.amount <= 0:
        return shown | {"total": None, "percent": None, "formula": "", "causes": [], "largest": []}
    made = leakage(items, whole, first, last, as_of, target)
    causes = [
        {
            "cause": row.cause,
            "meaning": MEANING[row.cause],
            "value": row.value,
            "late": row.late,
            "count": row.count,
        }
        for row in made.rows
    ]
    figures = {"total": made.total, "percent": made.percent, "formula": made.formula}
    return shown | figures | {"causes": causes, "largest": _largest(items, made.first, as_of, target)}


def _largest(
    items: "Sequence[LeakageItem]", first: "date", as_of: "date", target: int
) -> list[dict[str, Any]]:
    """The largest of what is still open: what to act on."""
    open_ones = [
        item
        for item in items
        if item.invoiced_on is None
        and item.value.amount
        and item.earned_on >= first
        and ((as_of - item.earned_on).days > target or item.cause == "write_down")
    ]
    ordered = sorted(open_ones, key=lambda item: (-item.value.amount, item.key))
    return [
        {"key": item.key, "cause": item.cause, "value": item.value, "earned_on": item.earned_on}
        for item in ordered[:_LARGEST]
    ]


async def _refused(session: "Session") -> list[dict[str, Any]]:
    """Entries that were not taken in have no value here: only how many, and by which rule."""
    problems = await (await session.store()).billing.problems(limit=MOST)
    counts = Counter(problem.rule for problem in problems)
    return [{"rule": rule, "count": count} for rule, count in counts.most_common()]
