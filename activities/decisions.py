"""Human decisions: rows written by an authenticated edge, claimed here by their id."""

from temporalio import activity
from temporalio.exceptions import ApplicationError

from domain.attention import Decision, DecisionRef
from store.ports import Store, StoreError

REFUSED = "DecisionRefused"


class DecisionActivities:
    def __init__(self, store: Store) -> None:
        self._store = store

    @activity.defn(name="decisions.claim")
    async def claim(self, input: DecisionRef) -> Decision:
        """The decision, spent by this process. Fails with `DecisionRefused` and the reason."""
        process = activity.info().workflow_id or ""
        try:
            decision = await self._store.decisions.claim(input.id, process)
        except StoreError as error:
            raise ApplicationError(str(error), type=REFUSED, non_retryable=True) from error
        await self._store.audit.add(
            process,
            actor=decision.actor,
            what=f"decided: {decision.action.replace('_', ' ')} {decision.target}".strip(),
            why=decision.reason,
            key=f"decision/{decision.id}",
            outcome="claimed",
            after="; ".join(f"{path} = {value}" for path, value in decision.payload.items()),
        )
        return decision
