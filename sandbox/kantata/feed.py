"""The change feed `subscribed_events`: one row per change, kept for nine days, in no promised order."""

from itertools import takewhile

from sandbox.core import clock
from sandbox.core.records import RecordStore
from sandbox.kantata.envelope import moment
from sandbox.kantata.resource import Resource

KEPT_SECONDS = 9 * 24 * 3600


def publish(store: RecordStore, resource: Resource, record_id: str, verb: str) -> None:
    """Add one event (`created`, `updated`, `deleted`) for a change that has just been made."""
    if not resource.events:
        return
    data = {
        "event_type": f"{resource.event_name or resource.singular}:{verb}",
        "subject_type": resource.noun,
        "subject_id": record_id,
        "subject_ref": None if verb == "deleted" else {"key": resource.collection, "id": record_id},
        "subject_changed_at": moment(clock.now()),
        "user_id": "1",
    }
    store.create("subscribed_events", data, derived=True)


def forget_old(store: RecordStore) -> None:
    """Drop events past retention."""
    oldest = clock.now() - KEPT_SECONDS
    for event in list(takewhile(lambda event: event.created < oldest, store.rows("subscribed_events"))):
        store.delete("subscribed_events", event.id, derived=True)
