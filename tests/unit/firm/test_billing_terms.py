"""Billing in the firm's file: contract before entity before firm, and every mistake with place and cure."""

import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from domain.money import Money
from domain.project_contract import BillingTerms, RetentionTier
from firm.load import load
from firm.policies import snapshot
from firm.problems import FirmFileError

EXAMPLE = Path(__file__).parents[3] / "examples" / "firm"
MAIN = "fairlead.toml"
SECTION = '[billing.contracts."C-EXAMPLE"]'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(EXAMPLE, tmp_path / "firm")
    return tmp_path / "firm"


def change(folder: Path, old: str, new: str) -> None:
    text = (folder / MAIN).read_text(encoding="utf-8")
    assert old in text, f"the example no longer holds {old!r}"
    (folder / MAIN).write_text(text.replace(old, new, 1), encoding="utf-8")


def eur(amount: str) -> Money:
    return Money.of(amount, "EUR")


def usd(amount: str) -> Money:
    return Money.of(amount, "USD")


def test_the_innermost_level_that_speaks_is_heard(folder: Path) -> None:
    stated = 'grouping = "task"\nexpense_markup_percent = "0"\ntax_rounding = "group"'
    change(folder, SECTION, f"{SECTION}\n{stated}")
    firm = load(folder)
    plain = firm.billing_terms("US01", "C-1", "USD")
    german = firm.billing_terms("DE01", "C-1", "EUR")
    own = firm.billing_terms("DE01", "C-EXAMPLE", "USD")
    assert [t.grouping for t in (plain, german, own)] == ["role", "role", "task"]
    assert [t.expense_markup_percent for t in (plain, german, own)] == [0, Decimal(5), 0]
    assert [t.tax_rounding for t in (plain, german, own)] == ["line", "line", "group"]
    assert firm.billing_terms("IN01", "C-1", "INR").po_required
    assert not plain.po_required
    assert (plain.prebill_hours, plain.cycle_day, plain.payment_terms) == (48, 1, "Net 30")


def test_amounts_of_a_contract() -> None:
    terms = load(EXAMPLE).billing_terms("US01", "C-EXAMPLE", "USD")
    assert (terms.cap, terms.advance, terms.expense_cap) == (usd("250000"), usd("30000"), usd("12000"))
    assert terms.retention.tiers == (
        RetentionTier(up_to=usd("100000"), percent=Decimal(10)),
        RetentionTier(percent=Decimal(5)),
    )
    assert (terms.retention.most_held, terms.retention.release) == (usd("12500"), "final_account")
    with pytest.raises(ValueError, match="currency is USD, but the contract is in EUR"):
        load(EXAMPLE).billing_terms("DE01", "C-EXAMPLE", "EUR")
    with pytest.raises(KeyError, match="no entity 'FR01'"):
        load(EXAMPLE).billing_terms("FR01", "C-1", "EUR")


def test_flat_retention_and_its_release(folder: Path) -> None:
    change(folder, 'grouping = "role"', 'grouping = "role"\nretention_percent = "10"')
    change(folder, "[billing.entities.IN01]", '[billing.entities.IN01]\nretention_percent = "0"')
    change(
        folder,
        SECTION,
        '[billing.contracts."C-2"]\nretention_release = "date"\nretention_release_on = 2027-06-30\n'
        + SECTION,
    )
    firm = load(folder)
    assert firm.billing_terms("US01", "C-1", "USD").retention.tiers == (RetentionTier(percent=Decimal(10)),)
    assert firm.billing_terms("IN01", "C-1", "INR").retention.tiers == ()
    dated = firm.billing_terms("US01", "C-2", "USD").retention
    assert (dated.release, dated.release_on, len(dated.tiers)) == ("date", date(2027, 6, 30), 1)


def test_limits_by_the_contracts_currency_else_the_entitys(folder: Path) -> None:
    change(
        folder, 'write_down = { USD = "2500", EUR = "2500", INR = "200000" }', 'write_down = { EUR = "9" }'
    )
    firm = load(folder)
    assert firm.billing_terms("DE01", "C-1", "USD").approval_limit == Money.of("100000", "USD")
    assert firm.billing_terms("DE01", "C-1", "CHF").approval_limit == eur("100000")
    assert firm.billing_terms("DE01", "C-1", "CHF").write_down_limit == eur("9")
    assert firm.billing_terms("US01", "C-1", "USD").write_down_limit is None


def test_without_a_word_the_defaults_of_the_domain_hold(folder: Path) -> None:
    text = (folder / MAIN).read_text(encoding="utf-8")
    first, last = text.index("[billing]"), text.index("[webhooks.salesforce]")
    (folder / MAIN).write_text(text[:first] + text[last:], encoding="utf-8")
    change(folder, "approval = {", "# approval = {")
    change(folder, "write_down = {", "# write_down = {")
    firm = load(folder)
    assert firm.billing_terms("DE01", "C-1", "EUR") == BillingTerms()
    policy = snapshot(firm)
    assert (policy.intake_poll_minutes, policy.expense_source) == (15, "")
    assert policy.alerts == type(policy.alerts)()
    assert firm.fx_policy("spot").max_age_days == 5


def test_the_snapshot_takes_alerts_and_polling(folder: Path) -> None:
    change(folder, 'intake_poll_every = "15m"', 'intake_poll_every = "1h"\nexpense_source = "concur"')
    change(folder, "unbilled_days = 30", "unbilled_days = 14")
    change(folder, "spot = 5, closing = 5", "spot = 5, closing = 2")
    firm = load(folder)
    policy = snapshot(firm)
    assert (policy.intake_poll_minutes, policy.expense_source) == (60, "concur")
    assert (policy.alerts.unbilled_days, policy.alerts.missed_event_days) == (14, 2)
    assert [firm.fx_policy(kind).max_age_days for kind in ("spot", "closing")] == [5, 2]


OWN = "billing.contracts.C-EXAMPLE"
MISTAKES = [
    # what stands there, what is written instead, key, what the message says, what cures it
    ('grouping = "role"', 'grouping = "team"', "billing.grouping", "'team' is not allowed", "'person'"),
    ('grouping = "role"', 'groupping = "role"', "billing.groupping", "not a key", "did you mean grouping?"),
    ("cycle_day = 1 ", "cycle_day = 31 ", "billing.cycle_day", "less than or equal to 28", "correct"),
    ("prebill_hours = 48", "prebill_hours = -1", "billing.prebill_hours", "greater", "correct"),
    ("prebill = true", "prebill = false", "billing.prebill_hours", "there is no review", "leave out"),
    ('every = "15m"', 'every = "90s"', "billing.intake_poll_every", "whole minutes", "15m"),
    ("entities.DE01]", "entities.DE02]", "billing.entities.DE02", "not the code", "DE01"),
    (
        'percent = "5"\n',
        'percent = "lots"\n',
        "billing.entities.DE01.expense_markup_percent",
        "lots",
        "correct",
    ),
    ("po_required = true", 'po_required = "often"', "billing.entities.IN01.po_required", "often", "correct"),
    ('currency = "USD"\ncap', "cap", OWN, "cap, retention_most, advance, expense_cap", "currency ="),
    ('cap = "250000"', 'cap = "0.001"', OWN, "wrong cap", "correct the amount"),
    ('cap = "250000"', 'cap = "-1"', f"{OWN}.cap", "greater than 0", "correct"),
    ('{ percent = "5" }', '{ up_to = "9", percent = "5" }', OWN, "do not cover every amount", "last one"),
    ('{ percent = "5" }', '{ up_to = "9", percent = "5" }, { percent = "1" }', OWN, "out of order", "above"),
    ('cap = "250000"', 'retention_percent = "5"', OWN, "retention_percent and retention_tiers", "one of"),
    ('release = "final_account"', 'release = "date"', OWN, "names one of", "state both"),
    ('percent = "10" }', 'percent = "110" }', f"{OWN}.retention_tiers[0].percent", "100", "correct"),
    ("spot = 5", "sport = 5", "fx.max_age_days.sport", "not allowed", "'spot'"),
    ("closing = 5", "closing = -5", "fx.max_age_days.closing", "greater", "correct"),
    ("unbilled_days = 30", "unbilled_days = 0", "alerts.unbilled_days", "greater", "correct"),
    ("unbilled_days", "unbiled_days", "alerts.unbiled_days", "not a key", "did you mean unbilled_days?"),
    (
        'write_down = { USD = "2500"',
        'write_down = { USD = "-1"',
        "limits.write_down.USD",
        "greater",
        "correct",
    ),
    ("write_down = { USD", "write_down = { USX", "limits.write_down.USX", "USX", "ISO 4217"),
]


@pytest.mark.parametrize(
    ("old", "new", "key", "says", "cure"), MISTAKES, ids=[f"{row[2]}-{n}" for n, row in enumerate(MISTAKES)]
)
def test_a_mistake_is_named(folder: Path, old: str, new: str, key: str, says: str, cure: str) -> None:
    change(folder, old, new)
    with pytest.raises(FirmFileError) as caught:
        load(folder)
    found = caught.value.problems
    problem = next((p for p in found if p.key == key and says in p.what), None)
    assert problem is not None, "\n".join(map(str, found))
    assert cure in problem.cure
    assert problem.line is not None
