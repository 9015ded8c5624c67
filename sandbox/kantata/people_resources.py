"""The resources of people as data. Source: the published contract of the Kantata OX API (account invitations,
account memberships, skill memberships, time off entries)."""

from sandbox.kantata.fields import INTEGER, NUMBER, Field, reference, text
from sandbox.kantata.resource import REFERENCES, USER, Association, Resource

ACCOUNT_INVITATIONS = Resource(
    collection="account_invitations",
    singular="account_invitation",
    noun="User",
    fields={
        "full_name": text(255),
        "email_address": text(255),
        "headline": text(255),
        "permission": text(255),
        "default_role_id": reference("roles", only="create"),
    },
    required=("full_name", "email_address"),
    shown=("full_name", "email_address", "headline", "permission", "pending"),
    includes={"invitee": Association("invitee_id", "users")},
)
ACCOUNT_MEMBERSHIPS = Resource(
    collection="account_memberships",
    singular="account_membership",
    noun="AccountMembership",
    fields={"default_role_id": reference("roles", only="update"), "permission": Field("text", only="update")},
    shown=("permission",),
    includes={"user": USER, "default_role": Association("default_role_id", "roles")},
    plural_filters={"with_user_ids": "user_id"},
    referenced=False,
)
SKILL_MEMBERSHIPS = Resource(
    collection="skill_memberships",
    singular="skill_membership",
    noun="SkillMembership",
    fields={
        "skill_id": reference("skills", only="create"),
        "user_id": reference("users", only="create"),
        "level": INTEGER,
    },
    required=("skill_id", "user_id"),
    shown=("level", "max_level", "cached_skill_name"),
    includes={"user": USER, "skill": Association("skill_id", "skills")},
    plural_filters={"user_ids": "user_id"},
    orders=("created_at",),
    referenced=False,
)
TIME_OFF_ENTRIES = Resource(
    collection="time_off_entries",
    singular="time_off_entry",
    noun="TimeOffEntry",
    fields={
        "user_id": reference("users", only="create"),
        "requested_date": Field("date", only="create"),
        "hours": NUMBER,
    },
    required=("user_id", "requested_date", "hours"),
    bulk=200,
    shown=("requested_date", "hours"),
    includes={"user": USER, "external_references": REFERENCES},
    filters=("user_id",),
    plural_filters={"user_ids": "user_id"},
    orders=(),
)
PEOPLE = (ACCOUNT_INVITATIONS, ACCOUNT_MEMBERSHIPS, SKILL_MEMBERSHIPS, TIME_OFF_ENTRIES)
