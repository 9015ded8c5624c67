"""A change of contract, judged: only what is signed becomes a new revision, and only if it adds up.

Source: rule 6; unapproved change orders are not billed. A change is either the project's own deal, signed
anew, or a change order: a deal of its own whose lines replace those of the same number and add the others.
What is billed already stands: a change below it is a matter of credit notes, for a person. Pure.
"""

from collections.abc import Iterator, Sequence

from domain.billing_calendar import Overbilled, due_events
from domain.billing_contract import contract_problems
from domain.billing_triggers import BillingProblem
from domain.invoice_state import BillingEventRow
from domain.money import Money, total
from domain.project_contract import ProjectContract
from domain.rules.errors import RuleError
from domain.selling import BillingMethod, ContractLine, Deal

_STEP = "contract.change"


class ContractVerdict:
    """What becomes of a change: a revision to keep, a problem to decide on, or neither: nothing differs."""

    def __init__(
        self, revision: ProjectContract | None = None, problem: BillingProblem | None = None
    ) -> None:
        self.revision = revision
        self.problem = problem


def change_step(deal: Deal, own: str) -> str:
    """Step of the exception of a change by `deal`; `own` is the project's own deal, orders are others."""
    return _STEP if deal.external_id == own else f"{_STEP}.{deal.external_id}"


def judge_change(
    kept: ProjectContract, deal: Deal, read: ProjectContract, events: Sequence[BillingEventRow]
) -> ContractVerdict:
    """Compare `read`, the contract as `deal` says it now, with the one that is billed.

    `read` is of the same project; its systems and terms are those of `kept`.
    """
    order = deal.kind == "change_order"
    changed = _with_order(kept, read) if order else read.with_changes(revision=kept.revision)
    if _signed_content(changed) == _signed_content(kept):
        return ContractVerdict()
    step = change_step(deal, kept.deal)
    what = f"Change of contract {kept.number}" + (f" by order {read.number}" if order else "")
    unsigned = _unsigned(kept, deal, read, order=order)
    if unsigned:
        detail = f"{unsigned}; {_difference(kept, changed)}. It is not billed until it is signed in the CRM"
        return ContractVerdict(problem=_problem(step, f"{what} is not signed", detail, changed))
    problems = [
        *contract_problems(changed),
        *_sums(kept, changed, read, order=order),
        *_billed_already(kept, changed, events),
    ]
    if problems:
        detail = f"{'; '.join(problems)}. Revision {kept.revision} is billed on"
        return ContractVerdict(problem=_problem(step, f"{what} does not fit what is billed", detail, changed))
    return ContractVerdict(revision=changed.with_changes(revision=kept.revision + 1))


def _with_order(kept: ProjectContract, order: ProjectContract) -> ProjectContract:
    """`kept` with the lines of a change order; applied again it changes nothing."""
    changes = {line.number: line for line in order.lines}
    lines = [changes.pop(line.number, line) for line in kept.lines]
    merged = (*lines, *changes.values())
    grown = _worth(merged, kept.currency) - _worth(kept.lines, kept.currency)
    return kept.with_changes(
        lines=merged,
        value=kept.value + grown if kept.value is not None else None,
        ends_on=max(kept.ends_on, order.ends_on),
        signed_on=order.signed_on if merged != kept.lines else kept.signed_on,
        customer_po=order.customer_po or kept.customer_po,
    )


def _unsigned(kept: ProjectContract, deal: Deal, read: ProjectContract, *, order: bool) -> str:
    """Why the change is not signed; empty when it is."""
    if not deal.signed:
        return f"deal {deal.external_id} is at stage {deal.stage or 'unknown'!r} without a signature"
    if not order and read.signed_on <= kept.signed_on:
        return f"the contract was signed on {kept.signed_on}, before the change, and not again since"
    return ""


def _sums(
    kept: ProjectContract, changed: ProjectContract, read: ProjectContract, *, order: bool
) -> Iterator[str]:
    """A change of value is the change of its lines. Lines by time may or may not count, as at signature."""
    if changed.currency != kept.currency or read.currency != kept.currency:
        yield f"it is in {read.currency}, and the project is billed in {kept.currency}"
        return
    if read.value is None:
        yield "it has no value: enter it in the CRM"
        return
    before = kept.lines if order else ()
    after = changed.lines
    grown = [
        _worth(_counted(after, by_time=by_time), kept.currency)
        - _worth(_counted(before, by_time=by_time), kept.currency)
        for by_time in (True, False)
    ]
    if read.value not in grown:
        yield (
            f"it says {read.value}, and its lines come to {grown[0]}"
            f"{f' ({grown[1]} without time)' if grown[1] != grown[0] else ''}: correct a line or the value"
        )


def _billed_already(
    kept: ProjectContract, changed: ProjectContract, events: Sequence[BillingEventRow]
) -> Iterator[str]:
    """Where the change contradicts what has fallen due before."""
    lines = {line.number: line for line in changed.lines}
    authority = {line.number: line.billing_authority for line in kept.lines}
    live = [event for event in events if not event.void and event.line and event.kind != "above_cap"]
    for event in live:
        line = lines.get(event.line)
        if line is None:
            yield f"line {event.line} is gone, and {event.occasion} of it fell due over {event.amount}"
        elif line.billing_authority != authority.get(event.line):
            yield (
                f"line {event.line} would be billed by {line.billing_authority}, and {event.occasion} of it "
                f"was billed by {authority.get(event.line)}: never two for one line"
            )
        elif event.kind == "milestone" and line.amount != event.amount:
            yield (
                f"milestone {event.occasion} fell due over {event.amount} and would be {line.amount}: credit "
                "and rebill it"
            )
    yield from _overbilled(changed, lines, live)


def _overbilled(
    changed: ProjectContract, lines: dict[int, ContractLine], live: Sequence[BillingEventRow]
) -> Iterator[str]:
    for line in lines.values():
        billed = [
            event.amount
            for event in live
            if event.line == line.number and event.kind == "percent" and event.amount
        ]
        if billed and line.amount is not None and line.amount < total(billed, changed.currency):
            yield f"line {line.number} is billed with {total(billed, changed.currency)}, more than its price"
    try:
        due_events(changed, None, changed.ends_on, live)
    except Overbilled as error:
        yield str(error)
    except RuleError as error:
        yield f"it cannot be billed: {error}"


def _signed_content(contract: ProjectContract) -> dict[str, object]:
    """What a signature is about: not the systems, not the firm's own terms, not the day of signing."""
    names = (
        "number",
        "entity",
        "currency",
        "value",
        "starts_on",
        "ends_on",
        "customer",
        "rate_card",
        "lines",
    )
    return {name: getattr(contract, name) for name in names} | {
        "retention": contract.terms.retention,
        "customer_po": contract.customer_po,
    }


def _difference(kept: ProjectContract, changed: ProjectContract) -> str:
    if kept.value != changed.value:
        return f"its value would be {changed.value} instead of {kept.value}"
    before = {line.number: line for line in kept.lines}
    numbers = [str(line.number) for line in changed.lines if before.get(line.number) != line]
    gone = [str(number) for number in before if number not in {line.number for line in changed.lines}]
    parts = [f"line {', '.join(numbers)} would change"] if numbers else []
    parts += [f"line {', '.join(gone)} would be gone"] if gone else []
    return " and ".join(parts) or "dates or other terms would change"


def _worth(lines: Sequence[ContractLine], currency: str) -> Money:
    amounts = [line.amount for line in lines if line.amount is not None and line.amount.currency == currency]
    return total(amounts, currency)


def _counted(lines: Sequence[ContractLine], *, by_time: bool) -> list[ContractLine]:
    time = BillingMethod.TIME_AND_MATERIALS
    return [line for line in lines if by_time or line.billing_method is not time]


def _problem(step: str, headline: str, detail: str, changed: ProjectContract) -> BillingProblem:
    return BillingProblem(step=step, headline=headline, detail=detail, amount=str(changed.value or ""))
