"""The fault drills with fixed seeds, and the proof that they can fail."""

import pytest

from drill import activation, billing
from drill.planted import COVERAGE, FIND_BEFORE_CREATE
from drill.report import POINTS, Plan, Report

pytestmark = [pytest.mark.proof, pytest.mark.timeout(280)]


@pytest.fixture(scope="module")
async def report() -> Report:
    return await activation.run(Plan(seed=1, quick=True))


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
    red = await activation.run(Plan(seed=1, quick=True, planted_bug=FIND_BEFORE_CREATE))
    assert red.doubled, "without the look-up a write that landed unanswered is repeated"
    assert not red.passed


@pytest.fixture(scope="module")
async def calm() -> billing.Calm:
    return await billing.fault_free()


async def test_billing_survives_kills_faults_and_refusals_to_the_cent(calm: billing.Calm) -> None:
    report = await billing.run(Plan(seed=1, quick=True), calm)
    assert report.crash_points >= len(POINTS) * 2 + 2, "four points around two writes, and our own store"
    assert (report.crash_points_hit, report.lost, report.doubled) == (report.crash_points, [], [])
    struck = {kind for kind, count in report.faults_injected.items() if count}
    assert len(struck) >= 12, struck
    assert report.refusals >= 6
    assert report.documents > 0
    assert report.differences == []
    assert report.passed


async def test_billing_turns_red_without_the_guard_of_entries(calm: billing.Calm) -> None:
    red = await billing.run(Plan(seed=1, quick=True, planted_bug=COVERAGE), calm)
    assert any("is billed by" in line and " and " in line for line in red.differences), red.differences[:5]
    assert not red.passed
