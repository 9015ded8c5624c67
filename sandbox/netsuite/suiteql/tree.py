"""A parsed query as data."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Column:
    """`alias.name`, or `name` alone (alias "")."""

    alias: str
    name: str


@dataclass(frozen=True, slots=True)
class Literal:
    """A number or text written in the query."""

    value: Decimal | str


@dataclass(frozen=True, slots=True)
class Parameter:
    """The `index`-th `?` of the query, from 0."""

    index: int


@dataclass(frozen=True, slots=True)
class Function:
    """TO_CHAR, TO_DATE, UPPER, LOWER or BUILTIN.DF."""

    name: str
    arguments: tuple["Term", ...]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """SUM, COUNT, MIN or MAX over the rows of a group; `term` is None for COUNT(*)."""

    name: str
    term: "Term | None"


Term = Column | Literal | Parameter | Function | Aggregate


@dataclass(frozen=True, slots=True)
class Comparison:
    """`left operator right` with one of = <> > >= < <= LIKE."""

    operator: str
    left: Term
    right: Term


@dataclass(frozen=True, slots=True)
class Membership:
    """`term [NOT] IN (a, b, ...)`."""

    term: Term
    options: tuple[Term, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class NullTest:
    """`term IS [NOT] NULL`."""

    term: Term
    negated: bool


@dataclass(frozen=True, slots=True)
class Junction:
    """AND or OR of two or more conditions."""

    operator: str
    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """NOT condition."""

    part: "Condition"


Condition = Comparison | Membership | NullTest | Junction | Negation


@dataclass(frozen=True, slots=True)
class Source:
    """A table under its alias."""

    table: str
    alias: str


@dataclass(frozen=True, slots=True)
class Join:
    """`[LEFT] JOIN source ON a = b AND c = d`: pairs of columns that must be equal."""

    source: Source
    pairs: tuple[tuple[Column, Column], ...]
    outer: bool


@dataclass(frozen=True, slots=True)
class Output:
    """One selected term under its name in the answer (lower case)."""

    term: Term
    name: str


@dataclass(frozen=True, slots=True)
class Query:
    """A whole SELECT. `outputs` is empty for `*`."""

    outputs: tuple[Output, ...]
    source: Source
    joins: tuple[Join, ...]
    where: Condition | None
    order: tuple[tuple[Term, bool], ...]
    """Terms with True for descending."""
    parameters: int
    distinct: bool = False
    groups: tuple[Term, ...] = ()


def children(part: Condition | Term) -> tuple[Condition | Term, ...]:
    """The parts a condition or term is made of; a column, literal or parameter has none."""
    if isinstance(part, Comparison):
        return (part.left, part.right)
    if isinstance(part, Membership):
        return (part.term, *part.options)
    if isinstance(part, NullTest):
        return (part.term,)
    if isinstance(part, Junction):
        return part.parts
    if isinstance(part, Negation):
        return (part.part,)
    if isinstance(part, Aggregate):
        return () if part.term is None else (part.term,)
    return part.arguments if isinstance(part, Function) else ()


def has_aggregate(part: Condition | Term) -> bool:
    """Whether an aggregate stands anywhere in a condition or term."""
    return isinstance(part, Aggregate) or any(has_aggregate(each) for each in children(part))
