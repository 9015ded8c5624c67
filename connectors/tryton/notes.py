"""Our facts in a comment of Tryton, a line each, beside what people write there.

    Key: activation/acme/0065g.../erp.project/1
    Starts on: 2026-12-01

Tryton's project has no field for a key or for dates. Lines that are not ours are kept as they are.
"""

import re
from collections.abc import Mapping
from datetime import date

KEY = "Key"
_LINE = re.compile(r"([A-Z][A-Za-z ]{0,30}): (.*)")


def noted(facts: Mapping[str, object], text: str = "") -> str:
    """`text` with `facts` set: a line per fact, in place where there is one, without lines for empty ones."""
    left = {name: _spelled(value) for name, value in facts.items()}
    lines = []
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        if match is None or match[1] not in left:
            lines.append(line)
        elif value := left.pop(match[1]):
            lines.append(f"{match[1]}: {value}")
    lines += [f"{name}: {value}" for name, value in left.items() if value]
    return "\n".join(lines)


def facts_in(text: str | None) -> dict[str, str]:
    """The facts that stand in a comment."""
    matches = (_LINE.fullmatch(line) for line in (text or "").splitlines())
    return {match[1]: match[2] for match in matches if match}


def pattern(key: str) -> str:
    """`key` for a search by `like` anywhere in a text. What it finds is still to be compared exactly."""
    escaped = re.sub(r"([\\%_])", r"\\\1", key)
    return f"%{escaped}%"


def _spelled(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    return " ".join(str(value).split()) if value is not None else ""
