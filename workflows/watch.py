"""Watch: what a schedule starts to look at every alert rule. One look at each, then it ends."""

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.watch import WatchActivities
    from domain.alert_state import AlertRule
    from domain.watching import FailedLook, Looked, LookFor, Unchecked, WatchResult, WatchTick
    from workflows.shared import options


@workflow.defn(name="Watch")
class Watch:
    """Keeps the firm's alerts up to date: what lasts too long is told, and cleared when it is healed.

    A rule that cannot be looked at keeps its alerts as they are, and becomes one itself. Owned by platform
    engineering.
    """

    @workflow.run
    async def run(self, tick: WatchTick) -> WatchResult:
        at = workflow.now()
        looks: list[Looked] = []
        failed: list[FailedLook] = []
        for rule in tick.rules:
            try:
                looks.append(await self._look(LookFor(rule=rule, at=at)))
            except ActivityError as error:
                if is_cancelled_exception(error):
                    raise
                failed.append(FailedLook(rule=rule, problem=str(error.cause or error)[:500]))
        looks.append(await self._tell(Unchecked(failed=tuple(failed), at=at)))
        result = WatchResult(looks=tuple(looks), failed=tuple(failed))
        workflow.set_current_details(result.spoken)
        return result

    async def _look(self, look: LookFor) -> Looked:
        return await workflow.execute_activity_method(
            WatchActivities.look, look, **options.sweep(f"Look for {_spoken(look.rule)}")
        )

    async def _tell(self, unchecked: Unchecked) -> Looked:
        return await workflow.execute_activity_method(
            WatchActivities.unchecked,
            unchecked,
            **options.sweep("Tell which rules could not be looked at"),
        )


def _spoken(rule: AlertRule) -> str:
    return {
        AlertRule.UNBILLED_WORK: "approved work that is not billed",
        AlertRule.DELAYED_INVOICE: "invoices that are not made",
        AlertRule.MISSED_EVENT: "billing events that did not come",
        AlertRule.LATE_APPROVAL: "work that is approved late",
        AlertRule.REFUSED_WORK: "refused work that is not cured",
        AlertRule.STALLED_ACTIVATION: "activations that stand still",
        AlertRule.STUCK_EVENT: "events that are not applied",
    }.get(rule, rule.label)
