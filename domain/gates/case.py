"""What one gate is judged on: the deal and what the systems said, with the gate's rule in this region."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from domain.books import BillingScheduleFacts, PartyFacts
from domain.delivery import StaffingState
from domain.gates.options import default
from domain.policy import EntityPolicy, PolicySnapshot, Role
from domain.readiness import Evidence, Finding, GateRule
from domain.selling import Deal, RateCard


@dataclass(frozen=True)
class Case:
    rule: GateRule
    deal: Deal
    facts: PartyFacts | None
    card: RateCard | None
    policy: PolicySnapshot
    staffing: StaffingState | None
    schedule: BillingScheduleFacts | None
    as_of: datetime

    @property
    def entity_code(self) -> str | None:
        return self.deal.contract.billing_entity if self.deal.contract else None

    @property
    def entity(self) -> EntityPolicy | None:
        """The billing entity as the firm's file knows it."""
        return self.policy.entity(self.entity_code)

    @property
    def today(self) -> date:
        """The day of judgement where the billing entity keeps its books."""
        return self.as_of.astimezone(ZoneInfo(self.entity.time_zone if self.entity else "UTC")).date()

    def option(self, name: str) -> str:
        return self.rule.options.get(name, default(self.rule.gate, name))

    def finding(self, field: str, rule: str, message: str, value: object = "") -> Finding:
        return Finding(gate=self.rule.gate, field=field, rule=rule, message=message, value=str(value))

    def evidence(
        self, role: Role, record: str, version: str = "", detail: str = "", as_of: datetime | None = None
    ) -> Evidence:
        known = self.policy.has_role(role)
        return Evidence(
            system=self.policy.route(role, self.entity_code).system if known else role,
            record=record,
            version=version,
            as_of=as_of or self.as_of,
            detail=detail,
        )
