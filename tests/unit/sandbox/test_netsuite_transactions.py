"""Transactions of the emulated account: what it refuses, computes, numbers and posts."""

from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.core import wire
from sandbox.core.call import Refused
from tests.unit.sandbox.netsuite_account import RECORD, STRICT, Account

KEY = "custbody_fairlead_key"
LEDGER = (
    "SELECT a.acctnumber AS account, SUM(tal.amount) AS amount FROM transactionaccountingline tal"
    " JOIN account a ON a.id = tal.account WHERE tal.posting = ? AND tal.transaction = ?"
    " GROUP BY a.acctnumber ORDER BY a.acctnumber"
)


@pytest.fixture
async def account(tmp_path: Path) -> AsyncIterator[Account]:
    account = Account(tmp_path)
    yield account
    await account.close()


def item(account: Account, amount: Any, name: str = "Time", tax: str | None = "DE 19%") -> dict[str, Any]:
    line: dict[str, Any] = {
        "item": {"id": account.id_of("serviceSaleItem", "itemId", name)},
        "amount": amount,
    }
    return line | ({"taxCode": {"id": account.id_of("salesTaxItem", "itemId", tax)}} if tax else {})


def sale(account: Account, *lines: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """Body of an invoice to the first customer, of one line of 100.00 unless others are given."""
    body = {
        "entity": {"id": account.id_of("customer", "companyName", "Alpha Werke")},
        "currency": {"id": account.id_of("currency", "symbol", "EUR")},
        "tranDate": "2026-11-15",
        "item": {"items": list(lines) or [item(account, Decimal("100.00"))]},
    }
    return body | changes


async def put(account: Account, body: Any, eid: str = "i-1", kind: str = "invoice") -> httpx.Response:
    replace = "line" if kind == "journalEntry" else "item"
    return await account.call("PUT", f"{RECORD}/{kind}/eid:{eid}", body, STRICT, replace=replace)


async def approve(account: Account, eid: str = "i-1") -> httpx.Response:
    return await account.call("PATCH", f"{RECORD}/invoice/eid:{eid}", {"approvalStatus": {"id": "2"}}, STRICT)


async def shown(account: Account, eid: str = "i-1", kind: str = "invoice") -> dict[str, Any]:
    answer = await account.call("GET", f"{RECORD}/{kind}/eid:{eid}", expandSubResources="true")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = wire.decode(answer.content)
    return body


async def transform(account: Account, source: str, target: str, body: Any, **params: str) -> httpx.Response:
    return await account.call("POST", f"{RECORD}/{source}/!transform/{target}", body, STRICT, **params)


async def posted(
    account: Account, *lines: Mapping[str, Any], eid: str = "i-1", **changes: Any
) -> dict[str, Any]:
    answer = await put(account, sale(account, *lines, **changes), eid)
    assert answer.status_code == 204, answer.text
    answer = await approve(account, eid)
    assert answer.status_code == 204, answer.text
    return await shown(account, eid)


def said(answer: httpx.Response) -> str:
    """The business rule in a refusal."""
    problem = answer.json()["o:errorDetails"][0]
    assert (answer.status_code, problem["o:errorCode"]) == (400, "USER_ERROR"), answer.text
    return str(problem["detail"])


async def ledger(account: Account, transaction: str, posting: str = "T") -> dict[str, Decimal]:
    rows = await account.rows(LEDGER, posting, transaction)
    return {row["account"]: Decimal(row["amount"]) for row in rows}


async def test_a_pending_invoice_has_totals_but_no_number_and_no_impact(account: Account) -> None:
    await put(account, sale(account))
    draft = await shown(account)
    assert (draft["status"]["id"], draft["approvalStatus"]["id"]) == ("D", "1")
    assert (draft["subtotal"], draft["taxTotal"], draft["total"]) == (100, 19, 119)
    assert draft["dueDate"] == "2026-12-15"
    assert not {"tranId", "postingPeriod", "amountRemaining"} & set(draft)
    assert await ledger(account, draft["id"]) == {}
    assert await ledger(account, draft["id"], "F") == {"1100": 119, "1150": -100, "2210": -19}


async def test_approval_posts_numbers_and_locks(account: Account) -> None:
    invoice = await posted(account)
    assert (invoice["tranId"], invoice["status"]["id"]) == ("DE01-INV00001", "A")
    assert invoice["postingPeriod"]["refName"] == "Nov 2026"
    assert invoice["amountRemaining"] == 119
    assert await ledger(account, invoice["id"]) == {"1100": 119, "1150": -100, "2210": -19}
    assert (await put(account, sale(account) | {"approvalStatus": {"id": "2"}})).status_code == 204
    assert len(account.effects(operation="update")) == 1, "the same content again changes nothing"
    for change in (
        {"tranDate": "2026-11-16"},
        {"item": {"items": [item(account, 1)]}},
        {"approvalStatus": {"id": "1"}},
    ):
        answer = await account.call("PATCH", f"{RECORD}/invoice/eid:i-1", change, STRICT, replace="item")
        assert said(answer)
    assert (await account.call("PATCH", f"{RECORD}/invoice/eid:i-1", {"memo": "x"})).status_code == 204
    assert "cannot be deleted" in said(await account.call("DELETE", f"{RECORD}/invoice/eid:i-1"))


async def test_a_repeated_put_without_replace_adds_lines(account: Account) -> None:
    for _ in range(2):
        await account.call("PUT", f"{RECORD}/invoice/eid:i-1", sale(account), STRICT)
    assert (await shown(account))["subtotal"] == 200


async def test_numbers_have_no_gaps_though_a_posting_fails(account: Account) -> None:
    await posted(account, eid="i-1")
    await put(account, sale(account, tranDate="2026-10-31"), "i-2")
    assert "open accounting period" in said(await approve(account, "i-2"))
    assert (await posted(account, eid="i-3"))["tranId"] == "DE01-INV00002"
    assert (await shown(account, "i-2"))["status"]["id"] == "D"


async def test_a_rejected_invoice_is_not_approved_but_may_be_sent_back(account: Account) -> None:
    await put(account, sale(account))
    path = f"{RECORD}/invoice/eid:i-1"
    await account.call("PATCH", path, {"approvalStatus": {"id": "3"}}, STRICT)
    assert (await shown(account))["status"]["id"] == "E"
    assert "approval status" in said(await approve(account))
    assert (await account.call("PATCH", path, {"approvalStatus": {"id": "1"}})).status_code == 204
    assert (await account.call("DELETE", path)).status_code == 204
    assert await account.rows("SELECT transaction FROM transactionline") == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"item": {"items": []}}, "at least one line item"),
        ({"item": {"items": [{"amount": 1}]}}, "enter value(s) for: Item"),
        ({"subsidiary": {"externalId": "sub-US01"}}, "must match the subsidiary of the customer"),
        ({"entity": None}, "enter value(s) for: Customer"),
    ],
)
async def test_an_invoice_needs_what_the_account_asks_for(
    account: Account, change: dict[str, Any], words: str
) -> None:
    answer = await put(account, sale(account, **change))
    assert words in said(answer)


async def test_a_line_needs_an_amount_in_its_currency(account: Account) -> None:
    nothing = {"item": item(account, 1)["item"]}
    assert "enter value(s) for: Amount" in said(await put(account, sale(account, nothing)))
    priced = nothing | {"quantity": Decimal("1.5"), "rate": Decimal("33.33")}
    await put(account, sale(account, priced))
    assert (await shown(account))["subtotal"] == Decimal("50.00"), "49.995 is rounded away from zero"
    fine = await put(account, sale(account, item(account, Decimal("0.005"))), "i-2")
    assert fine.json()["o:errorDetails"][0]["o:errorPath"] == "item.items[0].amount"
    yen = {"currency": {"id": account.id_of("currency", "symbol", "JPY")}}
    whole = await put(account, sale(account, item(account, Decimal("0.5")), **yen), "i-3")
    assert whole.json()["o:errorDetails"][0]["o:errorPath"] == "item.items[0].amount"
    assert "negative" in said(await put(account, sale(account, item(account, -1)), "i-4"))
    foreign = item(account, 1, tax="US TX 5%")
    assert "not available to the subsidiary" in said(await put(account, sale(account, foreign), "i-5"))


async def test_each_tax_of_a_code_is_rounded_by_itself(account: Account) -> None:
    """0.06 at 9 % twice is 0.01 + 0.01; at 18 % at once it would be 0.01."""
    code = account.id_of("salesTaxItem", "itemId", "DE 7%")
    parts = [{"taxName": name, "rate": 9} for name in ("CGST", "SGST")]
    account.by_hand("salesTaxItem", code, {"rate": 18, "taxItem": {"items": parts}})
    await put(account, sale(account, item(account, Decimal("0.06"), tax="DE 7%")))
    draft = await shown(account)
    (line,) = draft["item"]["items"]
    assert (line["taxRate1"], line["tax1Amt"], draft["total"]) == (18, Decimal("0.02"), Decimal("0.08"))


async def test_computed_amounts_of_a_body_are_ignored(account: Account) -> None:
    await put(account, sale(account, status={"id": "B"}, total=1, taxTotal=0, amountRemaining=0))
    draft = await shown(account)
    assert (draft["total"], draft["status"]["id"]) == (119, "D")


async def test_foreign_currency_posts_at_the_last_rate_up_to_the_day(account: Account) -> None:
    dollars = account.id_of("currency", "symbol", "USD")
    rates = await account.rows(
        "SELECT exchangerate FROM currencyrate WHERE transactioncurrency = ? AND basecurrency = ?"
        " AND effectivedate <= TO_DATE('2026-11-15', 'YYYY-MM-DD') ORDER BY effectivedate DESC",
        *(dollars, account.id_of("currency", "symbol", "EUR")),
    )
    invoice = await posted(account, item(account, 100, tax=None), currency={"id": dollars})
    assert invoice["exchangeRate"] == Decimal(rates[0]["exchangerate"])
    expected = (100 * invoice["exchangeRate"]).quantize(Decimal("0.01"))
    assert await ledger(account, invoice["id"]) == {"1100": expected, "1150": -expected}
    early = await put(account, sale(account, currency={"id": dollars}, tranDate="2025-12-31"), "i-2")
    assert "no exchange rate" in said(early)


async def test_retention_and_advances_post_to_their_own_accounts(account: Account) -> None:
    lines = (
        item(account, 10000, "Milestone", None),
        item(account, -1000, "Retention", None),
        item(account, -2000, "Advance", None),
    )
    invoice = await posted(account, *lines)
    assert await ledger(account, invoice["id"]) == {
        "1100": 7000,
        "1150": -10000,
        "1160": 1000,
        "2100": 2000,
    }


async def test_a_credit_memo_takes_over_the_invoice_and_is_applied(account: Account) -> None:
    invoice = await posted(account)
    path = f"invoice/{invoice['id']}"
    answer = await transform(account, path, "creditMemo", {"externalId": "c-1", KEY: "k/1"})
    assert answer.status_code == 204
    memo = await shown(account, "c-1", "creditMemo")
    assert answer.headers["location"].endswith(memo["id"])
    assert (memo["total"], memo["status"]["id"], memo["createdFrom"]["id"]) == (119, "B", invoice["id"])
    assert memo["apply"]["items"][0]["amount"] == 119
    after = await shown(account)
    assert (after["status"]["id"], after["amountRemaining"], after["amountPaid"]) == ("B", 0, 119)
    assert await ledger(account, memo["id"]) == {"1100": -119, "1150": 100, "2210": 19}
    again = await transform(account, path, "creditMemo", {"externalId": "c-1"})
    assert "exceeds" in said(again)
    assert [each["count"] for each in account.effects(effect_key="k/1")] == [1]


async def test_a_transform_twice_makes_two_unless_the_external_id_is_the_same(account: Account) -> None:
    invoice = await posted(account)
    path = f"invoice/{invoice['id']}"
    ten = {"payment": 10}
    for _ in range(2):
        assert (await transform(account, path, "customerPayment", ten)).status_code == 204
    first = await transform(account, path, "customerPayment", ten | {"externalId": "p-1"})
    second = await transform(account, path, "customerPayment", ten | {"externalId": "p-1"})
    assert first.status_code == 204
    assert "already exists" in said(second)
    assert (await shown(account))["amountRemaining"] == 89


async def test_lines_of_a_credit_memo_are_added_unless_replaced(account: Account) -> None:
    invoice = await posted(account)
    path = f"invoice/{invoice['id']}"
    own = {"externalId": "c-1", "item": {"items": [item(account, 40)]}}
    assert "exceeds" in said(await transform(account, path, "creditMemo", own))
    assert (await transform(account, path, "creditMemo", own, replace="item")).status_code == 204
    assert (await shown(account, "c-1", "creditMemo"))["total"] == Decimal("47.60")
    rest = {"externalId": "c-2", "item": {"items": [item(account, Decimal("60.01"))]}}
    assert "71.40 remain" in said(await transform(account, path, "creditMemo", rest, replace="item"))


async def test_drafts_are_neither_credited_nor_paid(account: Account) -> None:
    await put(account, sale(account))
    path = f"invoice/{(await shown(account))['id']}"
    for target in ("creditMemo", "customerPayment"):
        assert "not been approved" in said(await transform(account, path, target, {}))
    assert (await transform(account, path, "salesOrder", {})).status_code == 400
    assert (await transform(account, path, "unheardOf", {})).status_code == 400
    assert (await transform(account, "invoice/9", "creditMemo", {})).status_code == 404


async def test_a_payment_in_dollars_realises_the_difference(account: Account) -> None:
    dollars = {"id": account.id_of("currency", "symbol", "USD")}
    invoice = await posted(account, item(account, 1000, tax=None), currency=dollars)
    body = {"externalId": "p-1", "payment": 1000, "tranDate": "2026-12-10"}
    await transform(account, f"invoice/{invoice['id']}", "customerPayment", body)
    payment = await shown(account, "p-1", "customerPayment")
    found = await ledger(account, payment["id"])
    assert sum(found.values()) == 0
    assert found["1100"] == -(await ledger(account, invoice["id"]))["1100"]
    assert found["1020"] == (1000 * payment["exchangeRate"]).quantize(Decimal("0.01"))
    assert found["7000"] == -(found["1020"] + found["1100"])
    assert found["7000"] != 0


async def test_the_last_payment_takes_what_rounding_left(account: Account) -> None:
    """Ten lines of 0.07 USD are 0.06 EUR each, 0.60 in all, while 0.70 USD at once would be 0.62."""
    dollars = {"id": account.id_of("currency", "symbol", "USD")}
    lines = [item(account, Decimal("0.07"), tax=None) for _ in range(10)]
    invoice = await posted(account, *lines, currency=dollars)
    assert (await ledger(account, invoice["id"]))["1100"] == Decimal("0.60")
    receivable = Decimal(0)
    for amount in ("0.30", "0.40"):
        body = {"externalId": f"p-{amount}", "payment": Decimal(amount), "tranDate": "2026-11-20"}
        await transform(account, f"invoice/{invoice['id']}", "customerPayment", body)
        payment = await shown(account, f"p-{amount}", "customerPayment")
        found = await ledger(account, payment["id"])
        assert sum(found.values()) == 0
        receivable += found["1100"]
    assert receivable == Decimal("-0.60")


async def test_a_journal_in_dollars_balances_in_euros_too(account: Account) -> None:
    dollars = {"id": account.id_of("currency", "symbol", "USD")}
    body = journal(account, *[{"debit": Decimal("0.07")}] * 4, currency=dollars)
    lines = body["line"]["items"]
    lines.append({"account": lines[0]["account"], "debit": Decimal("0.07")})
    lines.append({"account": lines[1]["account"], "credit": Decimal("0.35")})
    assert (await put(account, body, "j-1", "journalEntry")).status_code == 204
    entry = await shown(account, "j-1", "journalEntry")
    found = await ledger(account, entry["id"])
    assert (sum(found.values()), found["7010"]) == (0, Decimal("0.01"))


async def test_a_number_of_an_undone_request_is_given_again(account: Account) -> None:
    sides = ({"debit": 1}, {"credit": 1})
    beyond = journal(account, *sides, reversalDate="2046-01-01")
    assert "open accounting period" in said(await put(account, beyond, "j-1", "journalEntry"))
    await put(account, journal(account, *sides), "j-2", "journalEntry")
    assert (await shown(account, "j-2", "journalEntry"))["tranId"] == "DE01-JE00001"


@pytest.mark.parametrize(
    ("sides", "words"),
    [
        (({"debit": 10}, {"credit": 9}), "must balance: debits 10.00, credits 9.00"),
        (({"debit": 10},), "at least two lines"),
        (({"debit": 10, "credit": 10}, {"credit": 0}), "either a debit or a credit"),
        (({"debit": -1}, {"credit": -1}), "not below zero"),
    ],
)
async def test_a_journal_that_does_not_balance_is_refused(
    account: Account, sides: tuple[dict[str, Any], ...], words: str
) -> None:
    answer = await put(account, journal(account, *sides), "j-1", "journalEntry")
    assert words in said(answer)


def journal(account: Account, *sides: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    ids = [account.id_of("account", "acctNumber", number) for number in ("1150", "4000")]
    lines = [{"account": {"id": held}, **side} for held, side in zip(ids * 2, sides, strict=False)]
    body = {"subsidiary": {"externalId": "sub-DE01"}, "tranDate": "2026-11-28", "line": {"items": lines}}
    return body | changes


async def test_journals_post_reverse_and_stay(account: Account) -> None:
    sides = ({"debit": Decimal("187.03")}, {"credit": Decimal("187.03")})
    body = journal(account, *sides, reversalDate="2026-12-01")
    assert (await put(account, body, "j-1", "journalEntry")).status_code == 204
    entry = await shown(account, "j-1", "journalEntry")
    assert (entry["tranId"], entry["reversalEntry"]) == ("DE01-JE00001", "DE01-JE00002")
    (back,) = await account.rows("SELECT id FROM transaction WHERE tranid = 'DE01-JE00002'")
    assert await ledger(account, back["id"]) == {"1150": Decimal("-187.03"), "4000": Decimal("187.03")}
    assert (await put(account, body, "j-1", "journalEntry")).status_code == 204
    other = journal(account, {"debit": 1}, {"credit": 1}, reversalDate="2026-12-01")
    assert "locked" in said(await put(account, other, "j-1", "journalEntry"))
    before = journal(account, *sides, reversalDate="2026-11-28")
    assert "reversal date" in said(await put(account, before, "j-2", "journalEntry"))
    bank = journal(account, *sides)
    bank["line"]["items"][0]["account"] = {"id": account.id_of("account", "acctNumber", "1010")}
    assert "not available to the subsidiary" in said(await put(account, bank, "j-3", "journalEntry"))


async def test_a_person_voids_an_open_invoice(account: Account) -> None:
    invoice = await posted(account)
    account.by_hand("invoice", invoice["id"], {"status": {"id": "V"}})
    void = await shown(account)
    assert (void["status"]["id"], void["amountRemaining"], void["tranId"]) == ("V", 0, "DE01-INV00001")
    assert await ledger(account, invoice["id"]) == {}
    account.by_hand("invoice", invoice["id"], {"memo": "still void"})
    assert await ledger(account, invoice["id"]) == {}
    other = await posted(account, eid="i-2")
    await transform(account, f"invoice/{other['id']}", "customerPayment", {"payment": 1})
    with pytest.raises(Refused):
        account.by_hand("invoice", other["id"], {"status": {"id": "V"}})


# ---- billing by schedule


async def scheduled(account: Account) -> tuple[str, str]:
    """A project with a schedule of two milestones, and the schedule."""
    await account.call("PUT", f"{RECORD}/job/eid:prj-1", account.job(), STRICT)
    job = account.id_of("job", "externalId", "prj-1")
    lines = [
        {"comments": "Design", "milestoneAmount": 300, "milestoneDate": "2026-11-28"},
        {"comments": "Build", "milestoneAmount": 700, "milestoneDate": "2026-12-28"},
    ]
    body = {"name": "Plan", "scheduleType": {"id": "3"}, "job": {"id": job}, "milestone": {"items": lines}}
    await account.call("PUT", f"{RECORD}/billingSchedule/eid:s-1", body, STRICT, replace="milestone")
    return job, account.id_of("billingSchedule", "externalId", "s-1")


async def order(account: Account, job: str, schedule: str | None) -> str:
    body = sale(account, item(account, 1000), job={"id": job})
    body |= {"billingSchedule": {"id": schedule}} if schedule else {}
    answer = await put(account, body, "o-1", "salesOrder")
    assert answer.status_code == 204, answer.text
    return account.id_of("salesOrder", "externalId", "o-1")


async def test_an_order_is_billed_by_its_schedule_once(account: Account) -> None:
    job, schedule = await scheduled(account)
    source = f"salesOrder/{await order(account, job, schedule)}"
    body = {"externalId": "i-1", "tranDate": "2026-11-28"}
    assert (await transform(account, source, "invoice", body)).status_code == 204
    invoice = await shown(account)
    assert [(line["description"], line["amount"]) for line in invoice["item"]["items"]] == [("Design", 300)]
    assert (invoice["billingSchedule"]["id"], invoice["total"]) == (schedule, 357)
    milestones = (await shown(account, "s-1", "billingSchedule"))["milestone"]["items"]
    assert [line.get("milestoneCompleted") for line in milestones] == [True, None]
    early = await transform(account, source, "invoice", {"tranDate": "2026-11-28"})
    assert "nothing to bill" in said(early)
    assert "dependent" in said(await account.call("DELETE", f"{RECORD}/billingSchedule/{schedule}"))
    moved = {"milestone": {"items": [{"milestoneId": 1, "milestoneAmount": 1}]}}
    assert "has been billed" in said(
        await account.call("PATCH", f"{RECORD}/billingSchedule/{schedule}", moved, STRICT)
    )
    await transform(account, source, "invoice", {"externalId": "i-2", "tranDate": "2026-12-28"})
    assert (await shown(account, "o-1", "salesOrder"))["orderStatus"]["id"] == "G"
    assert "not pending billing" in said(await transform(account, source, "invoice", {}))
    await account.call("DELETE", f"{RECORD}/invoice/eid:i-2")
    assert (await shown(account, "o-1", "salesOrder"))["orderStatus"]["id"] == "F"
    assert (await transform(account, source, "invoice", {"externalId": "i-3"})).status_code == 204


async def test_an_order_without_schedule_is_billed_whole(account: Account) -> None:
    job, _ = await scheduled(account)
    source = f"salesOrder/{await order(account, job, None)}"
    await transform(account, source, "invoice", {"externalId": "i-1"})
    assert (await shown(account))["subtotal"] == 1000
    assert "not pending billing" in said(await transform(account, source, "invoice", {}))


async def test_the_account_bills_what_is_due(account: Account) -> None:
    job, schedule = await scheduled(account)
    first = account.emulator.add("billingRun", {"until": "2026-11-28"})
    (number,) = first["invoices"]
    (row,) = await account.rows("SELECT id, type, job, foreigntotal, status FROM transaction")
    assert row == {"id": number, "type": "CustInvc", "job": job, "foreigntotal": "357.00", "status": "A"}
    assert account.emulator.add("billingRun", {"until": "2026-11-28"})["invoices"] == []
    later = account.emulator.add("billingRun", {"until": "2026-12-28", "approve": False})
    (pending,) = later["invoices"]
    held = account.store.get("invoice", pending)
    assert held is not None
    assert (held["status"], held["billingSchedule"]) == ("D", schedule)
    for wrong in ({}, {"until": 5}, {"until": "2026-12-28", "who": "me"}):
        with pytest.raises(ValueError, match="a billing run takes"):
            account.emulator.add("billingRun", wrong)


async def test_the_ledger_survives_a_reopened_file(account: Account, tmp_path: Path) -> None:
    invoice = await posted(account)
    account.database.close()
    again = Account(tmp_path)
    assert await ledger(again, invoice["id"]) == {"1100": 119, "1150": -100, "2210": -19}
    assert (await posted(again, eid="i-9"))["tranId"] == "DE01-INV00002"
    answer = await transform(again, f"invoice/{invoice['id']}", "customerPayment", {"externalId": "p-1"})
    assert answer.status_code == 204
    await again.close()
