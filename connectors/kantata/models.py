"""Kantata's records as this connector reads them, with what `include` side-loads put in place.

Source: the published contract of the Kantata OX API. Ids are text in answers (one of them a number). A needed
field that is absent is named as schema drift; unknown fields and unknown values of enumerations are accepted.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator, ConfigDict

from connectors.http.shapes import VendorShape


def _text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Id = Annotated[str, BeforeValidator(_text)]


class ExternalReference(VendorShape):
    service_name: str
    service_model: str = ""
    service_model_ref: str
    external_message: str | None = None
    external_status: str | None = None


class CustomFieldValue(VendorShape):
    custom_field_id: Id
    value: object = None


class Row(VendorShape):
    """What every record has."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: Id
    external_references: tuple[ExternalReference, ...] | None = None
    """None: the answer does not show them, which is not the same as having none."""


class Status(VendorShape):
    key: int


class WorkspaceGroup(Row):
    name: str


class Workspace(Row):
    title: str
    archived: bool
    status: Status
    start_date: date | None = None
    due_date: date | None = None
    workspace_group_ids: tuple[Id, ...] = ()
    primary_workspace_group_id: Id | None = None

    @property
    def customer_id(self) -> str:
        """The workspace group the project belongs to; empty when there is none or several equal ones."""
        if self.primary_workspace_group_id:
            return self.primary_workspace_group_id
        return self.workspace_group_ids[0] if len(self.workspace_group_ids) == 1 else ""


class Story(Row):
    title: str = ""


class WorkspaceResource(Row):
    """A seat on a project: a role, and the person in it once one is named."""

    created_at: AwareDatetime
    workspace_id: Id | None = None
    role_name: str | None = None
    user_id: Id | None = None
    custom_field_values: tuple[CustomFieldValue, ...] | None = None
    """None: the answer does not show them."""

    def custom_text(self, field_id: int) -> str:
        """The text of one custom field; empty where it has none."""
        for held in self.custom_field_values or ():
            if held.custom_field_id == str(field_id):
                return held.value if isinstance(held.value, str) else ""
        return ""


class ResourceRequest(Row):
    status: str
    """new, approved, rejected or cancelled; kept as text, so that a further one can be met."""
    resource_id: Id
    updated_at: AwareDatetime


class WorkspaceAllocation(Row):
    workspace_resource_id: Id | None = None
    start_date: date
    end_date: date


class PlannedAllocation(WorkspaceAllocation):
    """An allocation with whom it is for, and how much."""

    workspace_id: Id | None = None
    user_id: Id | None = None
    minutes: int
    hard: bool = False
    """Decided; a soft one is only asked for."""
    updated_at: AwareDatetime


class Named(Row):
    """A role or a template: an id under a name."""

    name: str = ""
    title: str = ""


class User(Row):
    email_address: str = ""
    full_name: str = ""


class Person(User):
    """A user as staffing sees them."""

    headline: str | None = None
    role: "Named | None" = None
    custom_field_values: tuple[CustomFieldValue, ...] | None = None
    """None: the answer does not show them."""

    def custom_text(self, field_id: int) -> str:
        """The text of one custom field; empty where it has none, or where there is no such field."""
        for held in self.custom_field_values or ():
            if held.custom_field_id == str(field_id):
                return held.value if isinstance(held.value, str) else ""
        return ""


class AccountMembership(Row):
    user_id: Id | None = None
    default_role: Named | None = None


class AccountInvitation(Row):
    headline: str | None = None
    invitee_id: Id | None = None


class SkillMembership(Row):
    user_id: Id | None = None
    cached_skill_name: str
    level: int | None = None


class TimeOffEntry(Row):
    user_id: Id | None = None
    requested_date: date
    hours: Decimal


class CustomField(Row):
    name: str
    value_type: str = ""


class SubscribedEvent(Row):
    event_type: str
    """`<object>:<what happened>`, such as `workspace:updated`."""
    subject_id: Id
    created_at: AwareDatetime


class Touched(Row):
    """A record of which only its stamps are of interest."""

    created_at: AwareDatetime
    updated_at: AwareDatetime
