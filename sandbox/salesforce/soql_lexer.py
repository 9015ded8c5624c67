"""SOQL text into tokens."""

from dataclasses import dataclass
from typing import Literal

TokenKind = Literal["name", "string", "number", "date", "datetime", "operator", "punctuation", "end"]
OPERATORS = ("<=", ">=", "!=", "<>", "=", "<", ">")


@dataclass(frozen=True, slots=True)
class Token:
    """`text` as written, but unescaped for strings; `at` is its offset in the statement."""

    kind: TokenKind
    text: str
    at: int

    def is_word(self, word: str) -> bool:
        """Whether this is the keyword, in any case."""
        return self.kind == "name" and self.text.upper() == word


class SoqlError(ValueError):
    """A statement that cannot be understood. `code` is Salesforce's error code, `at` the offset."""

    def __init__(self, message: str, at: int, code: str = "MALFORMED_QUERY") -> None:
        super().__init__(message)
        self.message, self.at, self.code = message, at, code


def tokens(text: str) -> list[Token]:
    """All tokens, the last of kind `end`. Raises SoqlError."""
    found: list[Token] = []
    at = 0
    while at < len(text):
        char = text[at]
        if char.isspace():
            at += 1
            continue
        token, at = _token(text, at)
        found.append(token)
    return [*found, Token("end", "", len(text))]


def _token(text: str, at: int) -> tuple[Token, int]:
    char = text[at]
    if char == "'":
        return _string(text, at)
    if char.isalpha() or char == "_":
        end = at
        while end < len(text) and (text[end].isalnum() or text[end] in "_."):
            end += 1
        return Token("name", text[at:end], at), end
    if char.isdigit() or (char in "+-" and text[at + 1 : at + 2].isdigit()):
        return _number_or_date(text, at)
    for operator in OPERATORS:
        if text.startswith(operator, at):
            return Token("operator", operator, at), at + len(operator)
    if char in "(),":
        return Token("punctuation", char, at), at + 1
    raise SoqlError(f"unexpected character: '{char}'", at)


_ESCAPES = {"'": "'", '"': '"', "\\": "\\", "n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "%": "\\%"}
_ESCAPES |= {"_": "\\_"}  # kept for LIKE, which takes them literally


def _string(text: str, start: int) -> tuple[Token, int]:
    parts: list[str] = []
    at = start + 1
    while at < len(text):
        char = text[at]
        if char == "'":
            return Token("string", "".join(parts), start), at + 1
        if char == "\\":
            escape = text[at + 1 : at + 2]
            if escape not in _ESCAPES:
                raise SoqlError(f"Invalid string literal: unknown escape \\{escape}", at)
            parts.append(_ESCAPES[escape])
            at += 2
            continue
        parts.append(char)
        at += 1
    raise SoqlError("Invalid string literal: missing closing quote", start)


def _number_or_date(text: str, start: int) -> tuple[Token, int]:
    end = start + 1
    while end < len(text) and (text[end].isalnum() or text[end] in ":.-+"):
        end += 1
    word = text[start:end]
    if "T" in word.upper():
        return Token("datetime", word, start), end
    if word.count("-") == 2 and not word.startswith("-"):
        return Token("date", word, start), end
    return Token("number", word, start), end
