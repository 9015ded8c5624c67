"""How lines of a sublist come together on an update.

Source: SuiteTalk REST, working with sublists: a line sent without its key is added to those that are there,
a line sent with its key is changed, and only `?replace=<sublist>` makes the body's lines the whole list.
"""

from collections.abc import Collection, Mapping
from typing import Any

from sandbox.netsuite.errors import invalid_request, invalid_value
from sandbox.netsuite.schema import RecordType, Sublist


def replaced(record_type: RecordType, text: str | None) -> frozenset[str]:
    """The sublists named by `?replace=`. Raises Refused for a name the record does not have."""
    names = frozenset(part.strip() for part in (text or "").split(",") if part.strip())
    for name in sorted(names - set(record_type.sublists) - set(record_type.fields)):
        raise invalid_request(f"The '{name}' sublist does not exist.", query="replace")
    return names


def merged(
    record_type: RecordType,
    held: Mapping[str, Any],
    sent: Mapping[str, list[dict[str, Any]]],
    replace: Collection[str],
) -> dict[str, list[dict[str, Any]]]:
    """The sublists after a write, for those the body names."""
    return {
        name: _one(record_type.sublists[name], [] if name in replace else held.get(name) or [], lines)
        for name, lines in sent.items()
    }


def _one(sublist: Sublist, held: list[dict[str, Any]], sent: list[dict[str, Any]]) -> list[dict[str, Any]]:
    lines = [dict(line) for line in held]
    by_key = {line[sublist.key]: line for line in lines}
    for number, line in enumerate(sent):
        key = line.get(sublist.key)
        if key is None:
            key = max(by_key, default=0) + 1
            by_key[key] = {sublist.key: key, **{name: v for name, v in line.items() if name != sublist.key}}
            lines.append(by_key[key])
        elif key in by_key:
            by_key[key].update(line)
        else:
            raise invalid_value(f"{sublist.name}.items[{number}].{sublist.key}")
    return lines
