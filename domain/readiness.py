"""Readiness gates: what must be true before a project is created and before it is opened.

A gate is judged on data, keeps its evidence (system, record, version, as-of), has an owner with a due
time, and says who may approve a skip. Profiles per region are data in the firm's file.
"""

from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime

from domain.base import Canonical, Value


class Gate(StrEnum):
    CUSTOMER_DATA = "customer_data"
    LEGAL_ENTITY = "legal_entity"
    TAX_RULES = "tax_rules"
    RATE_CARD = "rate_card"
    STAFFING = "staffing"
    BILLING_STRUCTURE = "billing_structure"

    @property
    def label(self) -> str:
        return self.value.replace("_", " ")


class OwnerGroup(StrEnum):
    """Who answers for an exception or alert; exactly one of these four."""

    ENTERPRISE_ARCHITECTURE = "enterprise_architecture"
    FINANCE_SYSTEMS = "finance_systems"
    DELIVERY_OPERATIONS = "delivery_operations"
    PLATFORM_ENGINEERING = "platform_engineering"


class Finding(Value):
    """One thing that is wrong: which field breaks which rule, in words a person can act on."""

    gate: Gate
    field: str
    """Canonical path, such as `contract.billing_entity` or `lines[2].amount`."""
    rule: str
    """Stable name of the rule, such as `billing_entity.required`."""
    message: str
    value: str = ""


class Evidence(Value):
    """Where a judgement comes from, so that it can be read again before opening."""

    system: str
    record: str
    version: str = ""
    as_of: AwareDatetime
    detail: str = ""


GateState = Literal["pending", "green", "red", "skipped", "not_required"]


class GateRule(Value):
    """How one gate works in one region: a row of the firm's profile."""

    gate: Gate
    phase: Literal["before_creation", "before_opening"]
    required: bool = True
    owner: OwnerGroup
    sla_hours: int = 24
    skip_role: str | None = None
    """The role that may approve a skip; none means the gate cannot be skipped."""
    options: dict[str, str] = {}
    """Parameters of the gate's rules in this region, such as `tax_id = required`."""


class GateProfile(Canonical):
    region: str
    rules: tuple[GateRule, ...]

    def rules_in(self, phase: str) -> list[GateRule]:
        return [rule for rule in self.rules if rule.phase == phase]

    def rule_for(self, gate: Gate, phase: str | None = None) -> GateRule:
        """The rule of `gate` (in `phase`, where it stands in both). Raises `KeyError` when absent."""
        for rule in self.rules:
            if rule.gate is gate and phase in (None, rule.phase):
                return rule
        raise KeyError(f"profile {self.region} has no rule for gate {gate}")


class GateResult(Value):
    """One judgement of one gate."""

    gate: Gate
    phase: str
    state: GateState
    owner: OwnerGroup
    findings: tuple[Finding, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    note: str = ""
    """Reason of a skip, name of an approver."""

    @property
    def passed(self) -> bool:
        return self.state in ("green", "skipped", "not_required")
