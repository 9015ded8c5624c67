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
        try:
            return await self._store.decisions.claim(input.id, activity.info().workflow_id or "")
        except StoreError as error:
            raise ApplicationError(str(error), type=REFUSED, non_retryable=True) from error
