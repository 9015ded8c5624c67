"""Asynchronous jobs as the API names them: a job, its tasks, one result per record."""

from dataclasses import dataclass

from connectors.errors import ConnectorError
from connectors.http.shapes import VendorShape

JOBS = "/services/rest/async/v1/job"


@dataclass(frozen=True, slots=True)
class AsyncJob:
    """A submitted job. `repeated`: the idempotency key was known, this is the first job under it."""

    id: str
    external_ids: tuple[str, ...]
    repeated: bool = False

    @property
    def path(self) -> str:
        return f"{JOBS}/{self.id}"


@dataclass(frozen=True, slots=True)
class RecordResult:
    """What became of one record: its internal id, or the classified error."""

    external_id: str
    record_id: str = ""
    error: ConnectorError | None = None


class JobStatus(VendorShape):
    id: str
    completed: bool


class TaskRef(VendorShape):
    id: str


class TaskList(VendorShape):
    items: list[TaskRef]


class TaskStatus(VendorShape):
    id: str
    progress: str


def number_of(location: str) -> str:
    """The id at the end of a `Location`."""
    return location.split("?", 1)[0].rstrip("/").rsplit("/", 1)[-1]
