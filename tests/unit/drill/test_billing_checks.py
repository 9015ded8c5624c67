"""What the billing drill holds against every document: each check finds what it is for, and only that."""

from collections.abc import Sequence
from datetime import date
from typing import Any, cast

import pytest

from domain.billable import Billable
from domain.billing_commands import DraftLine
from domain.books import InvoiceFactLine, InvoiceFacts
from domain.invoice_state import BillingEventRow, InvoiceRow, LineShare, PricedInvoice, PricedLine, TaxLine
from domain.ledger import JournalLine
from domain.money import Money
from domain.rules.journal import check_against
from drill import billing_checks as checks
from drill.billing_state import Standing, effects_of, gaps
from drill.billing_story import Project
from drill.effects import Effect

DAY = date(2026, 11, 20)


def eur(amount: str) -> Money:
    return Money.of(amount, "EUR")


def an_invoice(id: str = "invoice/acme/P:0:1:1", **changes: Any) -> InvoiceRow:
    """Two entries on one line of 100.00, with 10.00 held back and 19% of tax."""
    time = DraftLine(ref="1", kind="time", description="Work", net=eur("100"), contract_line=1)
    held = DraftLine(ref="2", kind="retention", description="Held", net=eur("-10"), contract_line=0)
    shares = (LineShare(key="psa:time:1", net=eur("60")), LineShare(key="psa:time:2", net=eur("40")))
    priced = PricedInvoice(
        lines=(PricedLine(line=time, shares=shares), PricedLine(line=held)),
        taxes=(TaxLine(code="VAT", rate_percent=19, base=eur("90"), tax=eur("17.10")),),  # type: ignore[arg-type]
        currency="EUR", net=eur("90"), tax=eur("17.10"), gross=eur("107.10"), retention=eur("10"),
        advance_applied=eur("0"), adjusted=eur("0"), content_hash="h",
    )  # fmt: skip
    given: dict[str, Any] = {
        "project": "P", "entity": "DE01", "customer": "C", "stage": "posted", "service_from": DAY,
        "service_to": DAY, "dated": DAY, "priced": priced, "external_id": f"erp-{id}", "number": f"N-{id}",
    }  # fmt: skip
    return InvoiceRow(id=id, **{**given, **changes})


def facts_of(row: InvoiceRow, **changes: Any) -> InvoiceFacts:
    sign = -1 if row.credits else 1

    def money(amount: str) -> Money:
        return eur(amount) if sign > 0 else -eur(amount)

    given: dict[str, Any] = {
        "external_id": row.external_id, "number": row.number, "state": "open", "currency": "EUR",
        "net": money("90"), "tax": money("17.10"), "gross": money("107.10"), "open_amount": eur("0"),
        "dated": DAY, "lines": (InvoiceFactLine(net=money("100")), InvoiceFactLine(net=money("-10"))),
    }  # fmt: skip
    return InvoiceFacts(**{**given, **changes})


def an_entry(key: str, invoice: str = "") -> Billable:
    return Billable(
        key=key, kind="time", source="psa", external_id=key, content_hash="h", project="P", line=1,
        entity="DE01", resource="ada", work_date=DAY, invoice=invoice,
    )  # fmt: skip


def a_standing(
    rows: Sequence[InvoiceRow],
    *,
    facts: Sequence[InvoiceFacts] | None = None,
    entries: Sequence[Billable] | None = None,
    approved: Sequence[str] = ("psa:time:1", "psa:time:2"),
    events: Sequence[BillingEventRow] = (),
) -> Standing:
    first = rows[0].id
    return Standing(
        project=cast(Project, None),
        rows=rows,
        facts=[facts_of(row) for row in rows] if facts is None else facts,
        entries=[an_entry(key, first) for key in approved] if entries is None else entries,
        approved=approved,
        events=events,
        shown={},
    )


def found(standing: Standing) -> list[str]:
    return [
        *checks.sums_differ(standing),
        *checks.strangers(standing),
        *checks.billed_twice_or_lost(standing),
    ]


def test_a_sound_invoice_has_nothing_against_it() -> None:
    assert found(a_standing([an_invoice()])) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"net": eur("90.01")}, "net in the ERP"),
        ({"tax": eur("17.11")}, "tax in the ERP"),
        ({"lines": (InvoiceFactLine(net=eur("90.01")),)}, "its lines in the ERP"),
    ],
)
def test_a_cent_that_differs_in_the_erp_is_found(wrong: dict[str, Any], said: str) -> None:
    row = an_invoice()
    assert any(said in line for line in found(a_standing([row], facts=[facts_of(row, **wrong)])))


def test_a_document_that_nobody_knows_is_found() -> None:
    row = an_invoice()
    doubled = facts_of(row, external_id="another", number="N-9")
    draft = facts_of(row, external_id="a draft", state="draft")
    said = found(a_standing([row], facts=[facts_of(row), doubled, draft]))
    assert len(said) == 2
    assert "no invoice of ours" in said[0]
    assert "still has a draft" in said[1]


def test_a_document_that_the_erp_lost_is_found() -> None:
    assert any("the ERP has no document" in line for line in found(a_standing([an_invoice()], facts=[])))


def test_an_entry_on_two_invoices_is_found() -> None:
    first, second = an_invoice(), an_invoice("invoice/acme/P:0:2:1")
    said = found(a_standing([first, second]))
    assert any(line.startswith("psa:time:1 is billed by ") and " and " in line for line in said)


def test_an_event_on_two_live_invoices_is_found() -> None:
    key = "P/0/2026-11/1"
    event = BillingEventRow(
        key=key, project="P", line=0, kind="time", occasion="2026-11", due_on=DAY, service_from=DAY,
        service_to=DAY, invoice="invoice/acme/P:0:1:1",
    )  # fmt: skip
    first = an_invoice(events=(key,))
    assert found(a_standing([first], events=[event])) == []
    second = an_invoice("invoice/acme/P:0:2:1", events=(key,))
    said = found(a_standing([first, second], events=[event]))
    assert f"{key} is billed by {first.id} and {second.id}" in said


def test_a_released_entry_may_be_billed_again() -> None:
    first, again = an_invoice(), an_invoice("invoice/acme/P:0:rebill-1:1")
    credit = an_invoice("credit/acme/P:0:1:1:h", credits=first.id, released=("psa:time:1", "psa:time:2"))
    entries = [an_entry("psa:time:1", again.id), an_entry("psa:time:2", again.id)]
    assert found(a_standing([first, credit, again], entries=entries)) == []


def test_an_approved_entry_that_is_nowhere_is_found() -> None:
    entries = [an_entry(f"psa:time:{number}", "invoice/acme/P:0:1:1") for number in (1, 2)]
    approved = ("psa:time:1", "psa:time:2", "psa:time:3")
    standing = a_standing([an_invoice()], approved=approved, entries=entries)
    assert found(standing) == ["psa:time:3 is approved in the PSA, and neither billed nor open here"]


def test_an_entry_that_was_billed_and_is_kept_as_open_is_found() -> None:
    entries = [an_entry("psa:time:1", "invoice/acme/P:0:1:1"), an_entry("psa:time:2")]
    said = found(a_standing([an_invoice()], entries=entries))
    assert said == ["psa:time:2 is billed by invoice/acme/P:0:1:1, and kept as open"]


def test_what_a_discarded_invoice_still_holds_is_found() -> None:
    row = an_invoice(stage="discarded")
    said = found(a_standing([row], facts=[]))
    assert [line.endswith("which is not posted") for line in said] == [True, True]


def ledger_of(amounts: dict[str, str]) -> list[JournalLine]:
    return [
        JournalLine(
            entity="DE01",
            account=account,
            debit=eur(amount) if not amount.startswith("-") else None,
            credit=-eur(amount) if amount.startswith("-") else None,
            project="P" if account in ("contract_account", "retention") else None,
        )
        for account, amount in amounts.items()
    ]


def test_an_invoice_posts_the_contract_account_what_is_held_and_its_tax() -> None:
    row = an_invoice()
    right = {"receivable": "107.10", "retention": "10", "contract_account": "-100", "output_tax": "-17.10"}
    assert check_against(checks.expected(row, [row]), ledger_of(right)) == ()
    to_revenue = {"receivable": "107.10", "retention": "10", "revenue": "-100", "output_tax": "-17.10"}
    assert len(check_against(checks.expected(row, [row]), ledger_of(to_revenue))) == 2


def test_a_credit_note_posts_it_the_other_way_round() -> None:
    row = an_invoice()
    credit = an_invoice("credit/acme/P:0:1:1:h", credits=row.id, credit_reason="billing_error")
    back = {"receivable": "-107.10", "retention": "-10", "contract_account": "100", "output_tax": "17.10"}
    assert check_against(checks.expected(credit, [row, credit]), ledger_of(back)) == ()


def test_two_ends_are_told_apart_by_place() -> None:
    one = {"entries": {"a": "open", "b": "open"}, "CRM": "x"}
    assert list(gaps(one, one)) == []
    other = {"entries": {"a": "open", "b": "held"}, "CRM": "x"}
    assert list(gaps(one, other)) == ["entries / b: held, and without trouble open"]


def test_effects_are_those_of_the_projects_documents_alone() -> None:
    draft = Effect("erp", "invoice", "create", "invoice/acme/P:0:1:1/erp.draft/1")
    other = Effect("erp", "invoice", "create", "invoice/acme/P2:0:1:1/erp.draft/1")
    staged = Effect("erp", "job", "create", "stage/P/erp.project/1")
    assert effects_of("P", {draft: 1, other: 1, staged: 1}) == {draft: 1}
