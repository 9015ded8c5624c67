"""Lines cut to their caps: what is billed and what waits sum to the full price."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import Money, total
from domain.project_contract import CapTerm
from domain.rules.capped_lines import LinesError, cut_lines
from domain.rules.grouping import time_lines
from tests.unit.domain.rules.priced_work import cents, contract, eur, rated


def test_a_line_within_its_cap_is_left_as_it_is() -> None:
    work = [rated("e1"), rated("e2")]
    lines = time_lines(work, contract())
    cut = cut_lines(lines, [r.entry for r in work], [CapTerm(ref="c", limit=eur(300))])
    assert (cut.lines, cut.above, cut.findings) == (lines, (), ())


def test_a_cut_line_keeps_no_quantity_and_an_empty_one_goes() -> None:
    work = [rated("e1", 60), rated("e2", 60), rated("e3", 60, role="Tester")]
    lines = time_lines(work, contract())
    cut = cut_lines(lines, [r.entry for r in work], [CapTerm(ref="c", limit=eur(200))])
    (line,) = cut.lines
    assert (line.line.net, line.line.quantity, line.line.unit_price) == (eur(200), None, None)
    assert line.line.description == "Architecture, Architect Senior (up to the agreed cap)"
    assert [(s.key, s.net) for s in line.shares] == [("e1", eur(150)), ("e2", eur(50))]
    assert [(s.key, s.net) for s in cut.above] == [("e2", eur(100)), ("e3", eur(150))]
    assert [f.amount for f in cut.findings] == [eur(250)]


@given(
    st.lists(st.tuples(st.integers(-300, 600), st.sampled_from(["150", "99.99"])), min_size=1, max_size=12),
    st.integers(0, 500_000).map(cents),
)
def test_billed_and_waiting_sum_to_the_full_price(rows: list[tuple[int, str]], limit: Money) -> None:
    work = [rated(f"e{n:02}", minutes, price) for n, (minutes, price) in enumerate(rows)]
    lines = time_lines(work, contract())
    cut = cut_lines(lines, [r.entry for r in work], [CapTerm(ref="c", limit=limit)])
    full = total([line.line.net for line in lines], "EUR")
    billed = total([line.line.net for line in cut.lines], "EUR")
    assert billed + total([share.net for share in cut.above], "EUR") == full
    assert billed <= limit
    for line in cut.lines:
        assert total([share.net for share in line.shares], "EUR") == line.line.net


def test_a_share_of_an_unknown_entry_is_refused() -> None:
    with pytest.raises(LinesError, match=r"shares\.e1: is of no entry given.*\[150\.00 EUR\]"):
        cut_lines(time_lines([rated("e1")], contract()), [], [])
