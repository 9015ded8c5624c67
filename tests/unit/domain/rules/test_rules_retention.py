"""Retention: flat and by tiers, capped in all, released once."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import Money, total
from domain.project_contract import RetentionTerms, RetentionTier
from domain.rules.retention import RetentionError, RetentionMove, balances, due_release, retain
from tests.unit.domain.rules.priced_work import CENTS, cents, eur

ZERO = eur(0)
FLAT = RetentionTerms(tiers=(RetentionTier(percent="10"),))
TIERS = RetentionTerms(
    tiers=(
        RetentionTier(up_to=eur(50000), percent="10"),
        RetentionTier(up_to=eur(100000), percent="5"),
        RetentionTier(percent="0"),
    )
)
TERMS = st.sampled_from([FLAT, TIERS, RetentionTerms()])


def test_ten_percent_of_an_invoice() -> None:
    retained = retain(FLAT, eur(10000), ZERO, ZERO)
    assert (retained.held, retained.balance, retained.limited) == (eur(1000), eur(1000), False)


def test_nothing_agreed_nothing_held() -> None:
    assert retain(RetentionTerms(), eur(10000), ZERO, ZERO).held == ZERO


def test_an_invoice_that_crosses_tiers_is_split_exactly() -> None:
    retained = retain(TIERS, eur(80000), eur(40000), eur(4000))
    assert [(band.base, band.percent, band.held) for band in retained.bands] == [
        (eur(10000), Decimal(10), eur(1000)),
        (eur(50000), Decimal(5), eur(2500)),
        (eur(20000), Decimal(0), ZERO),
    ]
    assert (retained.held, retained.balance) == (eur(3500), eur(7500))


def test_no_more_is_held_than_agreed_in_all() -> None:
    terms = FLAT.with_changes(most_held=eur(1200))
    retained = retain(terms, eur(10000), eur(10000), eur(1000))
    assert (retained.held, retained.balance, retained.limited) == (eur(200), eur(1200), True)
    assert retain(terms, eur(10000), eur(20000), eur(1200)).held == ZERO


def test_a_credit_note_frees_what_its_tiers_held_and_no_more_than_is_held() -> None:
    assert retain(TIERS, eur(-20000), eur(60000), eur(5500)).held == eur(-1500)
    freed = retain(FLAT, eur(-10000), eur(10000), eur(300))
    assert (freed.held, freed.balance, freed.limited) == (eur(-300), ZERO, True)


@given(TERMS, CENTS.map(cents), CENTS.map(cents))
def test_bands_sum_to_the_invoice_and_to_what_is_held(
    terms: RetentionTerms, net: Money, before: Money
) -> None:
    retained = retain(terms, net, before, ZERO)
    assert total([band.held for band in retained.bands], "EUR") == retained.held
    if terms.tiers:
        assert total([band.base for band in retained.bands], "EUR") == net
    assert retained.held >= ZERO
    assert retained.held <= net


@given(TERMS, CENTS.map(cents), CENTS.map(cents))
def test_a_credit_of_the_last_invoice_mirrors_it(terms: RetentionTerms, net: Money, before: Money) -> None:
    forward = retain(terms, net, before, ZERO)
    back = retain(terms, -net, before + net, forward.balance)
    assert back.held == -forward.held
    assert back.balance == ZERO


@given(TERMS, st.lists(CENTS.map(cents), max_size=12), CENTS.map(cents))
def test_the_total_is_never_passed_and_the_balance_runs(
    terms: RetentionTerms, invoices: list[Money], most: Money
) -> None:
    limited = terms.with_changes(most_held=most)
    billed, held, moves = ZERO, ZERO, []
    for n, net in enumerate(invoices):
        retained = retain(limited, net, billed, held)
        billed, held = billed + net, retained.balance
        moves.append(RetentionMove(ref=str(n), kind="held", amount=retained.held))
        assert held <= most
        assert balances(moves, "EUR")[-1] == held
    release = RetentionMove(ref="end", kind="released", amount=held)
    assert balances([*moves, release], "EUR")[-1] == ZERO


def test_splitting_an_invoice_moves_at_most_a_cent_each() -> None:
    whole = retain(TIERS, eur("60000.01"), eur(30000), ZERO).held
    first = retain(TIERS, eur("20000.01"), eur(30000), ZERO)
    second = retain(TIERS, eur(40000), eur("50000.01"), first.balance)
    assert abs((first.held + second.held - whole).amount) <= Decimal("0.01")


def test_more_than_is_held_is_never_released() -> None:
    moves = [
        RetentionMove(ref="i1", kind="held", amount=eur(1000)),
        RetentionMove(ref="r1", kind="released", amount=eur(1000)),
        RetentionMove(ref="r2", kind="released", amount=eur(1)),
    ]
    with pytest.raises(RetentionError, match=r"retention\.r2: is 1\.00 EUR more than is held"):
        balances(moves, "EUR")


def test_release_by_date_event_and_final_account() -> None:
    by_date = FLAT.with_changes(release="date", release_on=date(2027, 6, 30))
    assert due_release(by_date, eur(1000), date(2027, 6, 29)) is None
    assert due_release(by_date, eur(1000), date(2027, 6, 30)) is not None
    release = due_release(by_date, eur(1000), date(2027, 7, 5))
    assert release is not None
    assert (release.amount, release.reason, release.due_on) == (eur(1000), "date", date(2027, 6, 30))
    assert due_release(FLAT, eur(1000), date(2027, 7, 5)) is None
    final = due_release(FLAT, eur(1000), date(2027, 7, 5), happened_on=date(2027, 7, 1))
    assert final is not None
    assert (final.reason, final.due_on) == ("final_account", date(2027, 7, 1))
    assert due_release(by_date, ZERO, date(2027, 7, 5)) is None


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        (RetentionTerms(tiers=(RetentionTier(up_to=eur(5), percent="1"),)), "the last tier has no up_to"),
        (RetentionTerms(tiers=(RetentionTier(percent="1"),) * 2), "not in order"),
        (
            RetentionTerms(
                tiers=(
                    RetentionTier(up_to=eur(5), percent="1"),
                    RetentionTier(up_to=eur(5), percent="2"),
                    RetentionTier(percent="3"),
                )
            ),
            r"not in order.*\[5\.00 EUR\]",
        ),
        (FLAT.with_changes(most_held=Money.of(1, "USD")), r"holds 1\.00 USD"),
    ],
)
def test_terms_that_do_not_say_what_to_hold(terms: RetentionTerms, words: str) -> None:
    with pytest.raises(RetentionError, match=words):
        retain(terms, eur(100), ZERO, ZERO)


def test_a_release_by_date_needs_its_date() -> None:
    with pytest.raises(RetentionError, match=r"retention\.release_on: is missing"):
        due_release(FLAT.with_changes(release="date"), eur(1), date(2027, 1, 1))


def test_a_negative_balance_is_refused() -> None:
    with pytest.raises(RetentionError, match=r"retention\.held: is below zero \[-1\.00 EUR\]"):
        retain(FLAT, eur(1), ZERO, eur(-1))
