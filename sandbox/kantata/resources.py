"""The resources of the emulated account as data: what can be written, filtered and included.

Source: the published contract of the Kantata OX API (workspaces, workspace groups, stories, billing
milestones, workspace resources, resource requests, workspace allocations, users, roles, skills, rate cards,
custom fields, subscribed events). Time, expenses and invoices are in work.py.
"""

from sandbox.kantata.fields import (
    BOOLEAN,
    CURRENCY,
    CUSTOM_FIELDS,
    DATE,
    INTEGER,
    OBJECT,
    Field,
    choice,
    reference,
    references,
    text,
)
from sandbox.kantata.people_resources import PEOPLE
from sandbox.kantata.resource import REFERENCES, VALUES, WORKSPACE, Association, Resource
from sandbox.kantata.work import WORK

STATUSES: dict[int, tuple[str, str]] = {
    100: ("Prospect", "gray"),
    210: ("In Setup", "light_green"),
    300: ("Active", "green"),
    400: ("On Hold", "yellow"),
    500: ("Completed", "blue"),
    550: ("Cancelled", "red"),
}
"""Project statuses of this account: key -> message, color. Accounts name their own."""

WORKSPACES = Resource(
    collection="workspaces",
    singular="workspace",
    noun="Workspace",
    fields={
        "title": text(255),
        "creator_role": choice("maven", "buyer", only="create"),
        "budgeted": BOOLEAN,
        "price": INTEGER,
        "currency": CURRENCY,
        "start_date": DATE,
        "due_date": DATE,
        "description": text(),
        "access_level": choice("invitation", "open", "admin"),
        "rate_card_id": reference("rate_cards"),
        "workspace_group_ids": references("workspace_groups"),
        "primary_workspace_group_id": reference("workspace_groups"),
        "approver_id": reference("users"),
        "status_key": INTEGER,
        "stage": choice("estimate", "project"),
        "target_margin": INTEGER,
        "stories_are_fixed_fee_by_default": BOOLEAN,
        "tasks_default_non_billable": BOOLEAN,
        "require_expense_approvals": BOOLEAN,
        "require_time_approvals": BOOLEAN,
        "change_orders_enabled": BOOLEAN,
        "archived": Field("boolean", only="update"),
        "custom_fields": CUSTOM_FIELDS,
        "invoice_preference": OBJECT,
        "project_tracker_template_id": reference("project_templates", only="create"),
        "project_template_start_date": Field("date", only="create"),
        "project_template_create_unnamed_resources": Field("boolean", only="create"),
        "project_template_distribute_hours": Field("boolean", only="create"),
        "project_template_weekends_as_workdays": Field("boolean", only="create"),
        "project_template_assignment_mappings": Field("object", only="create"),
    },
    required=("title", "creator_role"),
    bulk=100,
    shown=(
        *("title", "archived", "description", "start_date", "due_date", "budgeted", "access_level"),
        *("currency", "stage", "stories_are_fixed_fee_by_default", "tasks_default_non_billable"),
        *("require_expense_approvals", "require_time_approvals", "change_orders_enabled", "target_margin"),
    ),
    includes={
        "external_references": REFERENCES,
        "custom_field_values": VALUES,
        "workspace_groups": Association("workspace_group_ids", "workspace_groups", many=True),
        "primary_workspace_group": Association("primary_workspace_group_id", "workspace_groups"),
        "approver": Association("approver_id", "users"),
        "creator": Association("creator_id", "users"),
        "billing_milestones": Association("billing_milestone_ids", "billing_milestones", many=True),
        "workspace_resources_with_unnamed": Association(
            "workspace_resource_with_unnamed_ids", "workspace_resources", many=True
        ),
    },
    orders=("created_at", "updated_at", "title", "start_date", "due_date"),
    events=True,
)

WORKSPACE_GROUPS = Resource(
    collection="workspace_groups",
    singular="workspace_group",
    noun="WorkspaceGroup",
    fields={
        "name": text(255),
        "company": BOOLEAN,
        "contact_name": text(255),
        "email": text(255),
        "phone_number": text(255),
        "address": text(),
        "website": text(255),
        "notes": text(),
    },
    required=("name",),
    shown=("name", "company", "contact_name", "email", "phone_number", "address", "website", "notes"),
    includes={"external_references": REFERENCES},
    orders=("created_at", "updated_at", "name"),
    events=False,
)

STORIES = Resource(
    collection="stories",
    singular="story",
    noun="Story",
    fields={
        "workspace_id": reference("workspaces", only="create"),
        "title": text(200),
        "description": text(),
        "story_type": choice("task", "deliverable", "milestone", "issue"),
        "parent_id": reference("stories"),
        "start_date": DATE,
        "due_date": DATE,
        "state": choice("not started", "started", "needs info", "completed"),
        "billable": BOOLEAN,
        "fixed_fee": BOOLEAN,
        "budget_estimate_in_cents": INTEGER,
        "time_estimate_in_minutes": INTEGER,
        "percentage_complete": INTEGER,
        "weight": INTEGER,
        "priority": INTEGER,
        "archived": BOOLEAN,
        "assignee_ids": references("users"),
    },
    required=("workspace_id", "title", "story_type"),
    bulk=300,
    shown=(
        *("title", "description", "story_type", "start_date", "due_date", "state", "billable", "fixed_fee"),
        *("budget_estimate_in_cents", "time_estimate_in_minutes", "percentage_complete", "weight"),
        *("priority", "archived"),
    ),
    includes={
        "external_references": REFERENCES,
        "workspace": WORKSPACE,
        "parent": Association("parent_id", "stories"),
        "assignees": Association("assignee_ids", "users", many=True),
    },
    filters=("workspace_id", "parent_id"),
    plural_filters={"story_type": "story_type"},
    orders=("created_at", "updated_at", "due_date", "title"),
    events=True,
)

BILLING_MILESTONES = Resource(
    collection="billing_milestones",
    singular="billing_milestone",
    noun="BillingMilestone",
    fields={
        "title": text(255),
        "amount_in_cents": INTEGER,
        "workspace_id": reference("workspaces", only="create"),
        "date_to_invoice": DATE,
        "billing_type": choice("fixed_date", "upon_completion"),
        "story_id": reference("stories"),
    },
    required=("title", "amount_in_cents", "workspace_id"),
    bulk=100,
    shown=("title", "amount_in_cents", "date_to_invoice", "billing_type"),
    includes={
        "external_references": REFERENCES,
        "workspace": WORKSPACE,
        "story": Association("story_id", "stories"),
    },
    filters=("workspace_id",),
    events=True,
)

WORKSPACE_RESOURCES = Resource(
    collection="workspace_resources",
    singular="workspace_resource",
    noun="WorkspaceResource",
    fields={
        "workspace_id": reference("workspaces", only="create"),
        "user_id": reference("users"),
        "role_id": reference("roles"),
        "label": text(255),
        "custom_fields": CUSTOM_FIELDS,
    },
    required=("workspace_id",),
    bulk=200,
    shown=("label",),
    includes={
        "external_references": REFERENCES,
        "custom_field_values": VALUES,
        "workspace": WORKSPACE,
        "user": Association("user_id", "users"),
        "role": Association("role_id", "roles"),
    },
    filters=("workspace_id", "user_id", "role_id"),
    events=True,
)

RESOURCE_REQUESTS = Resource(
    collection="resource_requests",
    singular="resource_request",
    noun="ResourceRequest",
    fields={
        "approver_ids": references("users", only="create"),
        "resource_id": reference("workspace_resources", only="create"),
        "resource_workspace_id": reference("workspaces", only="create"),
        "resource_role_id": reference("roles", only="create"),
        "workspace_allocation_start_date": Field("date", only="create"),
        "workspace_allocation_end_date": Field("date", only="create"),
        "workspace_allocation_percentage": Field("integer", only="create"),
        "custom_fields": Field("custom_fields", only="create"),
        "request_resolution_status": choice("approve", "reject", "cancel", only="update"),
        "user_id": reference("users", only="update"),
        "allocations_state": Field("boolean", only="update"),
    },
    required=("approver_ids",),
    shown=("status",),
    includes={
        "approvers": Association("approver_ids", "users", many=True),
        "creator": Association("creator_id", "users"),
        "resource": Association("resource_id", "workspace_resources"),
    },
    orders=(),
    referenced=False,
)

WORKSPACE_ALLOCATIONS = Resource(
    collection="workspace_allocations",
    singular="workspace_allocation",
    noun="WorkspaceAllocation",
    fields={
        "resource_id": reference("workspace_resources", only="create"),
        "start_date": DATE,
        "end_date": DATE,
        "minutes": INTEGER,
        "hard": BOOLEAN,
        "notes": text(),
    },
    required=("resource_id", "start_date", "end_date", "minutes"),
    bulk=200,
    shown=("start_date", "end_date", "minutes", "hard", "notes"),
    includes={
        "external_references": REFERENCES,
        "workspace": WORKSPACE,
        "workspace_resource": Association("workspace_resource_id", "workspace_resources"),
        "user": Association("user_id", "users"),
    },
    plural_filters={
        "workspace_ids": "workspace_id",
        "user_ids": "user_id",
        "workspace_resource_ids": "workspace_resource_id",
    },
    orders=("updated_at",),
    events=True,
)

USERS = Resource(
    collection="users",
    singular="user",
    noun="User",
    fields={
        "full_name": Field("text", only="update"),
        "headline": Field("text", only="update"),
        "email_address": Field("text", only="update"),
        "custom_fields": Field("custom_fields", only="update"),
    },
    shown=("full_name", "email_address", "headline", "photo_path"),
    includes={
        "external_references": REFERENCES,
        "custom_field_values": VALUES,
        "role": Association("role_id", "roles"),
        "skills": Association("skill_ids", "skills", many=True),
    },
    filters=("on_my_account",),
    orders=("alphabetical",),
)

ROLES = Resource("roles", "role", "Role", shown=("name",), includes={"external_references": REFERENCES})
SKILLS = Resource(
    "skills", "skill", "Skill", shown=("name", "max_level"), includes={"external_references": REFERENCES}
)
PROJECT_TEMPLATES = Resource(
    "project_templates",
    "project_template",
    "ProjectTemplate",
    shown=("title", "description"),
    orders=("created_at", "updated_at", "title"),
    referenced=False,
)
RATE_CARDS = Resource(
    "rate_cards",
    "rate_card",
    "RateCard",
    shown=("title", "currency", "active"),
    includes={"external_references": REFERENCES},
)
CUSTOM_FIELDS_OF_ACCOUNT = Resource(
    "custom_fields", "custom_field", "CustomField", shown=("name", "value_type"), referenced=False
)
SUBSCRIBED_EVENTS = Resource(
    "subscribed_events",
    "subscribed_event",
    "SubscribedEvent",
    shown=("event_type", "subject_type", "subject_id", "subject_changed_at", "user_id", "subject_ref"),
    plural_filters={"event_types": "event_type"},
    orders=("created_at",),
    referenced=False,
)

RESOURCES: dict[str, Resource] = {
    resource.collection: resource
    for resource in (
        *(WORKSPACES, WORKSPACE_GROUPS, STORIES, BILLING_MILESTONES, WORKSPACE_RESOURCES),
        *(RESOURCE_REQUESTS, WORKSPACE_ALLOCATIONS, USERS, ROLES, SKILLS, PROJECT_TEMPLATES),
        *(RATE_CARDS, CUSTOM_FIELDS_OF_ACCOUNT, SUBSCRIBED_EVENTS, *PEOPLE, *WORK),
    )
}
BY_NOUN = {
    resource.noun: resource for resource in RESOURCES.values() if resource.collection != "account_invitations"
}
