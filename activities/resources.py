"""What HR and PSA do not agree on, by owner: counted and shown by its oldest few."""

from collections.abc import Sequence

from temporalio import activity

from domain.readiness import OwnerGroup
from domain.resource_sync import Difference, DifferencesOf, OpenDifferences, OwnerDifferences
from store.ports import Store

MOST = 1000
"""Differences of one owner that are counted; beyond it the count says "more than"."""
SHOWN = 5


class ResourceActivities:
    """On our own queue: Fairlead's store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @activity.defn(name="resources.differences")
    async def differences(self, input: DifferencesOf) -> OpenDifferences:
        """What is open now of one HR account, by owner group."""
        owners = []
        for owner in OwnerGroup:
            found = await self._store.people.differences(input.source, owner=owner.value, limit=MOST + 1)
            if found:
                owners.append(_of(owner, found[:MOST], more=len(found) > MOST))
        return OpenDifferences(owners=tuple(owners))


def _of(owner: OwnerGroup, found: Sequence[Difference], *, more: bool) -> OwnerDifferences:
    return OwnerDifferences(owner=owner, count=len(found), more=more, oldest=tuple(found[:SHOWN]))
