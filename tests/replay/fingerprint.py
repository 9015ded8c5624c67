"""The sequence of Temporal commands that each workflow file writes down, as data that is kept in the tree.

    python -m tests.replay.fingerprint        writes fingerprints.json anew

Read from the syntax tree, function by function, in the order of the source: activities, children, timers,
upserts, patches, and the calls that bring the commands of other functions in. A change here is a change
that a running process may meet in the middle; `test_fingerprints.py` says what to do then.
"""

import ast
import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KEPT = Path(__file__).with_name("fingerprints.json")

_ACTIVITY = re.compile(r"workflow\.(execute|start)_(local_)?activity(_method|_class)?")
_COMMAND = re.compile(
    r"workflow\.(sleep|(start|execute)_child_workflow|continue_as_new|upsert_\w+|patched|deprecate_patch)"
)
_HELD = re.compile(
    r"asyncio\.(gather|ensure_future|create_task|shield|wait_for)|workflow\.(wait|as_completed)"
)
_BRANCHES = {ast.If: "if", ast.While: "while", ast.For: "for", ast.Try: "try", ast.IfExp: "if"}

Fingerprint = dict[str, list[str]]
"""Function -> its commands, indented by the branches they stand in."""


def fingerprints() -> dict[str, Fingerprint]:
    """Of every file in workflows/ that has commands."""
    names = activity_names(ROOT / "activities")
    found = {
        file.relative_to(ROOT).as_posix(): of_source(file.read_text(encoding="utf-8"), names)
        for file in sorted((ROOT / "workflows").rglob("*.py"))
    }
    return {file: functions for file, functions in found.items() if functions}


def activity_names(folder: Path) -> dict[str, str]:
    """`Class.method` -> the name it is registered under."""
    return {
        f"{holder.name}.{method.name}": str(ast.literal_eval(keyword.value))
        for file in sorted(folder.glob("*.py"))
        for holder in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(holder, ast.ClassDef)
        for method in holder.body
        if isinstance(method, ast.AsyncFunctionDef | ast.FunctionDef)
        for decorator in method.decorator_list
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "activity.defn"
        for keyword in decorator.keywords
        if keyword.arg == "name"
    }


def of_source(source: str, names: dict[str, str]) -> Fingerprint:
    """Of one file; functions without a command are left out."""
    reader = _Reader(names)
    reader.visit(ast.parse(source))
    return {function: commands for function, commands in reader.functions.items() if commands}


class _Reader(ast.NodeVisitor):
    def __init__(self, names: dict[str, str]) -> None:
        self._names = names
        self._scope: list[str] = []
        self._depth = 0
        self.functions: Fingerprint = {}

    def generic_visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            self._scope.append(node.name)
            super().generic_visit(node)
            self._scope.pop()
        elif type(node) in _BRANCHES:
            self._branch(node)
        else:
            super().generic_visit(node)

    def visit_Await(self, node: ast.Await) -> None:
        self._brought_in("await", node.value)
        self.generic_visit(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        if isinstance(node.body, ast.Call):
            self._brought_in("later", node.body)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        command = self._command(node)
        if command is not None:
            self._note(command)
        elif _HELD.fullmatch(ast.unparse(node.func)):
            for held in node.args:
                self._brought_in("held", held)
        self.generic_visit(node)

    def _brought_in(self, how: str, node: ast.expr) -> None:
        if not (isinstance(node, ast.Call) and self._command(node)):
            self._note(f"{how} {_spoken(node)}")

    def _branch(self, node: ast.AST) -> None:
        """A branch counts when a command stands in it."""
        commands = self.functions.setdefault(".".join(self._scope), [])
        self._note(_BRANCHES[type(node)])
        length, self._depth = len(commands), self._depth + 1
        super().generic_visit(node)
        self._depth -= 1
        if len(commands) == length:
            commands.pop()

    def _command(self, node: ast.Call) -> str | None:
        called = ast.unparse(node.func)
        if _ACTIVITY.fullmatch(called):
            reference = ast.unparse(node.args[0])
            return f"activity {self._names.get(reference, reference)}"
        if called == "workflow.wait_condition":
            return "wait, with a timer" if any(k.arg == "timeout" for k in node.keywords) else "wait"
        if called == "search_attributes.upsert":
            return "upsert " + ", ".join(str(k.arg) for k in node.keywords)
        return _spoken(node).removeprefix("workflow.") if _COMMAND.fullmatch(called) else None

    def _note(self, command: str) -> None:
        self.functions.setdefault(".".join(self._scope), []).append("  " * self._depth + command)


def _spoken(node: ast.expr) -> str:
    """A call by its name and first text: `self.step 'erp.customer'`."""
    if not isinstance(node, ast.Call):
        return ast.unparse(node)
    first = node.args[0] if node.args else None
    return ast.unparse(node.func) + (f" {first.value!r}" if isinstance(first, ast.Constant) else "")


def as_text(found: dict[str, Fingerprint]) -> str:
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    KEPT.write_text(as_text(fingerprints()), encoding="utf-8")
    print(KEPT.name)
