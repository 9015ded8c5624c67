"""`fairlead drill`: which drills a word means, which guards each has, and the sum of several."""

import pytest

from cli import drill
from cli.exit_codes import ExitCode, Stop
from drill.report import Report


def test_all_means_every_process_in_order() -> None:
    assert drill._wanted("all", "") == ("activation", "billing")
    assert drill._wanted("billing", "coverage") == ("billing",)


@pytest.mark.parametrize(
    ("process", "guard", "said"),
    [
        ("billings", "", "no drill of 'billings'"),
        ("activation", "coverage", "no guard 'coverage' in the drill of activation"),
        ("all", "coverage", "no guard 'coverage' in the drill of activation"),
        ("billing", "approval", "no guard 'approval'"),
    ],
)
def test_what_there_is_not_is_named_with_what_there_is(process: str, guard: str, said: str) -> None:
    with pytest.raises(Stop, match=said) as stopped:
        drill._wanted(process, guard)
    assert stopped.value.code is ExitCode.USAGE


def test_one_drill_is_its_own_document() -> None:
    document = drill._document([(Report(7, "billing", effects=3), 1.24)], "")
    assert (document["process"], document["effects"], document["seconds"]) == ("billing", 3, 1.2)
    assert document["passed"]


def test_several_are_summed_and_pass_together_or_not_at_all() -> None:
    bad = Report(7, "billing", effects=4, lost=["one"])
    document = drill._document([(Report(7, "activation", effects=3), 1.0), (bad, 2.0)], "")
    assert (document["process"], document["effects"], document["effects_lost"]) == ("all", 7, 1)
    assert not document["passed"]
    assert [one["process"] for one in document["drills"]] == ["activation", "billing"]
