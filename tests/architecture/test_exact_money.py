"""No float near money: amounts are Decimal from the vendor's JSON to the ledger and back."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("domain", "connectors", "activities", "workflows", "store")
EXACT = frozenset({"Decimal", "Money", "Quantity", "Exact"})


def functions(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def of_time(node: ast.AST, tree: ast.AST, lines: list[str]) -> bool:
    """Whether a float is a span of time or a rate, as its own line or its function's docstring says."""
    around = [f for f in functions(tree) if f.lineno <= node.lineno <= (f.end_lineno or 0)]  # type: ignore[attr-defined]
    said = lines[node.lineno - 1] + " ".join(ast.get_docstring(function) or "" for function in around)  # type: ignore[attr-defined]
    return any(word in said.lower() for word in ("seconds", "per second", "rate limit"))


def floats(source: str) -> Iterator[str]:
    """Conversions to float, exact types built from a float, and models that hold both."""
    tree, lines = ast.parse(source), source.splitlines()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called == "float" and not of_time(node, tree, lines):
                yield f"{node.lineno}: {ast.unparse(node)}"
            exact = called.split(".")[0] in EXACT
            if exact and any(isinstance(a, ast.Constant) and isinstance(a.value, float) for a in node.args):
                yield f"{node.lineno}: {ast.unparse(node)} is not what it looks like; write it as text"
        elif isinstance(node, ast.ClassDef):
            kinds = {
                name.id: field.lineno
                for field in node.body
                if isinstance(field, ast.AnnAssign)
                for name in ast.walk(field.annotation)
                if isinstance(name, ast.Name)
            }
            if "float" in kinds and EXACT & set(kinds):
                yield f"{kinds['float']}: {node.name} holds a float beside exact amounts"


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_float_near_money(folder: str) -> None:
    wrong = [
        f"{file.relative_to(ROOT)}:{found}"
        for file in sorted((ROOT / folder).rglob("*.py"))
        for found in floats(file.read_text(encoding="utf-8"))
    ]
    assert not wrong, "use Decimal; for a span of time say `seconds` there:\n" + "\n".join(wrong)


def test_vendors_json_is_never_read_as_float() -> None:
    """`json.loads` and `response.json()` make floats of amounts; `connectors.http.exact_json` does not."""
    wrong = [
        f"{file.relative_to(ROOT)}:{node.lineno} {ast.unparse(node.func)}"
        for file in sorted((ROOT / "connectors").rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and (
            (ast.unparse(node.func) in ("json.loads", "json.load") and not _exact(node))
            or (isinstance(node.func, ast.Attribute) and node.func.attr == "json" and not node.args)
        )
    ]
    assert not wrong, "\n".join(wrong)


def _exact(node: ast.Call) -> bool:
    return any(keyword.arg in ("parse_float", "use_decimal") for keyword in node.keywords)


@pytest.mark.parametrize(
    "source",
    [
        "total = float(line.amount)",
        "price = Decimal(0.1)",
        "price = Money.of(12.5, 'EUR')",
        "class Line(Value):\n    amount: Money\n    share: float | None = None",
    ],
)
def test_a_float_is_seen(source: str) -> None:
    assert list(floats(source))


def test_spans_of_time_may_be_floats() -> None:
    assert not list(
        floats("wait = timedelta(seconds=float(life))\nclass Patience(Value):\n    ambiguous: float")
    )
