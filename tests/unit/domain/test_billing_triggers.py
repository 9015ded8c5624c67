"""What is told becomes one event, a problem that names it, or nothing; and the parts of a final account."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from domain.billing_events import MilestoneAccepted, ProgressReported
from domain.billing_final import FinalFacts, FinalTotals, final_stand
from domain.billing_triggers import milestone_verdict, progress_verdict, psa_verdict
from domain.intake import PsaInvoice
from domain.invoice_state import BillingEventRow, InvoiceRow
from domain.project_processes import DueEvent
from domain.selling import BillingMethod
from tests.support.project_billing_firm import PROJECT, a_contract, eur, milestone_line, time_line

TODAY = date(2027, 2, 1)
AT = datetime(2027, 1, 29, tzinfo=UTC)


def accepted(**changes: Any) -> MilestoneAccepted:
    told = MilestoneAccepted(
        project=PROJECT, milestone="1", document="D-1", accepted_by="it@alpenglow.example",
        accepted_on=date(2027, 1, 29), version=AT,
    )  # fmt: skip
    return told.with_changes(**changes)


def event(**changes: Any) -> BillingEventRow:
    found = milestone_verdict(a_contract(), accepted(), [], TODAY).event
    assert found is not None
    return found.with_changes(**changes)


# -- milestones -------------------------------------------------------------------------------------


def test_an_accepted_milestone_is_due_on_its_acceptance() -> None:
    row = event()
    assert (row.key, row.amount, row.due_on) == (f"{PROJECT}/1/1/1", eur("30000.00"), date(2027, 1, 29))
    assert (row.service_from, row.service_to) == (date(2026, 12, 1), date(2027, 1, 29))


def test_told_again_it_is_the_same_event_until_it_is_billed() -> None:
    again = milestone_verdict(a_contract(), accepted(amount="30000"), [event()], TODAY)
    assert (again.event, again.heals) == (event(), "milestone.1")
    billed = milestone_verdict(a_contract(), accepted(), [event(invoice="invoice/acme/x")], TODAY)
    assert (billed.event, billed.note.endswith("is on invoice invoice/acme/x")) == (None, True)


def test_a_void_milestone_comes_back_under_a_new_revision_only() -> None:
    kept = [event(void=True)]
    same = milestone_verdict(a_contract(), accepted(), kept, TODAY)
    assert (same.event, same.problem) == (None, None)
    assert milestone_verdict(a_contract(), accepted(revision=2), kept, TODAY).event is not None


def test_what_others_bill_is_no_event_and_no_problem() -> None:
    contract = a_contract(lines=(milestone_line(billing_authority="erp"),))
    verdict = milestone_verdict(contract, accepted(), [], TODAY)
    assert (verdict.event, verdict.problem) == (None, None)
    assert verdict.note.endswith("is billed by the erp")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"amount": "30000.001"}, "decimals"),
        ({"amount": "30000", "currency": "USD"}, "30,000.00 USD"),
        ({"milestone": "4"}, "has the milestones 1"),
        ({"document": "", "accepted_by": ""}, "lacks the document and who accepted"),
    ],
)
def test_a_word_that_does_not_fit_is_a_problem(change: dict[str, Any], says: str) -> None:
    verdict = milestone_verdict(a_contract(), accepted(**change), [], TODAY)
    assert verdict.event is None
    assert verdict.problem is not None
    assert says in verdict.problem.detail


# -- progress ---------------------------------------------------------------------------------------


def progress(percent: str, period: str = "2027-01", **changes: Any) -> ProgressReported:
    told = ProgressReported(
        project=PROJECT, line="4", period=period, percent=percent, document="P-1",
        agreed_by="it@alpenglow.example", version=AT,
    )  # fmt: skip
    return told.with_changes(**changes)


def by_percent() -> Any:
    line = milestone_line(number=4, billing_method=BillingMethod.PERCENT_COMPLETE, amount=eur("1000.00"))
    return a_contract(lines=(line,))


def test_progress_bills_to_date_less_before() -> None:
    first = progress_verdict(by_percent(), progress("33.3"), [], TODAY).event
    assert first is not None
    second = progress_verdict(by_percent(), progress("100", "2027-02"), [first], TODAY).event
    assert second is not None
    assert (first.amount, second.amount) == (eur("333.00"), eur("667.00"))
    assert progress_verdict(by_percent(), progress("33.3", "2027-02"), [first], TODAY).event is None


def test_progress_of_a_month_told_differently_shows_both() -> None:
    first = progress_verdict(by_percent(), progress("33.3"), [], TODAY).event
    assert first is not None
    verdict = progress_verdict(by_percent(), progress("40"), [first], TODAY)
    assert verdict.problem is not None
    assert "over 333.00 EUR" in verdict.problem.detail
    assert "over 400.00 EUR" in verdict.problem.detail


@pytest.mark.parametrize("change", [{"line": "1"}, {"document": ""}, {"agreed_by": ""}])
def test_progress_nobody_agreed_to_is_not_billed(change: dict[str, Any]) -> None:
    verdict = progress_verdict(by_percent(), progress("50", **change), [], TODAY)
    assert (verdict.event, verdict.problem is not None) == (None, True)


# -- the PSA's invoices -----------------------------------------------------------------------------


def released(**changes: Any) -> PsaInvoice:
    made = PsaInvoice(
        external_id="20481", project_external_id="9001", currency="EUR", net=eur("4200.00"),
        state="released", dated=date(2027, 1, 31), version=AT,
    )  # fmt: skip
    return made.with_changes(**changes)


def test_released_cancelled_and_released_again_is_another_revision() -> None:
    contract = a_contract(lines=(time_line(billing_authority="psa"),))
    first = psa_verdict(contract, released(), "20481", []).event
    assert first is not None
    cancelled = psa_verdict(contract, released(state="cancelled"), "20481", [first])
    assert (cancelled.event, cancelled.void) == (None, first.key)
    again = psa_verdict(contract, released(), "20481", [first.with_changes(void=True)]).event
    assert again is not None
    assert (again.revision, again.evidence) == (2, "20481")
    changed = psa_verdict(contract, released(net=eur("4300.00")), "20481", [first]).problem
    assert changed is not None
    assert "over 4,200.00 EUR" in changed.detail
    assert psa_verdict(contract, None, "20481", []).problem is not None


# -- the final account ------------------------------------------------------------------------------


def facts(**changes: Any) -> FinalFacts:
    totals = FinalTotals(retained=eur(0), advance_left=eur(0))
    return FinalFacts(events=(), invoices=(), totals=totals).with_changes(**changes)


def invoice(stage: Any, **changes: Any) -> InvoiceRow:
    row = InvoiceRow(
        id="invoice/acme/x", project=PROJECT, entity="DE01", customer="001A", stage=stage,
        events=(event().key,), service_from=TODAY, service_to=TODAY,
    )  # fmt: skip
    return row.with_changes(**changes)


def test_open_events_are_billed_first() -> None:
    stand, release = final_stand(a_contract(), facts(events=(event(),)))
    assert (stand.due, release, stand.finished) == ((DueEvent.of(event()),), None, False)


def test_an_event_whose_invoice_was_empty_is_settled_and_a_discarded_one_is_not() -> None:
    empty = facts(events=(event(),), invoices=(invoice("empty"),))
    assert final_stand(a_contract(), empty)[0].finished
    thrown = facts(events=(event(),), invoices=(invoice("discarded"),))
    problem = final_stand(a_contract(), thrown)[0].problem
    assert problem is not None
    assert event().key in problem.detail


@pytest.mark.parametrize("stage", ["collected", "priced", "approved", "drafted"])
def test_it_waits_for_invoices_on_their_way(stage: Any) -> None:
    stand, _ = final_stand(a_contract(), facts(invoices=(invoice(stage),)))
    assert stand.waits_for == (f"invoice/acme/x is {stage}",)


def test_held_work_then_retention_then_the_advance() -> None:
    totals = FinalTotals(retained=eur("300.00"), advance_left=eur("50.00"))
    held, none = final_stand(a_contract(), facts(held=3, totals=totals))
    assert (held.problem is not None, none) == (True, None)
    stand, release = final_stand(a_contract(), facts(totals=totals))
    assert (stand.finished, release) == (False, eur("300.00"))
    left = facts(totals=totals.with_changes(retained=eur(0)))
    problem = final_stand(a_contract(), left)[0].problem
    assert problem is not None
    assert problem.amount == "50.00 EUR"
    assert final_stand(a_contract(), left.with_changes(refund_settled=True))[0].finished
