"""Words of SuiteQL: names, numbers, texts, placeholders and signs."""

import re
from dataclasses import dataclass
from typing import Literal

KEYWORDS = frozenset("SELECT DISTINCT AS FROM JOIN INNER LEFT OUTER ON WHERE GROUP ORDER BY ASC DESC".split())
KEYWORDS |= frozenset("AND OR NOT IN LIKE IS NULL".split())
Kind = Literal["keyword", "name", "number", "text", "parameter", "sign", "end"]

_WORD = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<number>\d+(?:\.\d+)?)"
    r"|(?P<text>'(?:[^']|'')*')"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<parameter>\?)"
    r"|(?P<sign><>|!=|>=|<=|[=<>(),.*])"
)


class BadQuery(ValueError):
    """The text is not a query this service understands."""


@dataclass(frozen=True, slots=True)
class Token:
    """One word; `text` is upper case for keywords and unquoted for texts."""

    kind: Kind
    text: str
    at: int


def tokens(query: str) -> list[Token]:
    """All words of a query, ended by one of kind `end`. Raises BadQuery at a character that starts none."""
    found: list[Token] = []
    at = 0
    while at < len(query):
        match = _WORD.match(query, at)
        if match is None:
            raise BadQuery(f"unexpected character {query[at]!r} at position {at + 1}")
        if match.lastgroup != "space":
            found.append(_token(str(match.lastgroup), match.group(), at))
        at = match.end()
    return [*found, Token("end", "", at)]


def _token(group: str, text: str, at: int) -> Token:
    if group == "name":
        return Token("keyword", text.upper(), at) if text.upper() in KEYWORDS else Token("name", text, at)
    if group == "text":
        return Token("text", text[1:-1].replace("''", "'"), at)
    return Token("number" if group == "number" else "parameter" if group == "parameter" else "sign", text, at)
