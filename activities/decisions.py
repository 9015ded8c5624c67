"""Human decisions: rows written by an authenticated edge, claimed here by their id."""

from temporalio import activity
from temporalio.exceptions import ApplicationError

from domain.attention import Decision, DecisionRef
from store.ports import Store, StoreError, StoreUnavailable

REFUSED = "DecisionRefused"


class DecisionActivities:
    def __init__(self, store: Store) -> None:
        self._store = store

    @activity.defn(name="decisions.claim")
    async def claim(self, input: DecisionRef) -> Decision:
        """The decision, spent by this process. Fails with `DecisionRefused` and the reason.

        What is confidential in it stays in the store: the answer stands in the history.
        """
        try:
            decision = await self._store.decisions.claim(input.id, activity.info().workflow_id or "")
        except StoreUnavailable:
            raise  # says nothing of the decision: repeated
        except StoreError as error:
            raise ApplicationError(str(error), type=REFUSED, non_retryable=True) from error
        return decision.without_confidential()
