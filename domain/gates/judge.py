"""The judgement of a deal's readiness gates: pure, so that it can be repeated on the same data years later.

`judge` takes what the systems said and returns one result per gate of the phase. Judged again with facts
read anew, it answers whether a gate that was green still is.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from domain.books import BillingScheduleFacts, PartyFacts
from domain.delivery import StaffingState
from domain.gates.billing_structure import billing_structure_evidence, judge_billing_structure
from domain.gates.case import Case
from domain.gates.customer_data import customer_data_evidence, judge_customer_data
from domain.gates.legal_entity import judge_legal_entity, legal_entity_evidence
from domain.gates.rate_card import judge_rate_card, rate_card_evidence
from domain.gates.staffing import judge_staffing, staffing_evidence
from domain.gates.tax_rules import judge_tax_rules, tax_rules_evidence
from domain.policy import PolicySnapshot
from domain.readiness import Evidence, Finding, Gate, GateProfile, GateResult, OwnerGroup
from domain.selling import Deal, RateCard


class _Judgement(NamedTuple):
    rules: Callable[[Case], Iterator[Finding]]
    evidence: Callable[[Case], Iterator[Evidence]]
    owner: OwnerGroup
    """Who owns the gate where a profile does not list it."""


_JUDGEMENTS: Mapping[Gate, _Judgement] = {
    Gate.CUSTOMER_DATA: _Judgement(judge_customer_data, customer_data_evidence, OwnerGroup.FINANCE_SYSTEMS),
    Gate.LEGAL_ENTITY: _Judgement(judge_legal_entity, legal_entity_evidence, OwnerGroup.FINANCE_SYSTEMS),
    Gate.TAX_RULES: _Judgement(judge_tax_rules, tax_rules_evidence, OwnerGroup.FINANCE_SYSTEMS),
    Gate.RATE_CARD: _Judgement(judge_rate_card, rate_card_evidence, OwnerGroup.DELIVERY_OPERATIONS),
    Gate.STAFFING: _Judgement(judge_staffing, staffing_evidence, OwnerGroup.DELIVERY_OPERATIONS),
    Gate.BILLING_STRUCTURE: _Judgement(
        judge_billing_structure, billing_structure_evidence, OwnerGroup.FINANCE_SYSTEMS
    ),
}


def judge(
    phase: str,
    profile: GateProfile,
    deal: Deal,
    facts: PartyFacts | None,
    card: RateCard | None,
    *,
    policy: PolicySnapshot,
    as_of: datetime,
    staffing: StaffingState | None = None,
    schedule: BillingScheduleFacts | None = None,
    skips: Mapping[Gate, str] | None = None,
) -> tuple[GateResult, ...]:
    """One result per gate that the profile lists in `phase`, then `not_required` for gates it lists nowhere.

    `facts`, `staffing` and `schedule` are `None` when they were not read, which never turns a gate green.
    `skips` holds the reason of every approved skip; a gate that may not be skipped is judged all the same.
    """
    results = []
    for rule in profile.rules_in(phase):
        case = Case(rule, deal, facts, card, policy, staffing, schedule, as_of)
        results.append(_judge_gate(case, (skips or {}).get(rule.gate)))
    listed = {rule.gate for rule in profile.rules}
    results += [
        GateResult(gate=gate, phase=phase, state="not_required", owner=_JUDGEMENTS[gate].owner)
        for gate in Gate
        if gate not in listed
    ]
    return tuple(results)


def _judge_gate(case: Case, skip: str | None) -> GateResult:
    rule = case.rule
    result = GateResult(gate=rule.gate, phase=rule.phase, state="not_required", owner=rule.owner)
    if not rule.required:
        return result
    findings = _findings(case)
    evidence = tuple(_JUDGEMENTS[rule.gate].evidence(case))
    if skip is not None and rule.skip_role is not None:
        return result.with_changes(state="skipped", findings=findings, evidence=evidence, note=skip)
    return result.with_changes(state="red" if findings else "green", findings=findings, evidence=evidence)


def _findings(case: Case) -> tuple[Finding, ...]:
    """What could not be read comes first; a rule does not complain again about such a field."""
    unread = {finding.field for finding in case.deal.findings}
    read = [finding for finding in case.deal.findings if finding.gate is case.rule.gate]
    judged = [f for f in _JUDGEMENTS[case.rule.gate].rules(case) if f.field not in unread]
    return (*read, *judged)
