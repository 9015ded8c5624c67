"""The gates of a process: their last judgement, their skips, and their owners' exceptions."""

from collections.abc import Iterable
from datetime import timedelta

from domain.attention import Action, AttentionItem, Decision
from domain.readiness import Gate, GateProfile, GateResult
from workflows.shared.desk import Desk

_WAITING_RULES = frozenset({"staffing.unanswered"})
"""Findings that are not wrong but not answered yet."""
_STEP = "gate."


class GateBoard:
    """Judgements come in from outside; red gates go to the desk and leave it when they pass."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._results: dict[Gate, GateResult] = {}
        self.skips: dict[Gate, str] = {}
        self.rounds = 0

    @property
    def results(self) -> tuple[GateResult, ...]:
        return tuple(self._results.values())

    async def take(self, phase: str, judged: Iterable[GateResult]) -> bool:
        """Keep a judgement of `phase` and resolve what has healed; whether all its gates pass."""
        results = [_pending_if_waiting(result) for result in judged]
        self._results.update({result.gate: result for result in results if result.phase == phase})
        for result in results:
            item = self._desk.item(_STEP + result.gate)
            if result.passed and item is not None:
                await self._desk.resolve(item, f"gate {result.gate.label} is {result.state}")
        return all(result.passed for result in results)

    async def attend(self, phase: str, profile: GateProfile, *, object: str, amount: str) -> None:
        """Put every gate of `phase` that does not pass on its owner's list."""
        for result in self._not_passed(phase):
            rule = profile.rule_for(result.gate, phase)
            await self._desk.raise_item(
                _STEP + result.gate,
                f"Gate {result.gate.label} is red",
                owner=result.owner,
                detail="; ".join(finding.message for finding in result.findings),
                object=object,
                amount=amount,
                error_class="GateRed",
                sla=timedelta(hours=rule.sla_hours),
                actions=[action for action in Action if action is not Action.SKIP or rule.skip_role],
                skip_role=rule.skip_role,
                findings=result.findings,
            )

    def only_waits(self, phase: str) -> bool:
        """Whether what keeps `phase` from passing is not wrong, only not answered yet."""
        return all(result.state == "pending" for result in self._not_passed(phase))

    def pending(self, gate: Gate) -> bool:
        return gate in self._results and self._results[gate].state == "pending"

    def skip(self, decision: Decision, item: AttentionItem | None) -> None:
        """Skip the gate that `item` is about, from the next judgement on."""
        if item is not None and item.step.startswith(_STEP):
            self.skips[Gate(item.step.removeprefix(_STEP))] = decision.reason

    def rows(self) -> list[tuple[str, str, str]]:
        """Gate, state and findings, for the checklist."""
        return [
            (result.gate.label, result.state, "; ".join(finding.message for finding in result.findings))
            for result in self.results
            if result.state != "not_required"
        ]

    def _not_passed(self, phase: str) -> list[GateResult]:
        return [result for result in self.results if result.phase == phase and not result.passed]


def _pending_if_waiting(result: GateResult) -> GateResult:
    waits = result.findings and all(finding.rule in _WAITING_RULES for finding in result.findings)
    return result.with_changes(state="pending") if result.state == "red" and waits else result
