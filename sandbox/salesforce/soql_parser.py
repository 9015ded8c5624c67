"""SOQL into a tree, by recursive descent.

Grammar (Salesforce SOQL reference, the part this org understands):

    query     := SELECT (COUNT() | item {, item}) FROM name [WHERE condition]
                 [ORDER BY order {, order}] [LIMIT n] [OFFSET n]
    item      := path | ( query )                        one level of child queries
    condition := term {AND term} | term {OR term}        mixing both needs parentheses, as there
    term      := NOT term | ( condition ) | path operator literal
                 | path [NOT] IN ( literal {, literal} ) | path LIKE string
    order     := path [ASC|DESC] [NULLS FIRST|NULLS LAST]
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Literal

from sandbox.salesforce.soql_lexer import SoqlError, Token, tokens


@dataclass(frozen=True, slots=True)
class Path:
    """A field, perhaps of a parent: `("Account", "Name")`."""

    parts: tuple[str, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Literal_:
    """A literal; `value` is str, Decimal, bool, date, datetime or None."""

    kind: Literal["string", "number", "boolean", "date", "datetime", "null"]
    value: object


@dataclass(frozen=True, slots=True)
class Comparison:
    """`path operator literals`; operator is one of = != < <= > >= LIKE IN NOT IN."""

    path: Path
    operator: str
    literals: tuple[Literal_, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a condition."""

    condition: "Condition"


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions joined by AND or OR."""

    joined_by: Literal["AND", "OR"]
    conditions: tuple["Condition", ...]


Condition = Comparison | Not | Group


@dataclass(frozen=True, slots=True)
class Order:
    """One sort key."""

    path: Path
    descending: bool
    nulls_first: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A whole statement. `count` is `SELECT COUNT()`."""

    source: str
    source_at: int
    fields: tuple[Path, ...]
    children: tuple["Query", ...]
    count: bool
    where: Condition | None
    orders: tuple[Order, ...]
    limit: int | None
    offset: int


def parse(text: str) -> Query:
    """The tree of a statement. Raises SoqlError."""
    parser = _Parser(tokens(text))
    query = parser.query(nested=False)
    parser.expect_end()
    return query


class _Parser:
    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._at = 0

    @property
    def _now(self) -> Token:
        return self._tokens[self._at]

    def query(self, nested: bool) -> Query:
        self._word("SELECT")
        fields, children, count = self._items(nested)
        self._word("FROM")
        source = self._name()
        where = self._condition() if self._take("WHERE") else None
        orders: list[Order] = []
        if self._take("ORDER"):
            self._word("BY")
            orders = [self._order()]
            while self._punctuation(","):
                orders.append(self._order())
        limit = self._whole() if self._take("LIMIT") else None
        offset = self._whole() if self._take("OFFSET") else 0
        return Query(
            *(source.text, source.at, tuple(fields), tuple(children), count),
            *(where, tuple(orders), limit, offset),
        )

    def expect_end(self) -> None:
        if self._now.kind != "end":
            raise self._unexpected()

    def _items(self, nested: bool) -> tuple[list[Path], list[Query], bool]:
        if self._now.is_word("COUNT") and self._tokens[self._at + 1].text == "(":
            self._at += 2
            self._need(")")
            return [], [], True
        fields: list[Path] = []
        children: list[Query] = []
        while True:
            if self._punctuation("("):
                if nested:
                    raise SoqlError("only one level of child queries is supported", self._now.at)
                children.append(self.query(nested=True))
                self._need(")")
            else:
                fields.append(self._path())
            if not self._punctuation(","):
                return fields, children, False

    def _condition(self) -> Condition:
        terms = [self._term()]
        joined: Literal["AND", "OR"] | None = None
        while self._now.is_word("AND") or self._now.is_word("OR"):
            word: Literal["AND", "OR"] = "AND" if self._now.is_word("AND") else "OR"
            if joined not in (None, word):
                raise self._unexpected()
            joined = word
            self._at += 1
            terms.append(self._term())
        return terms[0] if joined is None else Group(joined, tuple(terms))

    def _term(self) -> Condition:
        if self._take("NOT"):
            return Not(self._term())
        if self._punctuation("("):
            condition = self._condition()
            self._need(")")
            return condition
        path = self._path()
        if self._take("LIKE"):
            return Comparison(path, "LIKE", (self._literal(),))
        if self._take("IN"):
            return Comparison(path, "IN", self._literals())
        if self._now.is_word("NOT") and self._tokens[self._at + 1].is_word("IN"):
            self._at += 2
            return Comparison(path, "NOT IN", self._literals())
        if self._now.kind != "operator":
            raise self._unexpected()
        operator = "!=" if self._now.text == "<>" else self._now.text
        self._at += 1
        return Comparison(path, operator, (self._literal(),))

    def _literals(self) -> tuple[Literal_, ...]:
        self._need("(")
        found = [self._literal()]
        while self._punctuation(","):
            found.append(self._literal())
        self._need(")")
        return tuple(found)

    def _literal(self) -> Literal_:
        token = self._now
        literal = _literal(token)
        if literal is None:
            raise self._unexpected()
        self._at += 1
        return literal

    def _order(self) -> Order:
        path = self._path()
        descending = self._take("DESC")
        if not descending:
            self._take("ASC")
        first = not descending
        if self._take("NULLS"):
            first = self._take("FIRST")
            if not first:
                self._word("LAST")
        return Order(path, descending, first)

    def _path(self) -> Path:
        token = self._name()
        parts = tuple(token.text.split("."))
        if "" in parts or len(parts) > 6:
            raise SoqlError(f"unexpected token: '{token.text}'", token.at)
        return Path(parts, token.at)

    def _name(self) -> Token:
        token = self._now
        if token.kind != "name" or token.text.upper() in _RESERVED:
            raise self._unexpected()
        self._at += 1
        return token

    def _whole(self) -> int:
        token = self._now
        if token.kind != "number" or not token.text.isdigit():
            raise self._unexpected()
        self._at += 1
        return int(token.text)

    def _word(self, word: str) -> None:
        if not self._take(word):
            raise self._unexpected()

    def _take(self, word: str) -> bool:
        if not self._now.is_word(word):
            return False
        self._at += 1
        return True

    def _punctuation(self, char: str) -> bool:
        if self._now.kind != "punctuation" or self._now.text != char:
            return False
        self._at += 1
        return True

    def _need(self, char: str) -> None:
        if not self._punctuation(char):
            raise self._unexpected()

    def _unexpected(self) -> SoqlError:
        shown = self._now.text or "<EOF>"
        return SoqlError(f"unexpected token: '{shown}'", self._now.at)


_RESERVED = frozenset("SELECT FROM WHERE AND OR NOT IN LIKE ORDER BY LIMIT OFFSET NULLS".split())


def _literal(token: Token) -> Literal_ | None:
    if token.kind == "string":
        return Literal_("string", token.text)
    if token.kind == "name":
        words = {"TRUE": Literal_("boolean", True), "FALSE": Literal_("boolean", False)}
        return (words | {"NULL": Literal_("null", None)}).get(token.text.upper())
    try:
        if token.kind == "number":
            return Literal_("number", Decimal(token.text))
        if token.kind == "date":
            return Literal_("date", date.fromisoformat(token.text))
        if token.kind == "datetime":
            moment = datetime.fromisoformat(token.text)
            if moment.tzinfo is None:
                raise SoqlError(f"a datetime needs a time zone: {token.text}", token.at)
            return Literal_("datetime", moment.astimezone(UTC))
    except (ValueError, InvalidOperation) as error:
        if isinstance(error, SoqlError):
            raise
        raise SoqlError(f"Invalid literal: {token.text}", token.at) from None
    return None
