"""Credit notes: full, by entry and by price; what each releases, and that no cent is credited twice."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.billing_commands import CreditReason
from domain.calendar import Period
from domain.money import Money, total
from domain.rules.credit import check_rebill, credit_entries, full_reversal, reduce_price
from domain.rules.credited import Credit, CreditRefused, PostedInvoice
from tests.unit.domain.rules.invoice_cases import DATED, HELD, INVOICE, OPEN, eur, line, tax


def after(invoice: PostedInvoice, *credits: Credit) -> PostedInvoice:
    return invoice.with_changes(credits=(*invoice.credits, *credits))


def test_a_full_reversal_nets_receivable_tax_and_lines_to_zero() -> None:
    credit = full_reversal(HELD, "billing_error", DATED, OPEN)
    assert (credit.net, credit.tax, credit.gross) == (eur(9000), eur(1710), HELD.gross)
    assert credit.released == ("a", "b", "m")
    assert credit.settles
    assert credit.books == "contract_account"
    assert all(not left.amount for left in after(HELD, credit).left_of_lines.values())
    with pytest.raises(CreditRefused, match="in full already"):
        full_reversal(after(HELD, credit), "billing_error", DATED, OPEN)


def test_named_entries_take_their_shares_and_the_original_rate() -> None:
    credit = credit_entries(INVOICE, ["b"], "billing_error", DATED, OPEN)
    assert (credit.net, credit.tax) == (eur(2000), eur(380))
    assert [(part.ref, part.net) for part in credit.lines] == [("1", eur(2000))]
    assert credit.released == ("b",)
    assert not credit.settles


def test_a_reduction_of_the_price_releases_nothing() -> None:
    credit = reduce_price(INVOICE, eur(1000), "concession", DATED, OPEN)
    assert [(part.ref, part.net) for part in credit.lines] == [("1", eur(600)), ("2", eur(400))]
    assert (credit.tax, credit.released, credit.books) == (eur(190), (), "price")
    of_one_line = reduce_price(INVOICE, eur(1000), "concession", DATED, OPEN, refs=["2"])
    assert [(part.ref, part.net) for part in of_one_line.lines] == [("2", eur(1000))]


def test_a_concession_gives_entries_up_for_good() -> None:
    credit = credit_entries(INVOICE, ["a"], "concession", DATED, OPEN)
    assert (credit.entries, credit.released) == (("a",), ())
    with pytest.raises(CreditRefused, match="no credit released a"):
        check_rebill(["a"], [credit])
    with pytest.raises(CreditRefused, match="credited before"):
        credit_entries(after(INVOICE, credit), ["a"], "concession", DATED, OPEN)
    rest = full_reversal(after(INVOICE, credit), "billing_error", DATED, OPEN)
    assert rest.released == ("b", "m")


def test_retention_comes_back_in_proportion() -> None:
    credit = credit_entries(HELD, ["m"], "billing_error", DATED, OPEN)
    assert {part.ref: part.net for part in credit.lines} == {"2": eur(4000), "3": eur(-400)}
    assert (credit.net, credit.tax) == (eur(3600), eur(684))
    rest = credit_entries(after(HELD, credit), ["a", "b"], "billing_error", DATED, OPEN)
    assert (rest.net, rest.tax, rest.settles) == (eur(5400), eur(1026), True)


def test_a_credit_is_taxed_as_its_invoice_was() -> None:
    """19% of 238.75 and of 850.00 less 108.88 held: 186.17 line by line, 186.18 all together."""
    lines = (line("1", "4450", a="850", b="3600"), line("2", "1193.75", c="238.75", d="955"))
    held = line("3", "-564.38", kind="retention")
    together = PostedInvoice(
        id="I", number="N", currency="EUR", dated=INVOICE.dated, lines=(*lines, held),
        taxes=(tax("5079.37", "965.08"),),
    )  # fmt: skip
    by_line = together.with_changes(tax_rounding="line")
    for invoice, expected in ((together, "186.18"), (by_line, "186.17")):
        credit = credit_entries(invoice, ["a", "c"], "billing_error", DATED, OPEN)
        assert (credit.net, credit.tax) == (eur("979.87"), eur(expected))
        rest = full_reversal(after(invoice, credit), "billing_error", DATED, OPEN)
        assert credit.tax + rest.tax == eur("965.08")


def test_an_advance_applied_is_restored_in_proportion() -> None:
    """An invoice of 10,000 paid by an advance: a credit brings the advance back, and no money."""
    drawn = line("3", -10000, kind="advance_applied")
    invoice = INVOICE.with_changes(
        lines=(*INVOICE.lines, drawn), taxes=(tax(0, 0),), base_gross=Money.zero("USD")
    )
    credit = credit_entries(invoice, ["b"], "billing_error", DATED, OPEN)
    assert {part.ref: part.net for part in credit.lines} == {"1": eur(2000), "3": eur(-2000)}
    assert (credit.gross, credit.base_gross) == (eur(0), Money.zero("USD"))


def test_an_invoice_that_only_gives_back_is_credited_too() -> None:
    """Nothing on it bills work: there is no share to take, so all of it follows."""
    invoice = INVOICE.with_changes(lines=(line("1", -500, kind="adjustment", x=-500),), taxes=())
    credit = credit_entries(invoice, ["x"], "billing_error", DATED, OPEN)
    assert (credit.net, credit.settles) == (eur(-500), True)


def test_the_last_of_several_credits_absorbs_the_cent() -> None:
    """Three lines of 0.33 at 20%, rounded as a group: 0.20 of tax, though each third alone has 0.07."""
    thirds = tuple(line(ref, "0.33", code="A", **{f"k{ref}": "0.33"}) for ref in "123")
    invoice = INVOICE.with_changes(lines=thirds, taxes=(tax("0.99", "0.20", "A", "20"),))
    taxes = []
    for key in ("k1", "k2", "k3"):
        credit = credit_entries(invoice, [key], "billing_error", DATED, OPEN)
        taxes.append(str(credit.tax.amount))
        invoice = after(invoice, credit)
    assert taxes == ["0.07", "0.06", "0.07"]


def test_the_last_entry_of_a_line_takes_what_a_reduction_left() -> None:
    reduced = after(INVOICE, reduce_price(INVOICE, eur(500), "concession", DATED, OPEN, refs=["2"]))
    assert credit_entries(reduced, ["m"], "billing_error", DATED, OPEN).net == eur(3500)


def test_never_more_than_is_left() -> None:
    with pytest.raises(CreditRefused, match=r"only 10,000\.00 EUR of INV-1 are left") as caught:
        reduce_price(INVOICE, eur("10000.01"), "concession", DATED, OPEN)
    assert (caught.value.field, caught.value.amount) == ("net", eur("10000.01"))
    reduced = after(INVOICE, reduce_price(INVOICE, eur(3000), "concession", DATED, OPEN, refs=["1"]))
    with pytest.raises(CreditRefused, match=r"3,000\.00 EUR left after earlier credits"):
        credit_entries(reduced, ["a"], "billing_error", DATED, OPEN)


@pytest.mark.parametrize("reason", ["uncollectible", "regret"])
def test_a_reason_that_is_none_for_a_credit(reason: CreditReason) -> None:
    with pytest.raises(CreditRefused, match="allowance" if reason == "uncollectible" else "billing_error or"):
        full_reversal(INVOICE, reason, DATED, OPEN)


@pytest.mark.parametrize(
    ("dated", "says"),
    [(date(2026, 10, 31), "no open period .open: 2026-11"), (date(2026, 11, 9), "before INV-1 itself")],
)
def test_it_is_dated_in_an_open_period_after_the_invoice(dated: date, says: str) -> None:
    with pytest.raises(CreditRefused, match=says):
        full_reversal(INVOICE, "billing_error", dated, OPEN)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: credit_entries(INVOICE, ["x"], "billing_error", DATED, OPEN), "x is not on INV-1"),
        (lambda: credit_entries(INVOICE, [], "billing_error", DATED, OPEN), "no entry is named"),
        (lambda: reduce_price(INVOICE, eur(0), "concession", DATED, OPEN), "above zero"),
        (lambda: reduce_price(INVOICE, eur(1), "concession", DATED, OPEN, ["9"]), "no line 9"),
        (lambda: full_reversal(INVOICE, "concession", DATED, ()), "open: none"),
    ],
)
def test_what_is_refused(make: Callable[[], Credit], says: str) -> None:
    with pytest.raises(CreditRefused, match=says):
        make()


def test_a_rebill_contains_what_was_released_by_name_and_nothing_twice() -> None:
    credit = credit_entries(INVOICE, ["b"], "billing_error", DATED, OPEN)
    check_rebill(["b"], [credit])
    with pytest.raises(CreditRefused, match="released a, m"):
        check_rebill(["m", "b", "a"], [credit])
    with pytest.raises(CreditRefused, match="b stand on a live invoice"):
        check_rebill(["b"], [credit], billed_again=["b"])


AMOUNTS = st.lists(st.integers(1, 10**8), min_size=1, max_size=8)
RATES = st.sampled_from(["0", "7", "19", "25.5"])
SLACK = st.integers(-2, 2)


@given(AMOUNTS, RATES, SLACK, st.integers(0, 30), st.data())
def test_credits_of_any_kind_never_exceed_the_invoice_and_close_it_exactly(
    cents: list[int], percent: str, slack: int, held: int, data: st.DataObject
) -> None:
    """Whatever way the ERP rounded the tax (`slack` cents) and whatever was credited before."""
    lines = [
        line(str(n), Decimal(amount).scaleb(-2), code="A", **{f"k{n}": Decimal(amount).scaleb(-2)})
        for n, amount in enumerate(cents)
    ]
    whole = total([each.line.net for each in lines], "EUR")
    retention = whole.times(Decimal(held) / 100)
    if retention.amount:
        lines.append(line("retention", -retention.amount, kind="retention", code="A"))
    base = whole - retention
    charged = max(base.times(Decimal(percent) / 100).amount + Decimal(slack).scaleb(-2), Decimal(0))
    invoice = INVOICE.with_changes(lines=tuple(lines), taxes=(tax(base.amount, charged, "A", percent),))
    invoice = invoice.with_changes(base_gross=Money.rounded(invoice.gross.amount * Decimal("0.87"), "USD"))
    for _ in range(data.draw(st.integers(0, 4))):
        left = total([invoice.left(each.line) for each in lines if each.line.kind == "time"], "EUR")
        if data.draw(st.booleans()) and left.amount:
            part = Money.of(min(Decimal(data.draw(st.integers(1, 10**8))).scaleb(-2), left.amount), "EUR")
            invoice = after(invoice, reduce_price(invoice, part, "concession", DATED, OPEN))
            continue
        keys = [f"k{n}" for n in range(len(cents)) if f"k{n}" not in invoice.credited_entries]
        if keys and left.amount:
            named = data.draw(st.sets(st.sampled_from(keys), min_size=1))
            invoice = after(invoice, credit_entries(invoice, named, "billing_error", DATED, OPEN))
    if any(amount.amount for amount in invoice.left_of_lines.values()):
        invoice = after(invoice, full_reversal(invoice, "billing_error", DATED, OPEN))
    credits = invoice.credits
    assert total([credit.gross for credit in credits], "EUR") == invoice.gross
    assert total([credit.tax for credit in credits], "EUR").amount == charged
    assert total([credit.base_gross for credit in credits if credit.base_gross], "USD") == invoice.base_gross
    released = [key for credit in credits for key in credit.released]
    assert len(released) == len(set(released))
    running = eur(0)
    for credit in credits:
        running = running + credit.gross
        assert eur(0) <= running
        assert running <= invoice.gross


@given(st.dates(date(2026, 1, 1), date(2027, 12, 31)), st.sets(st.integers(1, 12)))
def test_a_credit_is_always_in_an_open_period(dated: date, months: set[int]) -> None:
    periods = [Period(year=2026, month=month) for month in months]
    if dated >= INVOICE.dated and Period.of(dated) in periods:
        assert full_reversal(INVOICE, "billing_error", dated, periods).dated == dated
    else:
        with pytest.raises(CreditRefused, match="dated"):
            full_reversal(INVOICE, "billing_error", dated, periods)
