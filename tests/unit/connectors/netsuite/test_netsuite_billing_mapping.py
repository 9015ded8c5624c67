"""Invoices, credits, payments and journals between canonical words and NetSuite's."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.netsuite import billing_mapping as mapping
from connectors.netsuite.billing_mapping import LineReferences, Names
from connectors.netsuite.ledger import balance
from connectors.netsuite.settings import NetSuiteSettings
from connectors.netsuite.transaction_models import BalanceRow, CreditMemo, Invoice, JournalEntry
from domain.billing_commands import (
    CreditInvoice,
    DraftInvoice,
    DraftLine,
    JournalPosting,
    PostInvoice,
    PostJournal,
    ReceivePayment,
)
from domain.identity import short_key
from domain.money import Money, MoneyError

KEY = "billing/acme/p1/erp.invoice/1"
REFS = LineReferences({"time": "301", "retention": "302"}, {"DE-19": "601"})
NAMES = Names(currency="EUR", entity="DE01", period="2026-12")


def settings(**changes: Any) -> NetSuiteSettings:
    given = {"account": "1234567_SB1", "client_id": "c", "certificate_id": "k", "private_key": "pem-secret"}
    return NetSuiteSettings.model_validate({**given, **changes})


def line(amount: str = "100.10", **changes: Any) -> DraftLine:
    made = DraftLine(ref="1", kind="time", description="Ada", net=Money.of(amount, "EUR"), contract_line=1)
    return made.with_changes(**changes)


def draft(*lines: DraftLine, **changes: Any) -> DraftInvoice:
    command = DraftInvoice(
        invoice="i",
        entity="DE01",
        customer_external_id="1001",
        project_external_id="5001",
        currency="EUR",
        dated=date(2026, 12, 15),
        service_from=date(2026, 12, 1),
        service_to=date(2026, 12, 31),
        lines=lines or (line(),),
    )
    return command.with_changes(**changes)


def credit(**changes: Any) -> CreditInvoice:
    command = CreditInvoice(
        credit="c",
        invoice_external_id="70001",
        entity="DE01",
        customer_external_id="1001",
        project_external_id="5001",
        currency="EUR",
        dated=date(2027, 1, 5),
        reason="billing_error",
        lines=(line(),),
    )
    return command.with_changes(**changes)


def shown(kind: type[Any] = Invoice, **changes: Any) -> Any:
    data: dict[str, Any] = {"id": "70001", "status": {"id": "A", "refName": "Open"}, "tranDate": "2026-12-15"}
    data |= {"entity": {"id": "1001"}, "subsidiary": {"id": "11"}, "currency": {"id": "32"}}
    data |= {"subtotal": Decimal("100.10"), "taxTotal": Decimal("19.02"), "total": Decimal("119.12")}
    item = {"amount": Decimal("100.10"), "description": "Ada", "custcol_fairlead_line": "1"}
    return kind.model_validate(data | {"item": {"items": [item]}} | changes)


def test_a_draft_waits_for_approval_and_carries_our_words() -> None:
    lines = (
        line(quantity=Decimal("0.5"), unit_price=Decimal("200.20"), tax_code="DE-19"),
        line("-10.01", ref="2", kind="retention"),
    )
    command = draft(*lines, customer_po="PO 77", note="Reverse charge")
    body = mapping.draft_body(settings(), command, KEY, REFS, currency="32", terms="51")
    assert body["approvalStatus"] == {"id": "1"}
    assert (body["entity"], body["job"]) == ({"id": "1001"}, {"id": "5001"})
    assert body["subsidiary"] == {"externalId": "sub-DE01"}
    assert (body["terms"], body["otherRefNum"], body["memo"]) == ({"id": "51"}, "PO 77", "Reverse charge")
    assert (body["startDate"], body["endDate"]) == (date(2026, 12, 1), date(2026, 12, 31))
    assert body["custbody_fairlead_key"] == KEY
    assert body["item"]["items"] == [
        {
            "item": {"id": "301"},
            "quantity": Decimal("0.5"),
            "rate": Decimal("200.20"),
            "amount": Decimal("100.10"),
            "description": "Ada",
            "custcol_fairlead_line": "1",
            "taxCode": {"id": "601"},
        },
        {
            "item": {"id": "302"},
            "amount": Decimal("-10.01"),
            "description": "Ada",
            "custcol_fairlead_line": "2",
        },
    ]


def test_what_is_not_known_is_left_out() -> None:
    body = mapping.draft_body(settings(), draft(), KEY, REFS, currency="32", terms="")
    assert not {"terms", "otherRefNum", "memo"} & set(body)
    assert "taxCode" not in body["item"]["items"][0]


def test_fields_are_those_that_the_settings_name() -> None:
    own = settings(
        transaction_key_field="custbody_a", line_ref_field="custcol_b", tax_code_field="custcol_tax"
    )
    given = draft(line(tax_code="DE-19"))
    body = mapping.draft_body(own, given, KEY, REFS, currency="32", terms="")
    assert body["custbody_a"] == KEY
    (item,) = body["item"]["items"]
    assert (item["custcol_b"], item["custcol_tax"]) == ("1", {"id": "601"})


def test_posting_names_the_approval_where_there_is_one() -> None:
    plain = PostInvoice(invoice_external_id="70001", entity="DE01")
    body = mapping.posting_body(settings(), plain, KEY)
    assert body == {"approvalStatus": {"id": "2"}, "custbody_fairlead_post_key": KEY}
    approved = plain.with_changes(approval="decision/7", approved_by="eva@fairlead.example")
    body = mapping.posting_body(settings(), approved, KEY)
    assert body["custbody_fairlead_approval"] == "decision/7"
    assert body["custbody_fairlead_approver"] == "eva@fairlead.example"


def test_a_whole_credit_takes_the_lines_of_the_invoice() -> None:
    body = mapping.credit_body(settings(), credit(), KEY, LineReferences({}))
    assert "item" not in body
    assert body["custbody_fairlead_reason"] == body["memo"] == "billing error"
    part = credit(full=False, reason="concession", reason_text="late")
    body = mapping.credit_body(settings(), part, KEY, REFS)
    assert body["memo"] == "concession: late"
    assert [item["amount"] for item in body["item"]["items"]] == [Decimal("100.10")]


def test_payment_and_journal_bodies() -> None:
    payment = ReceivePayment(
        invoice_external_id="70001",
        entity="DE01",
        customer_external_id="1001",
        amount=Money.of("0.30", "EUR"),
        received_on=date(2027, 1, 20),
    )
    body = mapping.payment_body(settings(), payment, KEY, "")
    assert body == {
        "payment": Decimal("0.30"),
        "tranDate": date(2027, 1, 20),
        "custbody_fairlead_key": KEY,
    }
    assert mapping.payment_body(settings(), payment, KEY, "402")["account"] == {"id": "402"}
    ten = Money.of("10.00", "EUR")
    journal = PostJournal(
        journal="j",
        entity="DE01",
        currency="EUR",
        posted_on=date(2026, 12, 31),
        text="Accrual",
        lines=(
            JournalPosting(account="cost", debit=ten, project_external_id="5001", memo="December"),
            JournalPosting(account="accrued", credit=ten),
        ),
        reverse_on=date(2027, 1, 1),
    )
    body = mapping.journal_body(settings(), journal, KEY, "32", {"cost": "420", "accrued": "421"})
    assert body["line"]["items"] == [
        {"account": {"id": "420"}, "debit": ten.amount, "memo": "December", "entity": {"id": "5001"}},
        {"account": {"id": "421"}, "credit": ten.amount},
    ]
    assert (body["reversalDate"], body["reversalDefer"]) == (date(2027, 1, 1), False)


@pytest.mark.parametrize(
    ("letter", "state", "remaining", "still_open"),
    [
        ("A", "open", "119.12", "119.12"),
        ("B", "paid", "0", "0"),
        ("D", "draft", "119.12", "0"),
        ("E", "rejected", "119.12", "0"),
        ("V", "void", "0", "0"),
    ],
)
def test_each_letter_has_its_state(letter: str, state: str, remaining: str, still_open: str) -> None:
    invoice = shown(status={"id": letter}, amountRemaining=Decimal(remaining))
    facts = mapping.invoice_facts(settings(), invoice, NAMES)
    assert (facts.state, facts.open_amount) == (state, Money.of(still_open, "EUR"))
    assert (facts.net, facts.tax, facts.gross) == tuple(
        Money.of(amount, "EUR") for amount in ("100.10", "19.02", "119.12")
    )
    assert [(each.ref, each.net) for each in facts.lines] == [("1", Money.of("100.10", "EUR"))]


def test_a_credit_memo_is_negative_throughout() -> None:
    memo = shown(CreditMemo, createdFrom={"id": "70000"}, unapplied=Decimal("0.12"))
    facts = mapping.credit_facts(settings(), memo, NAMES)
    assert (facts.net, facts.gross) == (Money.of("-100.10", "EUR"), Money.of("-119.12", "EUR"))
    assert (facts.open_amount, facts.credits) == (Money.of("-0.12", "EUR"), "70000")
    assert facts.lines[0].net == Money.of("-100.10", "EUR")


def test_a_key_counts_only_on_the_record_that_was_made_under_it() -> None:
    ours = shown(externalId=short_key(KEY), custbody_fairlead_key=KEY)
    copied = shown(externalId="theirs", custbody_fairlead_key=KEY)
    assert mapping.effect_key_of(settings(), ours) == KEY
    assert mapping.effect_key_of(settings(), copied) == ""
    assert mapping.effect_key_of(settings(), shown()) == ""


def test_the_version_changes_with_what_the_record_shows() -> None:
    def version(**changes: Any) -> str:
        return mapping.invoice_facts(settings(), shown(**changes), NAMES).version

    assert version() == version()
    assert version() != version(memo="changed") != version(status={"id": "B"})


def test_an_amount_that_is_no_money_is_refused() -> None:
    with pytest.raises(MoneyError):
        mapping.invoice_facts(settings(), shown(subtotal=Decimal("0.005")), NAMES)


@pytest.mark.parametrize(
    "field", ["status", "entity", "subsidiary", "currency", "tranDate", "subtotal", "total"]
)
def test_a_needed_field_is_missed(field: str) -> None:
    data = shown().model_dump(by_alias=True, mode="json", exclude_none=True)
    Invoice.model_validate(data)
    with pytest.raises(ValidationError, match=field):
        Invoice.model_validate({name: value for name, value in data.items() if name != field})


def test_journal_totals_and_balances() -> None:
    lines = [{"debit": Decimal("0.1")}, {"debit": Decimal("0.2")}, {"credit": Decimal("0.3")}]
    entry = JournalEntry.model_validate({"id": "1", "currency": {"id": "32"}, "line": {"items": lines}})
    assert entry.total == Decimal("0.3")
    row = BalanceRow.model_validate({"id": "401", "number": "1100", "debit": "10.10", "credit": "30"})
    shown = balance(row, "EUR")
    assert (shown.account, shown.debit, shown.credit) == (
        "1100",
        Money.zero("EUR"),
        Money.of("19.90", "EUR"),
    )
    only = balance(BalanceRow.model_validate({"id": "9", "debit": "5"}), "JPY")
    assert (only.account, only.debit) == ("9", Money.of("5", "JPY"))
