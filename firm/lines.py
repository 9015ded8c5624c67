"""In which line of a TOML file a key stands: enough of the grammar to point a person to it.

`tomllib` gives values without places. This index knows tables, arrays of tables, dotted and quoted keys;
inside inline tables and arrays it answers with the line of the key they belong to.
"""

import re
from collections import Counter

from firm.problems import Key

_PART = r"""(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)"""
_NAME = rf"{_PART}(?:\s*\.\s*{_PART})*"
_ARRAY = re.compile(rf"^\s*\[\[\s*({_NAME})\s*\]\]")
_TABLE = re.compile(rf"^\s*\[\s*({_NAME})\s*\]")
_PAIR = re.compile(rf"^\s*({_NAME})\s*=")
_QUOTES = ('"' * 3, "'" * 3)


class Lines:
    """The index of one file. `Lines(text).of(("entities", 1, "currency"))` is a line number from 1."""

    def __init__(self, text: str) -> None:
        self._at: dict[Key, int] = {}
        self._arrays: Counter[Key] = Counter()
        self._table: Key = ()
        self._until: str | None = None
        for number, line in enumerate(text.splitlines(), start=1):
            self._read(number, line)

    def of(self, key: Key) -> int | None:
        """The line of `key`, else of the nearest table around it."""
        for length in range(len(key), 0, -1):
            if key[:length] in self._at:
                return self._at[key[:length]]
        return None

    def _read(self, number: int, line: str) -> None:
        if self._until is not None:  # within a text of several lines
            self._until = None if self._until in line else self._until
            return
        if match := _ARRAY.match(line):
            name = self._under_arrays(_parts(match[1]))
            self._table = (*name, self._arrays[name])
            self._arrays[name] += 1
            self._at[self._table] = number
            self._at.setdefault(name, number)
        elif match := _TABLE.match(line):
            self._table = self._under_arrays(_parts(match[1]))
            self._at.setdefault(self._table, number)
        elif match := _PAIR.match(line):
            self._at.setdefault((*self._table, *_parts(match[1])), number)
        self._until = next((quote for quote in _QUOTES if line.count(quote) % 2), None)

    def _under_arrays(self, name: Key) -> Key:
        """`name` with the index of the newest entry after each array of tables it passes through."""
        path: Key = ()
        for position, part in enumerate(name):
            path = (*path, part)
            if self._arrays[path] and position < len(name) - 1:
                path = (*path, self._arrays[path] - 1)
        return path


def _parts(name: str) -> Key:
    return tuple(part.strip("\"'") for part in re.findall(_PART, name))
