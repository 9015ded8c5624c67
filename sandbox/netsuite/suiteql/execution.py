"""Running a parsed query over the record store."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cmp_to_key
from typing import Any

from sandbox.core.records import Record, RecordStore
from sandbox.netsuite.record_types import RECORD_TYPES
from sandbox.netsuite.representation import display
from sandbox.netsuite.schema import Field
from sandbox.netsuite.suiteql import tables, values
from sandbox.netsuite.suiteql.aggregates import aggregated
from sandbox.netsuite.suiteql.tokens import BadQuery
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
    children,
    has_aggregate,
)
from sandbox.netsuite.suiteql.values import Value

Row = dict[str, Record | None]
Evaluate = Callable[[Row], Value]
OfGroup = Callable[[Sequence[Row]], Value]
Test = Callable[[Row], bool | None]

_TESTS: dict[str, Callable[[int], bool]] = {
    "=": lambda order: order == 0,
    "<>": lambda order: order != 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
}


def execute(query: Query, parameters: Sequence[Any], store: RecordStore) -> list[dict[str, str]]:
    """Rows of text, nulls left out, in order. Raises BadQuery for unknown tables, columns or parameters."""
    if query.parameters != len(parameters):
        raise BadQuery(f"the query has {query.parameters} placeholder(s), params has {len(parameters)}")
    return _Execution(query, parameters, store).rows()


class _Execution:
    """One run of one query: terms and conditions become functions of a row."""

    def __init__(self, query: Query, parameters: Sequence[Any], store: RecordStore) -> None:
        self._query = query
        self._parameters = [values.parameter_value(each) for each in parameters]
        self._store = store
        self._tables: dict[str, dict[str, Field]] = {}
        for source in (query.source, *(join.source for join in query.joins)):
            self._declare(source)

    def rows(self) -> list[dict[str, str]]:
        found = list(self._filtered(self._joined(), self._conditions(alone=False)))
        terms = [output.term for output in self._query.outputs]
        if self._query.groups or any(has_aggregate(term) for term in terms):
            return self._grouped(found)
        ordered = self._ordered(found)
        outputs = [(output.name, self._evaluate(output.term)) for output in self._outputs()]
        shown = [_shown(row, outputs) for row in ordered]
        return _distinct(shown) if self._query.distinct else shown

    def _declare(self, source: Source) -> None:
        if source.table not in tables.TABLES:
            raise BadQuery(f"Record '{source.table}' was not found")
        if source.alias in self._tables:
            raise BadQuery(f"the alias '{source.alias}' is used twice")
        self._tables[source.alias] = values.columns_of(tables.TABLES[source.table])

    def _outputs(self) -> Sequence[Output]:
        if self._query.outputs:
            return self._query.outputs
        alias = self._query.source.alias
        return [Output(Column(alias, name), name) for name in self._tables[alias]]

    # ---- rows

    def _joined(self) -> Iterator[Row]:
        source = self._query.source
        rows: Iterable[Row] = ({source.alias: record} for record in self._records(source))
        # What the first table alone decides is decided before rows are joined: joins are the costly part.
        rows = self._filtered(rows, self._conditions(alone=True))
        for join in self._query.joins:
            rows = self._join(rows, join)
        yield from rows

    def _join(self, rows: Iterable[Row], join: Join) -> Iterator[Row]:
        alias = join.source.alias
        pairs = [self._sides(alias, *pair) for pair in join.pairs]
        by_key: dict[tuple[str, ...], list[Record]] = {}
        for record in self._records(join.source):
            key = _key([inner({alias: record}) for inner, _ in pairs])
            if key is not None:
                by_key.setdefault(key, []).append(record)
        for row in rows:
            key = _key([outside(row) for _, outside in pairs])
            matches: Sequence[Record | None] = [] if key is None else by_key.get(key, [])
            for match in matches or ([None] if join.outer else []):
                yield {**row, alias: match}

    def _sides(self, alias: str, left: Column, right: Column) -> tuple[Evaluate, Evaluate]:
        """The joined table's side of an equality and the other one."""
        if self._owner(left) == alias:
            left, right = right, left
        if self._owner(right) != alias or self._owner(left) == alias:
            raise BadQuery(f"the join of '{alias}' must compare one of its columns with an earlier table")
        return self._evaluate(right), self._evaluate(left)

    def _records(self, source: Source) -> Iterator[Record]:
        return tables.rows(self._store, source.table)

    def _grouped(self, rows: list[Row]) -> list[dict[str, str]]:
        """One row per group; without GROUP BY all rows are one group, even when there are none."""
        keys = [self._evaluate(term) for term in self._query.groups]
        groups: dict[tuple[Value, ...], list[Row]] = {} if keys else {(): rows}
        for row in rows if keys else ():
            groups.setdefault(tuple(key(row) for key in keys), []).append(row)
        found = list(groups.values())
        for term, descending in reversed(self._query.order):
            found.sort(key=_sort_key(self._of_group(term)), reverse=descending)
        outputs = [(output.name, self._of_group(output.term)) for output in self._outputs()]
        return [_shown(group, outputs) for group in found]

    def _of_group(self, term: Term) -> OfGroup:
        if isinstance(term, Aggregate):
            evaluate = None if term.term is None else self._evaluate(term.term)
            return lambda rows: aggregated(
                term.name, None if evaluate is None else [evaluate(row) for row in rows], len(rows)
            )
        if self._query.groups and not has_aggregate(term) and self._is_grouped(term):
            plain = self._evaluate(term)
            return lambda rows: plain(rows[0])
        raise BadQuery("a selected or sorting term must be an aggregate or stand in GROUP BY")

    def _is_grouped(self, term: Term) -> bool:
        if isinstance(term, Literal | Parameter):
            return True
        same = [self._resolved(each) for each in self._query.groups]
        if self._resolved(term) in same:
            return True
        return isinstance(term, Function) and all(self._is_grouped(each) for each in term.arguments)

    def _resolved(self, term: Term) -> Term:
        """A column under its table's alias, so that `name` and `t.name` are one."""
        return Column(self._owner(term), term.name) if isinstance(term, Column) else term

    def _ordered(self, rows: list[Row]) -> list[Row]:
        for term, descending in reversed(self._query.order):
            evaluate = self._evaluate(term)
            rows.sort(key=_sort_key(evaluate), reverse=descending)
        return rows

    # ---- conditions

    def _filtered(self, rows: Iterable[Row], conditions: Sequence[Condition]) -> Iterable[Row]:
        for condition in conditions:
            rows = filter(self._test(condition), rows)
        return rows

    def _conditions(self, *, alone: bool) -> list[Condition]:
        """The parts of WHERE that read the first table alone, or the others."""
        where = self._query.where
        parts = where.parts if isinstance(where, Junction) and where.operator == "AND" else (where,)
        first = {self._query.source.alias}
        return [part for part in parts if part is not None and (self._aliases(part) <= first) is alone]

    def _aliases(self, part: Condition | Term) -> set[str]:
        if isinstance(part, Column):
            return {self._owner(part)}
        return set().union(*(self._aliases(each) for each in children(part)))

    def _test(self, condition: Condition) -> Test:
        if isinstance(condition, Junction):
            tests = [self._test(part) for part in condition.parts]
            return _all(tests) if condition.operator == "AND" else _any(tests)
        if isinstance(condition, Negation):
            inner = self._test(condition.part)
            return lambda row: None if (result := inner(row)) is None else not result
        if isinstance(condition, NullTest):
            term, negated = self._evaluate(condition.term), condition.negated
            return lambda row: (term(row) is None) is not negated
        if isinstance(condition, Membership):
            return self._membership(condition)
        return self._comparison(condition)

    def _membership(self, condition: Membership) -> Test:
        term = self._evaluate(condition.term)
        options = [self._evaluate(option) for option in condition.options]

        def test(row: Row) -> bool | None:
            value = term(row)
            if value is None:
                return None
            return any(values.compare(value, option(row)) == 0 for option in options) is not condition.negated

        return test

    def _comparison(self, condition: Comparison) -> Test:
        left, right = self._evaluate(condition.left), self._evaluate(condition.right)
        if condition.operator == "LIKE":
            return lambda row: values.like(left(row), right(row))
        decide = _TESTS[condition.operator]
        return lambda row: None if (order := values.compare(left(row), right(row))) is None else decide(order)

    # ---- terms

    def _evaluate(self, term: Term) -> Evaluate:
        if isinstance(term, Column):
            alias = self._owner(term)
            known = self._tables[alias][term.name]
            return lambda row: values.column_value(row[alias], known)
        if isinstance(term, Function):
            return self._function(term)
        if isinstance(term, Aggregate):
            raise BadQuery(f"{term.name} needs a group: not allowed here")
        value = self._parameters[term.index] if isinstance(term, Parameter) else _literal(term)
        return lambda row: value

    def _function(self, term: Function) -> Evaluate:
        if term.name == "BUILTIN.DF":
            return self._display(term.arguments[0])
        first = self._evaluate(term.arguments[0])
        if term.name in ("UPPER", "LOWER"):
            change = str.upper if term.name == "UPPER" else str.lower
            return lambda row: None if (value := first(row)) is None else change(values.written(value))
        pattern = self._evaluate(term.arguments[1])
        act = values.formatted if term.name == "TO_CHAR" else values.parsed_date
        return lambda row: act(first(row), pattern(row))

    def _display(self, term: Term) -> Evaluate:
        if not isinstance(term, Column):
            raise BadQuery("BUILTIN.DF takes a column")
        known = self._tables[self._owner(term)][term.name]
        plain = self._evaluate(term)

        def show(row: Row) -> Value:
            value = plain(row)
            if value is None or known.kind == "enum":
                return (
                    None if value is None else known.values.get(values.written(value), values.written(value))
                )
            target = self._store.get(known.target, values.written(value)) if known.target else None
            return value if target is None else display(RECORD_TYPES[known.target], target.data)

        return show

    def _owner(self, column: Column) -> str:
        if column.alias:
            if column.alias not in self._tables:
                raise BadQuery(f"unknown alias '{column.alias}'")
            if column.name not in self._tables[column.alias]:
                raise BadQuery(f"Unknown identifier '{column.alias}.{column.name}'")
            return column.alias
        owners = [alias for alias, columns in self._tables.items() if column.name in columns]
        if len(owners) != 1:
            problem = "is ambiguous" if owners else "is unknown"
            raise BadQuery(f"the identifier '{column.name}' {problem}")
        return owners[0]


def _literal(term: Literal) -> Value:
    return term.value


def _key(found: Sequence[Value]) -> tuple[str, ...] | None:
    """What two sides of a join must share; None where one of it is null: null equals nothing."""
    return None if None in found else tuple(values.written(value) for value in found)


def _shown(row: Any, outputs: Sequence[tuple[str, Callable[[Any], Value]]]) -> dict[str, str]:
    found = ((name, evaluate(row)) for name, evaluate in outputs)
    return {name: values.written(value) for name, value in found if value is not None}


def _distinct(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [dict(row) for row in dict.fromkeys(tuple(row.items()) for row in rows)]


def _all(tests: list[Test]) -> Test:
    def test(row: Row) -> bool | None:
        results = [each(row) for each in tests]
        return False if False in results else None if None in results else True

    return test


def _any(tests: list[Test]) -> Test:
    def test(row: Row) -> bool | None:
        results = [each(row) for each in tests]
        return True if True in results else None if None in results else False

    return test


def _sort_key(evaluate: Callable[[Any], Value]) -> Callable[[Any], Any]:
    """By value, nulls last in ascending order."""

    def order(left: Any, right: Any) -> int:
        first, second = evaluate(left), evaluate(right)
        return (first is None) - (second is None) or values.compare(first, second) or 0

    return cmp_to_key(order)
