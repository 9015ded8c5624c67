"""`POST /v1/customers/validate`: would this customer pass the gate "customer data", and which one is it?

The same rules judge here as in an activation, on facts read from the ERP now. Nothing is written.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Literal, cast
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, BaseModel

from connectors.ports import ErpPort
from domain.access import Function
from domain.activation import party_query
from domain.books import ErpCustomer, PartyFacts
from domain.events import Problem
from domain.gates.customer_data import matched_customer
from domain.gates.judge import judge
from domain.identity import canonical_id, customer_key
from domain.policy import EntityPolicy, PolicySnapshot
from domain.readiness import Gate, GateState
from domain.selling import Address, Contract, Customer, Deal
from gateway.access import requires
from gateway.api_models import CustomerQuestion
from gateway.api_request import read_model
from gateway.api_systems import Systems
from gateway.deadline import Deadline
from gateway.problems import Refusal

_TWO_CANDIDATES = "customer.two_candidates"


class FindingShown(BaseModel):
    """One thing that is wrong: field, stable name of the rule, and what to do."""

    field: str
    rule: str
    message: str


class CandidateShown(BaseModel):
    """A customer of the ERP."""

    external_id: str
    number: str
    name: str
    active: bool


class CustomerAnswer(BaseModel):
    """`matched`: this ERP customer is the one. `new`: one would be created. `two_candidates`: a person
    decides. `problems`: the findings say what to correct first."""

    outcome: Literal["matched", "new", "two_candidates", "problems"]
    gate: GateState
    entity: str
    system: str
    """The ERP that was asked."""
    as_of: AwareDatetime
    customer: CandidateShown | None = None
    candidates: list[CandidateShown] = []
    findings: list[FindingShown] = []


def routes(policy: PolicySnapshot, systems: Systems, now: Callable[[], datetime]) -> APIRouter:
    router = APIRouter(tags=["api"])

    @router.post("/v1/customers/validate", dependencies=[requires(Function.VALIDATE_CUSTOMERS)])
    async def validate_customer(request: Request) -> CustomerAnswer:
        """Judge a customer by the gate "customer data" of the entity's region; nothing is written."""
        question = await read_model(request, CustomerQuestion)
        entity = policy.entity(question.entity)
        if entity is None:
            problem = Problem("entity", "is not the code of a legal entity of this firm")
            raise Refusal(422, "The legal entity is not known.", problems=[problem])
        deal = _deal(question, entity, policy, now())
        system = policy.route("erp", entity.code).system
        query = party_query(
            deal,
            customer_key(policy.firm, deal.customer.external_id, system),
            now().astimezone(ZoneInfo(entity.time_zone)).date(),
        )
        facts = await systems.ask(
            Deadline.of(request), system, lambda port: cast(ErpPort, port).party_facts(query)
        )
        return _answer(deal, facts, policy, entity, system, now())

    return router


def _deal(question: CustomerQuestion, entity: EntityPolicy, policy: PolicySnapshot, at: datetime) -> Deal:
    """The least of a deal that the gate looks at: the customer, and what it would be billed by whom."""
    crm, given = policy.route("crm", entity.code).system, question.customer
    customer = Customer(
        **given.model_dump(exclude={"address"}),
        id=canonical_id("customer", crm, given.external_id),
        address=Address(**given.address.model_dump()),
    )
    contract = Contract(
        id="", external_id="", number="", value=question.contract_value, billing_entity=entity.code
    )
    value = question.contract_value
    return Deal(
        id="",
        external_id="",
        name="",
        region=entity.region,
        currency=given.currency or (value.currency if value else entity.currency),
        customer=customer,
        contract=contract,
        version=at,
    )


def _answer(
    deal: Deal,
    facts: PartyFacts,
    policy: PolicySnapshot,
    entity: EntityPolicy,
    system: str,
    at: datetime,
) -> CustomerAnswer:
    profile = policy.profile(entity.region)
    phase = next((rule.phase for rule in profile.rules if rule.gate is Gate.CUSTOMER_DATA), "before_creation")
    only = tuple(rule for rule in profile.rules if rule.gate is Gate.CUSTOMER_DATA)
    judged = judge(phase, profile.with_changes(rules=only), deal, facts, None, policy=policy, as_of=at)
    result = next(one for one in judged if one.gate is Gate.CUSTOMER_DATA)
    matched, rules = matched_customer(deal, facts), {finding.rule for finding in result.findings}
    outcome: Literal["matched", "new", "two_candidates", "problems"]
    if rules - {_TWO_CANDIDATES}:
        outcome = "problems"
    elif rules or (matched is None and facts.customers):
        outcome = "two_candidates"
    else:
        outcome = "matched" if matched else "new"
    return CustomerAnswer(
        outcome=outcome,
        gate=result.state,
        entity=entity.code,
        system=system,
        as_of=facts.as_of,
        customer=_shown(matched) if matched else None,
        candidates=[_shown(one) for one in facts.customers],
        findings=[FindingShown(field=f.field, rule=f.rule, message=f.message) for f in result.findings],
    )


def _shown(customer: ErpCustomer) -> CandidateShown:
    return CandidateShown(
        external_id=customer.external_id,
        number=customer.number,
        name=customer.name,
        active=customer.active,
    )
