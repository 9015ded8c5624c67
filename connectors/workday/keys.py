"""Effect keys in a text field of a record: separated by blanks, the newest last."""

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.errors import Conflict
from connectors.workday.rest import Rest


def carries(text: str, key: str) -> bool:
    """Whether a text holds `key` as a word of its own."""
    return key in text.split()


def joined(text: str, key: str) -> str:
    """`text` with `key` behind what is there."""
    return text if carries(text, key) else f"{text} {key}".strip()


def the_one(
    rest: Rest, rows: Sequence[Mapping[str, Any]], field: str, key: str, operation: str
) -> Mapping[str, Any] | None:
    """The row whose text `field` carries `key`. Raises `Conflict` for two."""
    found = [row for row in rows if carries(str(row.get(field) or ""), key)]
    if len(found) > 1:
        ids = ", ".join(str(row.get("id")) for row in found)
        words = f"{len(found)} records carry the key {key} ({ids}); remove all but one"
        raise rest.error(Conflict, operation, words, field, "key.ambiguous")
    return found[0] if found else None


def shown(rest: Rest, text: str, field: str, key: str, id: str, operation: str) -> None:
    """After a write: the record must show our key, or nobody would find it again.

    Raises `Conflict`, which is not repeated: a second write would make a second record.
    """
    if not carries(text, key):
        words = f"record {id} was written, but its {field} does not show our key; check the field's name"
        raise rest.error(Conflict, operation, f"{words} in the system's settings", field, "key.not_shown")
