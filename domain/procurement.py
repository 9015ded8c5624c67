"""What a project needs of suppliers: planned from its deal, compared with what procurement holds. Pure.

    need -> requested -> approved -> ordered -> accepted
                |-> rejected -> requested anew, or left          every state -> withdrawn

Lines of one supplier share a requisition, and so an order: together they are a purchase.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from domain import activation, corrections
from domain.buying import PurchaseOrder, PurchaseRequisition
from domain.money import Money, exact
from domain.policy import ProcurementLimits
from domain.procurement_process import (
    ACCEPTED,
    AWAITING_ACCEPTANCE,
    AWAITING_APPROVAL,
    AWAITING_ORDER,
    REQUISITION_DUE,
    WITHDRAWN,
    LineState,
    ProcurementFacts,
    ProcurementLine,
    PurchaseNeed,
    Requested,
)
from domain.selling import Deal

_STAGES: Mapping[LineState, str] = {
    "need": REQUISITION_DUE,
    "rejected": REQUISITION_DUE,
    "requested": AWAITING_APPROVAL,
    "approved": AWAITING_ORDER,
    "ordered": AWAITING_ACCEPTANCE,
    "accepted": ACCEPTED,
    "withdrawn": WITHDRAWN,
}
CORRECTABLE: Mapping[str, str] = {
    "supplier": "supplier",
    "quantity": "hours",
    "cost_rate": "rate",
    "starts_on": "starts_on",
    "ends_on": "ends_on",
}
"""Field of a contract line -> field of its need."""


# -- what is needed, and what was asked for -------------------------------------------------------------


def lines_of(
    needs: Iterable[PurchaseNeed], requested: Iterable[Requested], now: datetime
) -> tuple[ProcurementLine, ...]:
    """The lines of a project as procurement takes them over, with what was requested already."""
    lines = [
        ProcurementLine(
            ref=need.ref,
            name=need.name,
            supplier=need.supplier,
            role=need.role,
            need=need,
            sold=need,
            since=now,
        )
        for need in needs
    ]
    for one in requested:
        lines = list(with_request(lines, one, now))
    return tuple(lines)


def with_request(
    lines: Sequence[ProcurementLine], one: Requested, now: datetime
) -> tuple[ProcurementLine, ...]:
    """`lines` with a requisition for some of them."""
    return tuple(
        line.with_changes(
            state="requested",
            since=now,
            key=one.key,
            requisition=one.requisition,
            requisition_number=one.number or one.requisition,
            supplier_id=one.supplier_id,
            rate=one.rates[line.ref],
            amount=one.amounts[line.ref],
            redo=False,
            note="",
            order="",
            order_number="",
            ordered=None,
            agreed=None,
            seen=None,
        )
        if line.ref in one.amounts
        else line
        for line in lines
    )


# -- changes of the contract and corrections ----------------------------------------------------------


def with_deal(lines: Sequence[ProcurementLine], deal: Deal, now: datetime) -> tuple[ProcurementLine, ...]:
    """`lines` as the deal wants them now: what it no longer names is dropped, what is new is needed.

    A deal that is lost wants nothing. One that is won and not signed changes nothing yet.
    """
    if not deal.won:
        return dropped(lines, f"deal {deal.external_id} is lost: {deal.stage}")
    if not deal.signed:
        return tuple(lines)
    wanted = {need.ref: need for need in activation.purchase_needs(deal)}
    kept = [_wanted(line, wanted.pop(line.ref, None), deal, now) for line in lines]
    return (*kept, *lines_of(wanted.values(), (), now))


def _wanted(line: ProcurementLine, need: PurchaseNeed | None, deal: Deal, now: datetime) -> ProcurementLine:
    if need is None:
        return _drop(line, f"deal {deal.external_id} names it no longer")
    if line.state == "withdrawn":
        if not line.dropped.startswith("deal "):
            return line  # a person has left it
        return again(line).with_changes(need=need, sold=need, dropped="", since=now)
    kept = line.with_changes(dropped="") if line.dropped.startswith("deal ") else line
    if line.need is None or need == line.sold:
        return kept
    changed = kept.with_changes(need=need.with_changes(rate=line.need.rate), sold=need)
    if line.state in ("need", "rejected"):
        return changed
    if line.state in ("requested", "approved"):
        return changed.with_changes(redo=True)
    # Ordered: its order is compared with what is wanted now, and a person brings the two together.
    rate = line.rate if line.rate is not None else Decimal(0)
    return changed.with_changes(amount=Money.rounded(need.hours * rate, need.currency), agreed=None)


def dropped(lines: Sequence[ProcurementLine], why: str) -> tuple[ProcurementLine, ...]:
    """`lines`, none of which is wanted any more."""
    return tuple(_drop(line, why) for line in lines)


def _drop(line: ProcurementLine, why: str) -> ProcurementLine:
    if line.dropped or line.state == "withdrawn":
        return line
    state = "withdrawn" if not line.key else line.state
    return line.with_changes(dropped=why, state=state)


def corrected(lines: Sequence[ProcurementLine], payload: Mapping[str, str]) -> tuple[ProcurementLine, ...]:
    """`lines` with what a person stated, by path. Raises `ValueError` naming path, value and form."""
    found = list(lines)
    for path, text in payload.items():
        head, _, field = path.partition(".")
        ref = head.removeprefix("lines[").removesuffix("]")
        place = next((n for n, line in enumerate(found) if line.ref == ref and line.need), None)
        if field not in CORRECTABLE or place is None:
            fields = ", ".join(f"lines[N].{name}" for name in CORRECTABLE)
            known = ", ".join(line.ref for line in lines)
            raise ValueError(f"{path} cannot be corrected here; correctable are {fields} of lines {known}")
        corrections.check(path, text)
        need = found[place].need
        assert need is not None  # noqa: S101 - chosen by it above
        value: object = exact(text) if field in ("quantity", "cost_rate") else text.strip()
        found[place] = found[place].with_changes(need=need.with_changes(**{CORRECTABLE[field]: value}))
    return tuple(found)


def again(line: ProcurementLine) -> ProcurementLine:
    """`line` to be requested anew; what it was before is taken back by then."""
    round = line.round + 1 if line.key else line.round
    return line.with_changes(
        state="need", round=round, key="", requisition="", requisition_number="", redo=False, order="",
        order_number="", ordered=None, agreed=None, note="", seen=None,
    )  # fmt: skip


# -- purchases ----------------------------------------------------------------------------------------


class Purchase:
    """Lines that share a requisition."""

    def __init__(self, lines: Sequence[ProcurementLine]) -> None:
        self.lines = tuple(lines)
        self.first = self.lines[0]

    @property
    def ref(self) -> str:
        """Of its first line: names its exceptions."""
        return self.first.ref

    @property
    def state(self) -> LineState:
        return self.first.state

    @property
    def total(self) -> Money | None:
        """What was asked for, of the lines that are still wanted."""
        amounts = [line.amount for line in self.lines if line.amount is not None and not line.dropped]
        return sum(amounts[1:], amounts[0]) if amounts else None

    @property
    def is_dropped(self) -> bool:
        """Whether none of its lines is wanted any more."""
        return all(line.dropped for line in self.lines)

    @property
    def takes_back(self) -> bool:
        """Whether a machine is to take it back now; what the supplier has accepted it never does."""
        changed = self.is_dropped or any(line.redo for line in self.lines)
        part = any(line.dropped for line in self.lines) and self.state != "accepted"
        return (changed or part) and self.state in ("requested", "approved", "ordered")


def purchases(lines: Sequence[ProcurementLine]) -> list[Purchase]:
    """The purchases that exist in procurement, in the order of their lines."""
    groups: dict[str, list[ProcurementLine]] = {}
    for line in lines:
        if line.key and line.state != "withdrawn":
            groups.setdefault(line.key, []).append(line)
    return [Purchase(group) for group in groups.values()]


def replaced(
    lines: Sequence[ProcurementLine], changed: Iterable[ProcurementLine]
) -> tuple[ProcurementLine, ...]:
    """`lines` with those that have changed."""
    by_ref = {line.ref: line for line in changed}
    return tuple(by_ref.get(line.ref, line) for line in lines)


def taken_back(purchase: Purchase, now: datetime) -> list[ProcurementLine]:
    """Its lines after a withdrawal: those that are dropped are done, the others are needed again."""
    return [
        line.with_changes(state="withdrawn", since=now)
        if line.dropped
        else again(line).with_changes(since=now)
        for line in purchase.lines
    ]


def updated(purchase: Purchase, facts: ProcurementFacts, now: datetime) -> list[ProcurementLine]:
    """Its lines as procurement holds them now; unchanged where what was read is older than what is known."""
    requisition = next((one for one in facts.requisitions if one.id == purchase.first.requisition), None)
    orders = [one for one in facts.orders if one.requisition == purchase.first.requisition]
    versions = [one.version for one in (requisition, *orders) if one is not None and one.version is not None]
    newest = max(versions, default=None)
    seen = purchase.first.seen
    lagging = seen is not None and (newest is None or newest < seen)
    if requisition is None or lagging:
        return list(purchase.lines)
    state, note = _standing(requisition, orders)
    live = [order for order in orders if order.state != "cancelled"]
    common = {
        "seen": newest,
        "note": note,
        "order": ", ".join(order.external_id for order in live),
        "order_number": ", ".join(order.number for order in live),
        "ordered": _total(live),
    }
    lines = []
    for line in purchase.lines:
        ends = "withdrawn" if line.dropped and state == "rejected" else state
        since = line.since if ends == line.state else now
        lines.append(line.with_changes(**common, state=ends, since=since))
    return lines


def _standing(requisition: PurchaseRequisition, orders: Sequence[PurchaseOrder]) -> tuple[LineState, str]:
    live = [order for order in orders if order.state != "cancelled"]
    note = "; ".join(order.note for order in live)
    if live:
        accepted = all(order.state in ("accepted", "closed") for order in live)
        return ("accepted" if accepted else "ordered"), note
    if orders:
        numbers = ", ".join(order.number for order in orders)
        return "rejected", f"order {numbers} was cancelled there"
    if requisition.state == "rejected":
        return "rejected", f"an approver has refused it: {requisition.note}"
    if requisition.state in ("draft", "withdrawn"):
        return "rejected", "it was taken back there"
    return ("requested" if requisition.state == "pending" else "approved"), requisition.note


def _total(orders: Sequence[PurchaseOrder]) -> Money | None:
    """Of all lines of all orders; none where they are in several currencies."""
    if not orders or len({order.currency for order in orders}) != 1:
        return None
    amounts = [order.total for order in orders]
    return sum(amounts[1:], amounts[0])


# -- time ---------------------------------------------------------------------------------------------


def silent_at(line: ProcurementLine, limits: ProcurementLimits) -> datetime | None:
    """When the silence about `line` becomes an exception; none where nobody is waited for."""
    if line.since is None or line.dropped:
        return None
    if line.state in ("requested", "approved"):
        return line.since + timedelta(hours=limits.approval_hours)
    return line.since + timedelta(hours=limits.acceptance_hours) if line.state == "ordered" else None


def summary(lines: Sequence[ProcurementLine]) -> str:
    """Every purchase in a few words: number, supplier, amount and state."""
    return "; ".join(told(purchase.first) for purchase in purchases(lines))


def told(line: ProcurementLine) -> str:
    """A line's purchase in a few words."""
    what = f"order {line.order_number}" if line.order_number else f"requisition {line.requisition_number}"
    amount = f" over {line.ordered or line.amount}" if line.ordered or line.amount else ""
    return f"{what} of {line.supplier_id}{amount} {line.state}" if line.key else f"{line.name} {line.state}"


def stage(lines: Sequence[ProcurementLine]) -> str:
    """That of the line which is least far; of those that are withdrawn only where all are."""
    order = list(_STAGES)
    states = [line.state for line in lines if line.state != "withdrawn"]
    return _STAGES[min(states, key=order.index)] if states else WITHDRAWN
