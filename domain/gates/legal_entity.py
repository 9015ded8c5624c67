"""Gate "legal entity": a signed contract of an entity of ours that may bill it, in a period that is open."""

from collections.abc import Iterator

from domain.books import EntityFacts
from domain.calendar import Period
from domain.gates.case import Case
from domain.policy import EntityPolicy
from domain.readiness import Evidence, Finding


def judge_legal_entity(case: Case) -> Iterator[Finding]:
    contract = case.deal.contract
    if contract is None:
        yield case.finding(
            "contract", "contract.missing", f"deal {case.deal.name} has no contract: link it in the CRM"
        )
        return
    if not case.deal.signed:
        yield case.finding(
            "contract.signed_on",
            "contract.not_signed",
            f"contract {contract.number} is not signed, or the deal is not won "
            f"(stage {case.deal.stage or 'unknown'}): set the won stage and the signature date in the CRM",
        )
    if case.deal.currency is None:
        yield case.finding(
            "deal.currency", "currency.required", "the deal has no currency: set it in the CRM, such as EUR"
        )
    if contract.billing_entity is None:
        yield case.finding(
            "contract.billing_entity",
            "billing_entity.required",
            f"contract {contract.number} names no billing entity: enter one of {_codes(case)}",
        )
    elif case.entity is None:
        yield case.finding(
            "contract.billing_entity",
            "billing_entity.unknown",
            f"{contract.billing_entity} is not a legal entity of this firm: enter one of {_codes(case)}",
            contract.billing_entity,
        )
    else:
        yield from _judge_entity(case, case.entity)


def legal_entity_evidence(case: Case) -> Iterator[Evidence]:
    if case.deal.contract:
        signed = case.deal.contract.signed_on
        detail = f"signed {signed}" if signed else "not signed"
        yield case.evidence("crm", case.deal.contract.id, case.deal.version.isoformat(), detail)
    if case.facts and case.facts.entity:
        entity = case.facts.entity
        opened = ", ".join(entity.open_periods[:3]) or "none"
        yield case.evidence(
            "erp",
            f"entity {entity.external_id}",
            entity.version,
            f"{entity.code} {entity.name}, open periods from {opened}",
            case.facts.as_of,
        )


def _codes(case: Case) -> str:
    return ", ".join(entity.code for entity in case.policy.entities)


def _judge_entity(case: Case, entity: EntityPolicy) -> Iterator[Finding]:
    allowed = entity.currencies or (entity.currency,)
    if case.deal.currency is not None and case.deal.currency not in allowed:
        yield case.finding(
            "deal.currency",
            "currency.not_allowed",
            f"{entity.code} may not contract in {case.deal.currency}, only in {', '.join(allowed)}: "
            "change the billing entity, or add the currency to the firm's file",
            case.deal.currency,
        )
    facts = case.facts.entity if case.facts else None
    if case.facts is None:
        yield case.finding(
            "contract.billing_entity",
            "erp.not_read",
            "the ERP was not read: the entity cannot be checked; retry",
        )
    elif facts is None:
        yield case.finding(
            "contract.billing_entity",
            "billing_entity.not_in_erp",
            f"the ERP knows no legal entity {entity.code}: create it there, or correct the billing entity",
            entity.code,
        )
    else:
        yield from _judge_books(case, entity, facts)


def _judge_books(case: Case, entity: EntityPolicy, facts: EntityFacts) -> Iterator[Finding]:
    if facts.code != entity.code:
        yield case.finding(
            "contract.billing_entity",
            "billing_entity.differs",
            f"the contract was signed by {entity.code}, but the ERP answered for {facts.code}: read it again",
            facts.code,
        )
    if not facts.active:
        yield case.finding(
            "contract.billing_entity",
            "billing_entity.inactive",
            f"{entity.code} is inactive in the ERP: reactivate it, or correct the billing entity",
            entity.code,
        )
    if facts.currency != entity.currency:
        yield case.finding(
            "contract.billing_entity",
            "billing_entity.currency_differs",
            f"{entity.code} keeps its books in {facts.currency} in the ERP, but in {entity.currency} in the "
            "firm's file: correct the wrong one",
            facts.currency,
        )
    if case.option("open_period") == "required":
        yield from _judge_period(case, facts)


def _judge_period(case: Case, facts: EntityFacts) -> Iterator[Finding]:
    """Postings begin today or at the start, whichever comes later: one of the two months must be open."""
    periods = [Period.of(case.today)]
    if case.deal.starts_on and case.deal.starts_on > case.today:
        periods.append(Period.of(case.deal.starts_on))
    if not any(str(period) in facts.open_periods for period in periods):
        wanted = " nor ".join(str(period) for period in periods)
        yield case.finding(
            "contract.billing_entity",
            "period.closed",
            f"neither {wanted} is open for posting in {facts.code}: open the period in the ERP"
            if len(periods) > 1
            else f"{wanted} is not open for posting in {facts.code}: open the period in the ERP",
            wanted,
        )
