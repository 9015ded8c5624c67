"""Parametrises the inherited tests from what each connector's class supplies."""

import pytest

pytest.register_assert_rewrite("tests.contract.connector_contract", "tests.contract.bench")

SUPPLIED = {"plan": "plans", "refusal": "refusals"}
"""Test argument -> attribute of the class that lists its values (each with a `name`)."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for argument, attribute in SUPPLIED.items():
        if argument in metafunc.fixturenames and metafunc.cls is not None:
            values = getattr(metafunc.cls, attribute)
            metafunc.parametrize(argument, values, ids=[value.name for value in values])
