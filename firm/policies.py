"""The policies of a firm as one snapshot: what a process takes with it at its first step."""

from typing import get_args

from domain.policy import (
    AlertThresholds,
    EntityPolicy,
    Person,
    PolicySnapshot,
    ProcurementLimits,
    Role,
    Route,
    Timing,
)
from domain.resource_sync import ResourcesPolicy
from firm.model import Firm
from firm.sections import EntityRoles


def snapshot(firm: Firm) -> PolicySnapshot:
    """Routes, profiles, entities, owners and limits as they stand, with the hash of the firm's files."""
    parts = firm.parts
    return PolicySnapshot(
        firm=firm.id,
        file_hash=firm.hash,
        routes=_routes(firm),
        profiles=firm.profiles,
        entities=tuple(
            EntityPolicy(
                code=entity.code,
                name=entity.name,
                country=entity.country,
                currency=entity.currency,
                region=entity.region,
                currencies=entity.currencies,
                time_zone=entity.time_zone,
            )
            for entity in firm.entities
        ),
        owners=tuple(
            Person(group=group, name=owner.name, email=owner.email, escalates_to=owner.escalates_to)
            for group, owner in parts.owners.items()
        ),
        timing=Timing(**{name: float(value) for name, value in parts.timing}),
        exception_sla_hours=parts.sla.exception_hours,
        escalation_hours=parts.sla.escalation_hours,
        staffing_approver_email=parts.activation.staffing_approver,
        templates=parts.activation.templates,
        second_person_fields=parts.activation.second_person_fields,
        intake_poll_minutes=int(parts.billing.intake_poll_every.total_seconds()) // 60,
        intake_from=parts.billing.intake_from,
        expense_source=parts.billing.expense_source or "",
        resources=ResourcesPolicy(
            overlap_seconds=int(parts.resources.overlap.total_seconds()),
            horizon_days=parts.resources.horizon_days,
            invite=parts.resources.new_people == "invite",
            hr_project=parts.resources.hr_project,
            hours_after_days=parts.resources.hours_after_days,
        ),
        alerts=AlertThresholds.model_validate(dict(parts.alerts)),
        procurement=ProcurementLimits(
            approval_hours=parts.procurement.approval_hours,
            acceptance_hours=parts.procurement.acceptance_hours,
            poll_minutes=int(parts.procurement.poll_every.total_seconds()) // 60,
        ),
    )


def _routes(firm: Firm) -> tuple[Route, ...]:
    """The firm's systems by role, then what differs for single entities."""
    routes = _of(firm, firm.parts.roles, None)
    for entity in firm.entities:
        own = firm.parts.roles.entities.get(entity.code, EntityRoles())
        erp = own.erp or entity.erp
        routes += _of(firm, own.model_copy(update={"erp": erp}), entity.code)
    return tuple(routes)


def _of(firm: Firm, roles: EntityRoles, entity: str | None) -> list[Route]:
    named: list[tuple[Role, str | None]] = [(role, getattr(roles, role)) for role in get_args(Role)]
    return [
        Route(role=role, system=system, task_queue=firm.task_queue(system), entity=entity)
        for role, system in named
        if system is not None
    ]
