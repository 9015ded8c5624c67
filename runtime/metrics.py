"""The figures of one process for Prometheus: names, labels, meanings.

A label holds a system, a kind, a stage, an owner group, a class of failure: words of a short list, never
an id, a customer or a person. The figures of Temporal's SDK are told at an address of their own.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from store.standing_ports import Group, StandingFigures

__all__ = ["CONTENT_TYPE_LATEST", "Figures", "WorkerFigures"]

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
"""Upper bounds of the histograms' buckets."""
_LABELS_AT_MOST = 200
"""Of one figure. What comes after is counted under `other`: a label that grows is a mistake."""


class Figures:
    """What stands open in the store, as any process of ours may tell it; the same in all of them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._exceptions = self._gauge(
            "fairlead_open_exceptions", "Exceptions that wait for their owner", "owner"
        )
        self._exception_age = self._gauge(
            "fairlead_oldest_open_exception_seconds", "Age of the exception that waits longest", "owner"
        )
        self._overdue = self._gauge("fairlead_overdue_exceptions", "Exceptions past their due time", "owner")
        self._processes = self._gauge(
            "fairlead_running_processes", "Processes that run, by where they stand", "kind", "stage"
        )
        self._process_age = self._gauge(
            "fairlead_quietest_process_seconds",
            "Time since the last change of the process that has changed least",
            *("kind", "stage"),
        )
        self._inbox = self._gauge("fairlead_inbox_events", "Events that are not applied", "state")
        self._inbox_age = self._gauge(
            "fairlead_oldest_inbox_event_seconds", "Age of the oldest event that is not applied", "state"
        )
        self._alerts = self._gauge("fairlead_open_alerts", "Alerts that stand", "rule", "owner")
        self._alert_age = self._gauge(
            "fairlead_oldest_open_alert_seconds", "Age of the alert that stands longest", "rule", "owner"
        )
        self._read_at = self._gauge("fairlead_store_read_seconds", "When the store was read, in Unix time")

    def stand(self, figures: StandingFigures) -> None:
        """Tell `figures` from now on, and nothing of what stood before."""
        at = figures.at
        _tell(at, figures.exceptions, self._exceptions, self._exception_age)
        _tell(at, figures.overdue, self._overdue)
        _tell(at, figures.processes, self._processes, self._process_age)
        _tell(at, figures.inbox, self._inbox, self._inbox_age)
        _tell(at, figures.alerts, self._alerts, self._alert_age)
        self._read_at.set(at.timestamp())

    def text(self) -> bytes:
        """All figures in Prometheus' text format."""
        return generate_latest(self.registry)

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(name, meaning, labels, registry=self.registry)


class WorkerFigures(Figures):
    """The figures of a worker. `systems`: task queue -> name of the system it serves."""

    def __init__(self, systems: Mapping[str, str]) -> None:
        super().__init__()
        self._systems = systems
        self.effects = Counter(
            "fairlead_effects",
            "Writes by what became of them: intended, confirmed, found, rejected, ambiguous, undone",
            ("system", "outcome"),
            registry=self.registry,
        )
        self.calls = Histogram(
            "fairlead_activity_seconds",
            "Duration of one attempt of an activity",
            ("system", "outcome"),
            buckets=SECONDS,
            registry=self.registry,
        )
        self.failures = Counter(
            "fairlead_activity_failures",
            "Attempts that failed, by class of failure",
            ("system", "failure"),
            registry=self.registry,
        )
        self.throttled = Counter(
            "fairlead_throttled_seconds",
            "Time for which a system asked us to wait",
            ("system",),
            registry=self.registry,
        )

    def system(self, queue: str) -> str:
        """The system behind a task queue; `store` for our own."""
        return self._systems.get(queue, "store")


def _tell(at: datetime, groups: Iterable[Group], counts: Gauge, ages: Gauge | None = None) -> None:
    counts.clear()
    if ages is not None:
        ages.clear()
    for group in _bounded(groups):
        counts.labels(*group.labels).set(group.count)
        if ages is not None and group.oldest is not None:
            ages.labels(*group.labels).set(max(0.0, (at - group.oldest).total_seconds()))


def _bounded(groups: Iterable[Group]) -> list[Group]:
    listed = list(groups)
    kept, rest = listed[:_LABELS_AT_MOST], listed[_LABELS_AT_MOST:]
    if rest:
        labels = tuple("other" for _ in rest[0].labels)
        oldest = min((group.oldest for group in rest if group.oldest), default=None)
        kept.append(Group(labels=labels, count=sum(group.count for group in rest), oldest=oldest))
    return kept
