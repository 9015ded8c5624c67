"""The one table of rights."""

import pytest

from domain.access import ALLOWED, OPEN, RIGHTS, Caller, Function, may, needed


def test_every_function_stands_in_the_table_with_rights_there_are() -> None:
    assert set(ALLOWED) == set(Function)
    assert all(rights and set(rights) <= set(RIGHTS) for rights in ALLOWED.values())


@pytest.mark.parametrize("function", Function)
def test_an_admin_may_everything_and_nobody_without_a_right_anything(function: Function) -> None:
    assert may(["admin"], function)
    assert not Caller(person="x@y.z").may(function)
    assert not may(["controller", "root", ""], function)
    assert OPEN.may(function)


def test_who_only_looks_changes_nothing() -> None:
    changing = {Function.START_PROJECTS, Function.DECIDE, Function.SECOND, Function.MANAGE_TOKENS}
    for function in changing:
        assert not may(["viewer", "auditor"], function)
    assert not may(["operator"], Function.SECOND), "who prepares does not agree as well"


def test_a_refusal_names_the_roles() -> None:
    assert needed(Function.MANAGE_TOKENS) == "admin"
    assert needed(Function.DECIDE) == "operator, approver or admin"


def test_an_open_firms_caller_is_named_after_the_door() -> None:
    assert (OPEN.actor, Caller(person="a@b.c").actor) == ("api", "a@b.c")
