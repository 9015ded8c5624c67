"""Recursive descent over the subset of SuiteQL this sandbox answers.

    SELECT [DISTINCT] * | term [AS name], ... FROM table [alias]
    {[INNER | LEFT [OUTER]] JOIN table [alias] ON a.x = b.y [AND a.z = b.w ...]}
    [WHERE condition] [GROUP BY term, ...] [ORDER BY term [ASC|DESC], ...]

A condition is built of = <> != > >= < <= [NOT] LIKE, [NOT] IN, IS [NOT] NULL, NOT, AND, OR, parentheses.
Terms are columns, numbers, texts, `?`, TO_CHAR, TO_DATE, UPPER, LOWER and BUILTIN.DF; in
SELECT and ORDER BY also SUM, MIN, MAX and COUNT of a term, and COUNT(*).
"""

from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

from sandbox.netsuite.suiteql.tokens import BadQuery, Token, tokens
from sandbox.netsuite.suiteql.tree import (
    Aggregate,
    Column,
    Comparison,
    Condition,
    Function,
    Join,
    Junction,
    Literal,
    Membership,
    Negation,
    NullTest,
    Output,
    Parameter,
    Query,
    Source,
    Term,
    has_aggregate,
)

Part = TypeVar("Part")
COMPARISONS = frozenset({"=", "<>", "!=", ">", ">=", "<", "<="})
AGGREGATES = frozenset({"SUM", "COUNT", "MIN", "MAX"})
ARITY = {"TO_CHAR": 2, "TO_DATE": 2, "UPPER": 1, "LOWER": 1, "BUILTIN.DF": 1}


def parse(text: str) -> Query:
    """The query as a tree. Raises BadQuery with the position and what was expected."""
    return _Parser(tokens(text)).query()


class _Parser:
    def __init__(self, words: list[Token]) -> None:
        self._words = words
        self._at = 0
        self._parameters = 0

    def query(self) -> Query:
        self._expect("SELECT")
        distinct = self._take("DISTINCT")
        outputs = () if self._take("*") else tuple(self._list(self._output))
        self._expect("FROM")
        source = self._source()
        joins = []
        while (join := self._join()) is not None:
            joins.append(join)
        where = self._condition() if self._take("WHERE") else None
        groups: tuple[Term, ...] = ()
        if self._take("GROUP"):
            self._expect("BY")
            groups = tuple(self._list(self._term))
        order: tuple[tuple[Term, bool], ...] = ()
        if self._take("ORDER"):
            self._expect("BY")
            order = tuple(self._list(self._ordering))
        if self._word.kind != "end":
            raise self._unexpected("the end of the query")
        if where is not None and has_aggregate(where):
            raise BadQuery("an aggregate function is not allowed in WHERE")
        return Query(outputs, source, tuple(joins), where, order, self._parameters, distinct, groups)

    # ---- parts

    def _output(self) -> Output:
        term = self._term()
        named = self._take("AS")
        if named or self._word.kind == "name":
            return Output(term, self._name().lower())
        return Output(term, term.name.lower() if isinstance(term, Column) else f"expr{self._at}")

    def _source(self) -> Source:
        table = self._name().lower()
        self._take("AS")
        alias = self._name().lower() if self._word.kind == "name" else table
        return Source(table, alias)

    def _join(self) -> Join | None:
        outer = self._take("LEFT")
        if outer:
            self._take("OUTER")
        elif not self._take("INNER") and self._word.text != "JOIN":
            return None
        self._expect("JOIN")
        source = self._source()
        self._expect("ON")
        pairs = [self._pair()]
        while self._take("AND"):
            pairs.append(self._pair())
        return Join(source, tuple(pairs), outer)

    def _pair(self) -> tuple[Column, Column]:
        left = self._column()
        self._expect("=")
        return left, self._column()

    def _ordering(self) -> tuple[Term, bool]:
        term = self._term()
        descending = self._take("DESC")
        if not descending:
            self._take("ASC")
        return term, descending

    # ---- conditions

    def _condition(self) -> Condition:
        return self._junction("OR", self._conjunction)

    def _conjunction(self) -> Condition:
        return self._junction("AND", self._negation)

    def _junction(self, word: str, part: Callable[[], Condition]) -> Condition:
        parts = [part()]
        while self._take(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Junction(word, tuple(parts))

    def _negation(self) -> Condition:
        if self._take("NOT"):
            return Negation(self._negation())
        if self._take("("):
            inner = self._condition()
            self._expect(")")
            return inner
        return self._predicate()

    def _predicate(self) -> Condition:
        left = self._term()
        if self._take("IS"):
            negated = self._take("NOT")
            self._expect("NULL")
            return NullTest(left, negated)
        negated = self._take("NOT")
        if self._take("IN"):
            self._expect("(")
            options = tuple(self._list(self._term))
            self._expect(")")
            return Membership(left, options, negated)
        if self._take("LIKE"):
            like = Comparison("LIKE", left, self._term())
            return Negation(like) if negated else like
        operator = self._word.text
        if negated or operator not in COMPARISONS:
            raise self._unexpected("a comparison")
        self._at += 1
        return Comparison("<>" if operator == "!=" else operator, left, self._term())

    # ---- terms

    def _term(self) -> Term:
        word = self._word
        if word.kind == "parameter":
            self._at += 1
            self._parameters += 1
            return Parameter(self._parameters - 1)
        if word.kind in ("number", "text"):
            self._at += 1
            return Literal(Decimal(word.text) if word.kind == "number" else word.text)
        column = self._column()
        if self._word.text != "(":
            return column
        return self._function(f"{column.alias}.{column.name}" if column.alias else column.name)

    def _function(self, name: str) -> Function | Aggregate:
        name = name.upper()
        if name in AGGREGATES:
            return self._aggregate(name)
        if name not in ARITY:
            raise BadQuery(f"unknown function {name}")
        self._expect("(")
        arguments = tuple(self._list(self._term))
        self._expect(")")
        if len(arguments) != ARITY[name]:
            raise BadQuery(f"{name} takes {ARITY[name]} argument(s), not {len(arguments)}")
        return Function(name, arguments)

    def _aggregate(self, name: str) -> Aggregate:
        self._expect("(")
        term = None if name == "COUNT" and self._take("*") else self._term()
        self._expect(")")
        if term is not None and has_aggregate(term):
            raise BadQuery(f"{name} cannot be taken of another aggregate")
        return Aggregate(name, term)

    def _column(self) -> Column:
        first = self._name()
        return Column(first.lower(), self._name().lower()) if self._take(".") else Column("", first.lower())

    # ---- words

    @property
    def _word(self) -> Token:
        return self._words[self._at]

    def _take(self, text: str) -> bool:
        taken = self._word.kind in ("keyword", "sign") and self._word.text == text
        self._at += taken
        return taken

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise self._unexpected(text)

    def _name(self) -> str:
        if self._word.kind != "name":
            raise self._unexpected("a name")
        self._at += 1
        return self._words[self._at - 1].text

    def _list(self, part: Callable[[], Part]) -> list[Part]:
        parts = [part()]
        while self._take(","):
            parts.append(part())
        return parts

    def _unexpected(self, wanted: str) -> BadQuery:
        found = repr(self._word.text) if self._word.kind != "end" else "the end of the query"
        return BadQuery(f"expected {wanted} at position {self._word.at + 1}, found {found}")
