"""Nothing is forgotten and nothing is nameless: workflows, activities, the profiles they are called with."""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio import activity, workflow

import serving
from domain.readiness import OwnerGroup
from tests.replay.fingerprint import activity_names
from workflows.registry import WORKFLOWS
from workflows.shared import options

ROOT = Path(__file__).resolve().parents[2]


def holders() -> list[type]:
    """Every class that holds activities."""
    found: list[type] = []
    for file in sorted((ROOT / "activities").glob("*.py")):
        module = importlib.import_module(f"activities.{file.stem}")
        for kind in vars(module).values():
            if inspect.isclass(kind) and kind.__module__ == module.__name__ and serving.methods(_bare(kind)):
                found.append(kind)
    return found


def _bare(kind: type) -> object:
    """An object of `kind` that was never initialised; pydantic models and such hold no activities."""
    return kind.__new__(kind) if kind.__name__.endswith("Activities") else object()


HOLDERS = holders()
OWNERS = [group.value.replace("_", " ") for group in OwnerGroup]
ID_FORM = re.compile(r"Workflow id `[a-z]+/<firm>/<[a-z ]+>`")
NAMED_BY_ITS_SCHEDULE = {
    *("DealPollTick", "IntakeTick", "Watch", "ReleasedInvoicesTick", "ResourceTick", "PurchaseOrdersTick"),
}
"""A schedule appends the time to the id of each run: `runtime.schedules` states its form."""
ACTIVITY_CALL = re.compile(r"workflow\.(execute|start)_(local_)?activity(_method|_class)?")
OPTION = re.compile(r"\w+_timeout|retry_policy|cancellation_type")


def parsed(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    for folder in folders:
        for file in sorted((ROOT / folder).rglob("*.py")):
            yield file.relative_to(ROOT).as_posix(), ast.parse(file.read_text(encoding="utf-8"))


def decorated(tree: ast.AST, name: str) -> Iterator[tuple[ast.ClassDef | ast.AsyncFunctionDef, ast.expr]]:
    """Classes and functions with the decorator `name`, and that decorator."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                called = decorator.func if isinstance(decorator, ast.Call) else decorator
                if ast.unparse(called) == name:
                    yield node, decorator  # type: ignore[misc]


# -- workflows --------------------------------------------------------------------------------------


def test_every_workflow_is_registered_once() -> None:
    written = {node.name for _, tree in parsed("workflows") for node, _ in decorated(tree, "workflow.defn")}
    assert written == {kind.__name__ for kind in WORKFLOWS}, "workflows/registry.py lists every workflow"
    names = [workflow._Definition.must_from_class(kind).name for kind in WORKFLOWS]
    assert len(set(names)) == len(WORKFLOWS), f"a name is taken twice: {names}"


def test_every_workflow_has_a_name_that_outlives_its_class() -> None:
    nameless = [
        f"{file}: {node.name}"
        for file, tree in parsed("workflows")
        for node, decorator in decorated(tree, "workflow.defn")
        if not (isinstance(decorator, ast.Call) and [k for k in decorator.keywords if k.arg == "name"])
    ]
    assert not nameless, f'write @workflow.defn(name="..."): {nameless}'


@pytest.mark.parametrize("kind", WORKFLOWS, ids=lambda kind: kind.__name__)
def test_every_workflow_says_who_owns_it_and_how_its_id_is_made(kind: type) -> None:
    text = " ".join((kind.__doc__ or "").split())
    assert [owner for owner in OWNERS if f"wned by {owner}" in text], (
        f"add 'owned by <one of {OWNERS}>': {text}"
    )
    if workflow._Definition.must_from_class(kind).name not in NAMED_BY_ITS_SCHEDULE:
        assert ID_FORM.search(text), f"add 'Workflow id `<process>/<firm>/<business key>`': {text}"


def test_handlers_have_names_that_outlive_their_methods() -> None:
    nameless = [
        f"{file}: {node.name}"
        for file, tree in parsed("workflows")
        for kind in ("workflow.signal", "workflow.update", "workflow.query")
        for node, decorator in decorated(tree, kind)
        if not (isinstance(decorator, ast.Call) and [k for k in decorator.keywords if k.arg == "name"])
    ]
    assert not nameless


# -- activities -------------------------------------------------------------------------------------


def registered(holder: type) -> list[str]:
    """Names that `serving.methods` finds on an object of `holder`."""
    found = serving.methods(object.__new__(holder))
    return [str(activity._Definition.must_from_callable(method).name) for method in found]


def test_every_activity_is_found_by_the_composition() -> None:
    written = activity_names(ROOT / "activities")
    decorators = [node for _, tree in parsed("activities") for node, _ in decorated(tree, "activity.defn")]
    assert len(decorators) == len(written), "each @activity.defn stands on a method and has name="
    found = [name for holder in HOLDERS for name in registered(holder)]
    assert sorted(found) == sorted(written.values())
    assert len(set(found)) == len(found), "a name is taken twice"


def test_every_class_of_activities_is_composed_into_a_worker() -> None:
    source = inspect.getsource(serving.own_activities)
    source += inspect.getsource(serving.vendor_activities)
    vendors = {kind for kinds in serving._ACTIVITIES.values() for kind in kinds}
    forgotten = [h.__name__ for h in HOLDERS if h not in vendors and f"methods({h.__name__}(" not in source]
    assert not forgotten, f"no worker registers {forgotten}: add them in serving.py"


@pytest.mark.parametrize("holder", HOLDERS, ids=lambda holder: holder.__name__)
def test_activity_names_are_dotted_and_say_their_role(holder: type) -> None:
    names = registered(holder)
    assert names
    assert [name for name in names if not re.fullmatch(r"[a-z]+\.[a-z_]+", name)] == []
    role = next((role for role, kinds in serving._ACTIVITIES.items() if holder in kinds), None)
    if role is not None:
        assert {name.split(".")[0] for name in names} == {role}, "a name is served on its system's queue"


@pytest.mark.parametrize("holder", HOLDERS, ids=lambda holder: holder.__name__)
def test_an_activity_takes_one_input(holder: type) -> None:
    wrong = [
        method.__name__
        for method in serving.methods(object.__new__(holder))
        if len(inspect.signature(method).parameters) != 1
    ]
    assert not wrong, "one model each: new fields get defaults, positions do not"


# -- calls ------------------------------------------------------------------------------------------


def profile_call(call: ast.Call, tree: ast.Module) -> ast.Call | None:
    """The call of a profile that `call` spreads: written there, kept in a name, or wrapped in a method."""
    spread = [keyword.value for keyword in call.keywords if keyword.arg is None]
    if len(spread) != 1 or len(call.keywords) != 1:
        return None
    value: ast.expr | None = spread[0]
    if isinstance(value, ast.Name):
        value = next((a.value for a in assignments(tree) if ast.unparse(a.targets[0]) == value.id), None)
    if not isinstance(value, ast.Call):
        return None
    called = ast.unparse(value.func)
    return value if called.startswith("options.") or called.removeprefix("self.") in wrappers(tree) else None


def assignments(tree: ast.Module) -> list[ast.Assign]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Assign)]


def wrappers(tree: ast.Module) -> set[str]:
    """Methods that do nothing but call a profile with the summary they are given."""
    return {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and isinstance(node.body[-1], ast.Return)
        and isinstance(node.body[-1].value, ast.Call)
        and ast.unparse(node.body[-1].value.func).startswith("options.")
        and "summary" in [ast.unparse(argument) for argument in node.body[-1].value.args]
    }


def says_something(call: ast.Call) -> bool:
    texts = [a for a in call.args if isinstance(a, ast.JoinedStr | ast.Constant | ast.Subscript)]
    return any(len(ast.unparse(text)) > len("f''") + 3 for text in texts)


def offending_calls(file: str, tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ACTIVITY_CALL.fullmatch(ast.unparse(node.func)):
            profile = profile_call(node, tree)
            where = f"{file}:{node.lineno} {ast.unparse(node.args[0])}"
            if profile is None:
                yield f"{where}: spread a profile, `**options.read(...)`, and nothing else"
            elif not says_something(profile):
                yield f"{where}: give it a summary in business words"
            if len(node.args) != 2:
                yield f"{where}: one input"


def test_every_activity_call_has_a_profile_and_a_summary() -> None:
    wrong = [text for file, tree in parsed("workflows") for text in offending_calls(file, tree)]
    assert not wrong, "\n".join(wrong)


def test_every_profile_demands_a_summary() -> None:
    for name, profile in inspect.getmembers(options, inspect.isfunction):
        if profile.__module__ == options.__name__ and not name.startswith("_"):
            assert inspect.signature(profile).parameters["summary"].default is inspect.Parameter.empty, name


def inline_options(file: str, tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword):
            name = node.arg
        elif isinstance(node, ast.Constant):
            name = str(node.value)
        else:
            continue
        if name and OPTION.fullmatch(name):
            yield f"{file}:{node.lineno} {name}"


def test_no_timeout_is_written_outside_the_profiles() -> None:
    wrong = [
        text
        for file, tree in parsed("workflows")
        if file != "workflows/shared/options.py"
        for text in inline_options(file, tree)
    ]
    assert not wrong, f"put it into a profile of workflows/shared/options.py: {wrong}"


BAD_CALLS = {
    "inline timeout": "workflow.execute_activity_method(C.m, x, start_to_close_timeout=t)",
    "beside a profile": "workflow.execute_activity_method(C.m, x, **options.own('Close it'), task_queue='q')",
    "no summary": "workflow.execute_activity_method(C.m, x, **options.read(route, timing, ''))",
    "two inputs": "workflow.execute_activity_method(C.m, args=[x, y], **options.own('Close it'))",
    "not a profile": "workflow.execute_local_activity_method(C.m, x, **somewhere('Close it'))",
}


@pytest.mark.parametrize("case", BAD_CALLS)
def test_an_offending_call_is_seen(case: str) -> None:
    assert list(offending_calls("x.py", ast.parse(BAD_CALLS[case])))


def test_inline_options_are_seen_as_keyword_and_as_key() -> None:
    source = "f(run_timeout=1)\nconfig['retry_policy'] = x\nwait(timeout=2, timeout_summary='x')"
    assert list(inline_options("x.py", ast.parse(source))) == ["x.py:1 run_timeout", "x.py:2 retry_policy"]
