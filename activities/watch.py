"""Looking at one alert rule: its conditions are found, and kept as alerts, in our own store."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

import structlog
from temporalio import activity

from activities.alert_facts import AlertFacts
from activities.process import Policies
from domain.alert_facts import Moment, UncheckedRule
from domain.alert_state import AlertChanges, AlertRule, Condition
from domain.alerts import unchecked_rules
from domain.policy import PolicySnapshot
from domain.selling import RateCard
from domain.watching import Looked, LookFor, Unchecked
from store.ports import Store

_log = structlog.get_logger("fairlead.alerts")


class Prices(Protocol):
    """The firm's file, as far as it says what work is worth."""

    def rate_cards(self) -> Sequence[RateCard]: ...


class WatchActivities:
    """On our own queue: Fairlead's store and the firm's file, whose thresholds hold as they are now."""

    def __init__(self, store: Store, policies: Policies, prices: Prices) -> None:
        self._store = store
        self._policies = policies
        self._prices = prices

    @activity.defn(name="watch.look")
    async def look(self, input: LookFor) -> Looked:
        """What `rule` finds at the instant of the input; alerts are raised, moved on and cleared by it."""
        policies = self._policies.snapshot()
        moment = Moment.of(input.at, policies)
        facts = AlertFacts(self._store, policies, self._prices.rate_cards(), moment, activity.heartbeat)
        return await self._keep(input.rule, await facts.find(input.rule), input, policies)

    @activity.defn(name="watch.unchecked")
    async def unchecked(self, input: Unchecked) -> Looked:
        """Which rules could not be looked at: their alerts are older than they seem."""
        looked = await self._store.alerts.looked()
        found = unchecked_rules(
            UncheckedRule(rule=one.rule, problem=one.problem, looked_at=looked.get(one.rule))
            for one in input.failed
        )
        return await self._keep(AlertRule.UNCHECKED_RULE, found, input, self._policies.snapshot())

    async def _keep(
        self,
        rule: AlertRule,
        found: Sequence[Condition],
        input: LookFor | Unchecked,
        policies: PolicySnapshot,
    ) -> Looked:
        changes = await self._store.alerts.keep(
            rule,
            [_with_people(condition, policies) for condition in found],
            at=input.at,
            escalate_after=timedelta(days=policies.alerts.escalation_days),
        )
        _tell(changes)
        return Looked(
            rule=rule,
            standing=changes.standing,
            raised=len(changes.raised),
            escalated=len(changes.escalated),
            cleared=len(changes.cleared),
            late=changes.late,
        )


def _with_people(condition: Condition, policies: PolicySnapshot) -> Condition:
    person = policies.person(condition.owner)
    return condition.model_copy(update={"person": person.email, "escalates_to": person.escalates_to})


def _tell(changes: AlertChanges) -> None:
    """One line for each change; no people in it."""
    for event, alerts in (
        ("alert_raised", changes.raised),
        ("alert_escalated", changes.escalated),
        ("alert_cleared", changes.cleared),
    ):
        write = _log.info if event == "alert_cleared" else _log.warning
        for alert in alerts:
            write(
                event,
                alert=alert.id,
                rule=alert.rule.value,
                project=alert.project,
                amount=str(alert.worth),
                since=alert.since.isoformat(),
                owner=alert.owner.value,
                escalations=alert.escalations,
            )
