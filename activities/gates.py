"""The judgement of the readiness gates, with the policies the process was started under."""

from functools import lru_cache
from typing import Protocol

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.boundary import Clock, utc_now
from domain.base import Canonical
from domain.books import BillingScheduleFacts, PartyFacts
from domain.delivery import StaffingState
from domain.gates.changes import with_changes
from domain.gates.judge import judge
from domain.policy import PolicySnapshot
from domain.readiness import Gate, GateResult
from domain.selling import Deal, RateCard
from store.ports import AuditNote, StaleReference, Store


class RateCards(Protocol):
    """The firm's rate cards."""

    def card(self, code: str) -> RateCard | None:
        """The card called `code`, or None."""


@lru_cache(maxsize=16)
def _policy(policy_json: str) -> PolicySnapshot:
    """A firm's file changes rarely, so nearly all processes run under the same policies."""
    return PolicySnapshot.model_validate_json(policy_json)


class JudgeGates(Canonical):
    process: str
    generation: int
    phase: str
    round: int
    """How often this phase was judged; with it a repeat writes no second audit entry."""
    deal: Deal
    baseline: Deal | None = None
    """The deal as it was when creation began; a difference turns the billing structure red."""
    project: str = ""
    facts: PartyFacts | None = None
    staffing: StaffingState | None = None
    schedule: BillingScheduleFacts | None = None
    skips: dict[Gate, str] = {}


class GateActivities:
    def __init__(self, store: Store, rate_cards: RateCards, clock: Clock = utc_now) -> None:
        self._store = store
        self._rate_cards = rate_cards
        self._clock = clock

    @activity.defn(name="gates.judge")
    async def judge(self, input: JudgeGates) -> list[GateResult]:
        """One result per gate of the phase, recorded in the audit of the process."""
        policy = await self._policy(input.process)
        contract = input.deal.contract
        code = contract.rate_card if contract else None
        results = judge(
            input.phase,
            policy.profile(input.deal.region),
            input.deal,
            input.facts,
            self._rate_cards.card(code) if code else None,
            policy=policy,
            as_of=self._clock(),
            staffing=input.staffing,
            schedule=input.schedule,
            skips=input.skips,
        )
        if input.baseline is not None:
            results = tuple(with_changes(result, input.baseline, input.deal) for result in results)
        await self._record(input, results)
        return list(results)

    async def _policy(self, process: str) -> PolicySnapshot:
        row = await self._store.processes.get(process)
        if row is None or not row.policy_json:
            raise ApplicationError(
                f"the policies of {process} are not in the store (restored backup?)",
                type=StaleReference.__name__,
            )
        return _policy(row.policy_json)

    async def _record(self, input: JudgeGates, results: tuple[GateResult, ...]) -> None:
        judged = [
            result for result in results if result.phase == input.phase and result.state != "not_required"
        ]
        await self._store.processes.update(
            input.process,
            audit=AuditNote(
                what=f"gates {input.phase.replace('_', ' ')}: "
                + ", ".join(f"{result.gate.label} {result.state}" for result in judged),
                why="; ".join(finding.message for result in judged for finding in result.findings),
                key=f"gates/{input.generation}/{input.phase}/{input.round}",
                outcome="green" if all(result.passed for result in results) else "red",
            ),
            stage=f"gates {input.phase.replace('_', ' ')}",
            title=input.deal.name,
            customer=input.deal.customer.external_id,
            entity=(input.deal.contract.billing_entity if input.deal.contract else "") or "",
            project=input.project,
        )
