"""The fault drill with fixed seeds, and the proof that it can fail."""

import pytest

from drill.activation import POINTS, Plan, Report, run

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(280)]


@pytest.fixture(scope="module")
async def report() -> Report:
    return await run(Plan(seed=1, quick=True))


async def test_nothing_is_lost_or_doubled_at_any_crash_point(report: Report) -> None:
    assert report.crash_points >= len(POINTS) * 3, "four points around a write in each of three systems"
    assert report.crash_points_hit == report.crash_points
    assert report.worker_kills >= report.crash_points
    assert (report.lost, report.doubled) == ([], [])


async def test_faults_and_refusals_leave_nothing_behind(report: Report) -> None:
    struck = {kind for kind, count in report.faults_injected.items() if count}
    assert len(struck) >= 12, struck
    assert report.refusals >= 4
    assert report.differences == []
    assert report.passed


async def test_a_planted_bug_turns_the_drill_red() -> None:
    red = await run(Plan(seed=1, quick=True, planted_bug="find-before-create"))
    assert red.doubled, "without the look-up a write that landed unanswered is repeated"
    assert not red.passed
