"""The bases of every model here: what is stored and passed on, and what is accepted at an edge."""

from typing import Self

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """A frozen value that may cross Temporal, tolerant of what it does not know.

    What crosses Temporal (inputs, results, signals, updates, state) ignores unknown fields and gives
    new ones a default; a refused field would drop a signal in silence or end a run in the middle of an
    upgrade. A field is never renamed or removed while a history that holds it can be replayed.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="strings")

    def with_changes(self, **changes: object) -> Self:
        """A validated copy with some fields replaced; raises `pydantic.ValidationError`."""
        # `iter`: a model with a field called `keys` would be taken for a mapping.
        return type(self).model_validate({**dict(iter(self)), **changes})


class Canonical(Value):
    """A canonical object: a value with the version of its schema."""

    schema_version: int = 1


class Edge(BaseModel):
    """What an edge accepts (gateway, CLI, firm file, vendor mapping): an unknown field is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")
