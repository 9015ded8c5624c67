"""Settings of a Tryton: what is refused, and which account plays which role."""

from typing import Any

import pytest
from pydantic import ValidationError

from connectors.tryton.client import build
from connectors.tryton.settings import ACCOUNTS, LINE_ROLES, TrytonSettings


def settings(**changes: Any) -> TrytonSettings:
    given = {"base_url": "http://127.0.0.1:8600", "username": "fairlead", "password": "secret-password"}
    return TrytonSettings.model_validate(given | changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"database": "../x"}, "is not the name of a database"),
        ({"password": " "}, "give user and password"),
        ({"line_roles": {"time": "unbilled"}}, "line_roles names unbilled"),
        ({"in_flight": 0}, "in_flight"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_what_cannot_work_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        settings(**changes)


def test_the_password_is_not_shown() -> None:
    assert "secret-password" not in repr(settings())


def test_an_account_is_the_entitys_own_then_the_firms_then_the_default() -> None:
    given = settings(accounts={"*": {"revenue": "4001"}, "US01": {"revenue": "4099"}})
    assert given.account_code("US01", "revenue") == "4099"
    assert given.account_code("DE01", "revenue") == "4001"
    assert given.account_code("DE01", "retention") == ACCOUNTS["retention"]
    assert given.account_code("DE01", "nowhere") is None


def test_every_kind_of_line_has_an_account() -> None:
    assert {settings().account_code("DE01", settings().role_of(kind)) for kind in LINE_ROLES} <= set(
        ACCOUNTS.values()
    )
    assert settings(line_roles={"expense": "revenue"}).role_of("expense") == "revenue"


def test_companies_are_named_both_ways() -> None:
    given = settings(companies={"DE01": "GMBH"})
    assert (given.company_of("DE01"), given.entity_of("GMBH")) == ("GMBH", "DE01")
    assert (given.company_of("US01"), given.entity_of("US01")) == ("US01", "US01")


def test_an_address_that_cannot_be_called_is_refused() -> None:
    with pytest.raises(ValueError, match="base_url"):
        build("tryton", settings(base_url="ftp://host"))
