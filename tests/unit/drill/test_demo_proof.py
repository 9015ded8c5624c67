"""The proof of the demo finds what it is for: an entry billed twice, a sum that is off."""

from datetime import date
from typing import Any

from domain.billing_commands import DraftLine
from domain.books import InvoiceFactLine, InvoiceFacts
from domain.invoice_state import InvoiceRow, LineShare, PricedInvoice, PricedLine
from domain.money import Money
from drill.demo_outcome import Document, Outcome
from drill.demo_proof import bills_of, entries_on, wrong_sums

DAY = date(2026, 11, 23)


def eur(amount: str) -> Money:
    return Money.of(amount, "EUR")


def a_row(id: str, shares: dict[str, str], **changes: Any) -> InvoiceRow:
    parts = tuple(LineShare(key=key, net=eur(net)) for key, net in shares.items())
    net = eur(str(sum(part.net.amount for part in parts)))
    line = DraftLine(ref="1", contract_line=4, kind="time", description="work", net=net)
    priced = PricedInvoice(
        lines=(PricedLine(line=line, shares=parts),),
        currency="EUR",
        net=net,
        tax=eur("0"),
        gross=net,
        retention=eur("0"),
        advance_applied=eur("0"),
        adjusted=eur("0"),
        content_hash="x",
    )
    own = {"entity": "DE01", "customer": "c", "service_from": DAY, "service_to": DAY, "stage": "posted"}
    return InvoiceRow(id=id, project="P", priced=priced, **{**own, **changes})


def facts(net: str, lines: tuple[str, ...], **changes: Any) -> InvoiceFacts:
    given = {
        "external_id": "1",
        "number": "N-1",
        "state": "open",
        "currency": "EUR",
        "net": eur(net),
        "tax": eur("0"),
        "gross": eur(net),
        "open_amount": eur(net),
        "dated": DAY,
        "lines": tuple(InvoiceFactLine(net=eur(line)) for line in lines),
    }
    return InvoiceFacts(**{**given, **changes})


def test_an_entry_counts_on_each_invoice_it_stands_on() -> None:
    first = a_row("a", {"k:time:1": "100", "k:time:2": "50"})
    again = a_row("b", {"k:time:1": "100"})
    assert bills_of([first, again]) == {"k:time:1": 2, "k:time:2": 1}


def test_what_a_credit_note_took_back_stands_no_longer() -> None:
    first = a_row("a", {"k:time:1": "100", "k:time:2": "50"})
    note = a_row("n", {"k:time:1": "100"}, credits="a")
    rebill = a_row("b", {"k:time:1": "100"}, rebills="a")
    assert bills_of([first, note]) == {"k:time:2": 1}
    assert bills_of([first, note, rebill]) == {"k:time:1": 1, "k:time:2": 1}
    assert entries_on(rebill) == 1


def test_a_document_that_adds_up_has_no_difference() -> None:
    row = a_row("a", {"k:time:1": "100"})
    assert list(wrong_sums(row, facts("100", ("60", "40")))) == []
    note = row.with_changes(credits="z")
    assert list(wrong_sums(note, facts("-100", ("-100",)))) == []


def test_each_sum_that_is_off_is_said() -> None:
    row = a_row("a", {"k:time:1": "100"})
    found = list(wrong_sums(row, facts("100", ("60",), gross=eur("101"))))
    assert [words.split(": ")[1][:20] for words in found] == [
        "its lines sum to 60.",
        "100.00 EUR net and 0",
        "100.00 EUR gross wer",
    ]


def test_a_story_without_documents_or_with_a_difference_has_not_passed() -> None:
    row = a_row("a", {"k:time:1": "100"})
    document = Document.of(row, facts("100", ("100",)), 1)
    outcome = Outcome(project="P", currency="EUR", documents=[document])
    assert outcome.passed
    assert (outcome.invoiced, outcome.credited) == (eur("100"), eur("0"))
    assert not Outcome(project="P", currency="EUR").passed
    outcome.differences.append("k:time:1 is on 2 invoices that stand")
    assert not outcome.passed
