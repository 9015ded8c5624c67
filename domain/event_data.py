"""What the data of every event is made of: stamps, ids of records, and the object it is about."""

import re
from datetime import UTC, datetime
from typing import Annotated, ClassVar

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field

from domain.base import Value

_ISO_8601 = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]")
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)


def _written_time(value: object) -> object:
    if isinstance(value, datetime) or (isinstance(value, str) and _ISO_8601.match(value)):
        return value
    raise ValueError("must be a time in ISO 8601 with an offset, such as 2026-11-23T06:00:00Z")


def _plausible(value: datetime) -> datetime:
    if not _EARLIEST <= value < _LATEST:
        raise ValueError("must lie between the years 1970 and 2200")
    return value.astimezone(UTC)


Stamp = Annotated[AwareDatetime, BeforeValidator(_written_time), AfterValidator(_plausible)]
"""An instant, written as ISO 8601 text with an offset; kept in UTC. Never a number."""

ExternalId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,119}$")]
"""Id of a record in its system, of the form that may become part of a workflow id."""


class EventData(Value):
    """What an event says. `version` is the source's stamp of the object: the newer one counts."""

    subject_field: ClassVar[str]
    """Name of the field that holds the external id of the object the event is about."""

    newest_counts: ClassVar[bool] = True
    """An event older than one that was applied to its subject is dropped. False where a subject has many
    objects, such as a project its milestones: then the process compares each with what it keeps."""

    version: Stamp

    @property
    def subject(self) -> str:
        """External id of the object the event is about."""
        return str(getattr(self, self.subject_field))
