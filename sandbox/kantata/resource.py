"""What one collection of the API is made of; the collections themselves are in resources.py and work.py."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.kantata.fields import Field


@dataclass(frozen=True, slots=True)
class Association:
    """What `include=<name>` side-loads: `key` holds the id(s), and is absent without it."""

    key: str
    collection: str
    many: bool = False


@dataclass(frozen=True, slots=True)
class Resource:
    """One collection of the API."""

    collection: str
    singular: str
    noun: str
    """Subject type of external references and events, such as `Workspace`."""
    fields: Mapping[str, Field] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    bulk: int = 0
    """Rows at most in one bulk create; 0: no bulk create."""
    shown: tuple[str, ...] = ()
    """Stored fields that answers carry as they are."""
    includes: Mapping[str, Association] = field(default_factory=dict)
    filters: tuple[str, ...] = ()
    """Fields a list may be filtered by equality."""
    plural_filters: Mapping[str, str] = field(default_factory=dict)
    """Filter with comma-separated values -> field."""
    orders: tuple[str, ...] = ("created_at", "updated_at")
    referenced: bool = True
    """Whether it may carry external references."""
    events: bool = False
    """Whether its changes appear in the change feed."""
    event_name: str = ""
    """Its name in the change feed, where that is not `singular`."""


REFERENCES = Association("external_reference_ids", "external_references", many=True)
VALUES = Association("custom_field_value_ids", "custom_field_values", many=True)
WORKSPACE = Association("workspace_id", "workspaces")
USER = Association("user_id", "users")
STORY = Association("story_id", "stories")
