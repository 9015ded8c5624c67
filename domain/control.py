"""Control: the approval of one person for what another prepared."""

from typing import Self

from pydantic import AwareDatetime, Field, model_validator

from domain.base import Canonical


class Approval(Canonical):
    """Bound to a hash of what was approved: any later change voids it."""

    id: str
    target: str
    """Canonical id of what was approved, such as an invoice draft."""
    action: str
    content_hash: str = Field(pattern=r"^[0-9a-f]{64}$")
    prepared_by: str = Field(min_length=1)
    approved_by: str = Field(min_length=1)
    role: str
    """The role by which the approver may approve."""
    at: AwareDatetime
    reason: str = ""

    def covers(self, content_hash: str) -> bool:
        """Whether it still holds for content of this hash."""
        return self.content_hash == content_hash

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.prepared_by.casefold() == self.approved_by.casefold():
            raise ValueError(f"{self.prepared_by} prepared {self.target} and may not approve it")
        return self
