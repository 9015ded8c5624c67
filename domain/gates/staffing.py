"""Gate "staffing": every request of the current revision is approved, by somebody else than who asked."""

from collections.abc import Iterator

from domain.delivery import StaffingAnswer, StaffingDemand, StaffingState
from domain.gates.case import Case
from domain.readiness import Evidence, Finding


def judge_staffing(case: Case) -> Iterator[Finding]:
    """Approval is the PSA's answer to each request, a person's decision on the whole revision, or either."""
    state = case.staffing
    if state is None:
        yield case.finding(
            "staffing", "staffing.not_read", "the state of the resource requests was not read: retry"
        )
        return
    for demand in state.demands:
        yield from _judge_answer(case, state, demand)
    yield from _judge_approver(case, state)


def staffing_evidence(case: Case) -> Iterator[Evidence]:
    state = case.staffing
    if state is None:
        return
    approved = sum(1 for answer in state.answers if answer.state == "approved")
    detail = f"{approved} of {len(state.demands)} requests approved in the PSA, revision {state.revision}"
    if state.approved_by:
        detail += f"; approved by {state.approved_by} (revision {state.approved_revision})"
    yield case.evidence("psa", "resource requests", str(state.revision), detail)


def _judge_answer(case: Case, state: StaffingState, demand: StaffingDemand) -> Iterator[Finding]:
    answer = state.answer_to(demand)
    label = f"{demand.role}, {demand.starts_on} to {demand.ends_on}"
    if answer is not None and answer.state in ("rejected", "withdrawn"):
        yield case.finding(
            f"staffing[{demand.ref}]",
            f"staffing.{answer.state}",
            f"the request for {label} was {answer.state}: agree on other dates or another role and ask again",
            answer.request_external_id,
        )
    elif answer is not None and answer.state == "approved":
        yield from _judge_dates(case, demand, answer)
        if case.option("approval") == "person" and not state.approved_now:
            yield _unanswered(case, demand, label)
    elif not (state.approved_now and case.option("approval") != "psa"):
        yield _unanswered(case, demand, label)


def _unanswered(case: Case, demand: StaffingDemand, label: str) -> Finding:
    return case.finding(
        f"staffing[{demand.ref}]",
        "staffing.unanswered",
        f"nobody has approved the request for {label}: staffing approves it",
    )


def _judge_dates(case: Case, demand: StaffingDemand, answer: StaffingAnswer) -> Iterator[Finding]:
    starts_late = answer.starts_on is not None and answer.starts_on > demand.starts_on
    ends_early = answer.ends_on is not None and answer.ends_on < demand.ends_on
    if starts_late or ends_early:
        yield case.finding(
            f"staffing[{demand.ref}]",
            "staffing.dates_differ",
            f"{demand.role} is asked for {demand.starts_on} to {demand.ends_on} but approved for "
            f"{answer.starts_on or demand.starts_on} to {answer.ends_on or demand.ends_on}: "
            "agree on the dates",
            answer.request_external_id,
        )


def _judge_approver(case: Case, state: StaffingState) -> Iterator[Finding]:
    approvers = {answer.approved_by for answer in state.answers if answer.state == "approved"}
    if state.approved_now:
        approvers.add(state.approved_by)
    requester = state.requested_by.casefold()
    if requester and requester in {(approver or "").casefold() for approver in approvers}:
        yield case.finding(
            "staffing",
            "staffing.same_person",
            f"{state.requested_by} asked for the staffing and may not approve it: another person approves",
            state.requested_by,
        )
