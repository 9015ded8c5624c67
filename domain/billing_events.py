"""What the outside tells a project's billing: acceptance, progress, changes of contract, invoices of a PSA.

The subject of all is the number of the project. None is believed beyond what it can know: amounts are those
of the contract, a changed contract is read from the CRM, an invoice from the PSA.
"""

from datetime import date
from typing import Annotated, ClassVar

from pydantic import Field

from domain.event_data import EventData, ExternalId
from domain.money import Exact

Reference = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]
"""Something within a project; it becomes part of the key of a billing event."""
Text = Annotated[str, Field(max_length=500)]


class ProjectEvent(EventData):
    """An event about something in one project."""

    subject_field: ClassVar[str] = "project"

    project: ExternalId
    """Number of the project."""


class MilestoneAccepted(ProjectEvent):
    """The customer's word that a milestone is reached. Without document, person and day nothing is billed."""

    newest_counts: ClassVar[bool] = False

    milestone: Reference
    """Number of its line in the contract."""
    document: Text = ""
    """Where the signed acceptance is kept."""
    accepted_by: Text = ""
    accepted_on: date | None = None
    revision: int = Field(default=1, ge=1, le=1000)
    """Of the acceptance; another one than is kept is never billed beside it."""
    amount: Exact | None = None
    """What the sender believes it is worth: compared with the contract, never billed."""
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None


class ProgressReported(ProjectEvent):
    """How far a line is, as the customer agreed for one month."""

    newest_counts: ClassVar[bool] = False

    line: Reference
    """Number of the line in the contract."""
    period: Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
    percent: Exact = Field(ge=0, le=100)
    """Of the whole line, to date."""
    document: Text = ""
    """Where the agreed statement of progress is kept."""
    agreed_by: Text = ""
    revision: int = Field(default=1, ge=1, le=1000)


class ContractChanged(ProjectEvent):
    """A hint: the deal is read from the CRM, and only what is signed there counts."""

    deal: ExternalId | None = None
    """The deal that was changed: the project's own, or a change order to it."""


class PsaInvoiceReleased(ProjectEvent):
    """A hint: the invoice is read from the PSA."""

    newest_counts: ClassVar[bool] = False

    invoice: ExternalId
    """Id of the invoice in the PSA."""
