"""Advances: drawn down to nothing, never below, whatever the order of the invoices."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import Money, total
from domain.rules.advances import (
    AdvanceError,
    AdvanceMove,
    AdvanceOverdrawn,
    balances,
    draw_down,
    draw_downs,
    given_back,
    refund,
)
from tests.unit.domain.rules.priced_work import CENTS, cents, eur


def move(ref: str, kind: str, amount: object) -> AdvanceMove:
    return AdvanceMove(ref=ref, kind=kind, amount=eur(amount))  # type: ignore[arg-type]


def test_thirty_thousand_against_three_invoices() -> None:
    downs = draw_downs(eur(30000), [eur(12000)] * 3)
    assert [down.applied for down in downs] == [eur(12000), eur(12000), eur(6000)]
    assert [down.to_pay for down in downs] == [eur(0), eur(0), eur(6000)]
    assert [down.left for down in downs] == [eur(18000), eur(6000), eur(0)]


@given(CENTS.map(cents), st.lists(CENTS.map(cents), max_size=12))
def test_applied_and_paid_sum_to_the_invoice_and_the_balance_is_never_passed(
    left: Money, invoices: list[Money]
) -> None:
    downs = draw_downs(left, invoices)
    for down, invoice in zip(downs, invoices, strict=True):
        assert down.applied + down.to_pay == invoice
        assert eur(0) <= down.left
        assert down.to_pay == eur(0) or down.left == eur(0)
    applied = total([down.applied for down in downs], "EUR")
    assert applied == min(left, total(invoices, "EUR"))


@given(CENTS.map(cents), st.lists(CENTS.map(cents), max_size=8), st.data())
def test_any_interleaving_stays_within_the_balance(
    left: Money, invoices: list[Money], data: st.DataObject
) -> None:
    """Invoices in any order, some of them credited again in full, and the rest refunded at the end."""
    moves = [AdvanceMove(ref="advance", kind="billed", amount=left)]
    for n in data.draw(st.permutations(range(len(invoices)))):
        down = draw_down(balances(moves, "EUR")[-1], invoices[n])
        moves.append(AdvanceMove(ref=f"i{n}", kind="applied", amount=down.applied))
        if data.draw(st.booleans()):
            back = given_back(down.applied, invoices[n], invoices[n])
            moves.append(AdvanceMove(ref=f"i{n}", kind="given_back", amount=back))
    rest = refund(balances(moves, "EUR")[-1])
    running = balances([*moves, rest] if rest else moves, "EUR")
    assert all(eur(0) <= balance and balance <= left for balance in running)
    assert running[-1] == eur(0)


@given(CENTS.map(cents), st.lists(CENTS.map(cents), min_size=1, max_size=8))
def test_two_invoices_that_count_on_the_same_balance_are_seen(left: Money, invoices: list[Money]) -> None:
    """Each priced by the balance before all of them, as concurrent ones would be."""
    stale = [draw_down(left, invoice).applied for invoice in invoices]
    moves = [AdvanceMove(ref="advance", kind="billed", amount=left)]
    moves += [AdvanceMove(ref=f"i{n}", kind="applied", amount=applied) for n, applied in enumerate(stale)]
    if left < total(stale, "EUR"):
        with pytest.raises(AdvanceOverdrawn, match="is left: price the invoice again"):
            balances(moves, "EUR")
    else:
        assert balances(moves, "EUR")[-1] == left - total(stale, "EUR")


def test_an_overdraft_names_the_move() -> None:
    moves = [move("a", "billed", 100), move("i1", "applied", 60), move("i2", "applied", 60)]
    with pytest.raises(AdvanceOverdrawn, match=r"advance\.i2: applied 60\.00 EUR, but 40\.00 EUR is left"):
        balances(moves, "EUR")


def test_a_credit_returns_its_part_and_no_more_than_was_applied() -> None:
    assert given_back(eur(6000), eur(12000), eur(12000)) == eur(6000)
    assert given_back(eur(6000), eur(12000), eur(4000)) == eur(2000)
    assert given_back(eur(0), eur(0), eur(0)) == eur(0)
    moves = [move("a", "billed", 100), move("i1", "applied", 60), move("i1", "given_back", 61)]
    with pytest.raises(AdvanceError, match=r"advance\.i1: gives back more than the 60\.00 EUR applied"):
        balances(moves, "EUR")


def test_nothing_left_is_no_refund() -> None:
    assert refund(eur(0)) is None
    assert refund(eur(7)) == move("refund", "refunded", 7)


def test_amounts_that_cannot_be() -> None:
    with pytest.raises(AdvanceError, match=r"invoice: is below zero.*\[-1\.00 EUR\] \(rule 8 advances\)"):
        draw_down(eur(1), eur(-1))
    with pytest.raises(AdvanceError, match="is in EUR, but holds"):
        draw_down(eur(1), Money.of(1, "USD"))
    with pytest.raises(AdvanceError, match=r"credited: is above the invoice of 5\.00 EUR"):
        given_back(eur(1), eur(5), eur(6))
