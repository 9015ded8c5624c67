"""What a firm's file may say about NetSuite."""

from typing import Any

import pytest
from pydantic import ValidationError

from connectors.netsuite.settings import NetSuiteSettings


def settings(**changes: Any) -> NetSuiteSettings:
    given = {"account": "1234567_SB1", "client_id": "c", "certificate_id": "k", "private_key": "pem-secret"}
    return NetSuiteSettings.model_validate({**given, **changes})


def test_the_host_is_made_from_the_account() -> None:
    assert settings().address == "https://1234567-sb1.suitetalk.api.netsuite.com"
    assert settings().token_audience == f"{settings().address}/services/rest/auth/oauth2/v1/token"
    moved = settings(base_url="http://127.0.0.1:8500/netsuite/")
    assert moved.address == "http://127.0.0.1:8500/netsuite"
    assert moved.token_audience.startswith("http://127.0.0.1:8500/netsuite/services/")


def test_subsidiaries_by_pattern_and_by_name() -> None:
    given = settings(subsidiaries={"IN01": "legacy-india"}, subsidiary_external_id="entity/{code}")
    assert (given.subsidiary_of("DE01"), given.subsidiary_of("IN01")) == ("entity/DE01", "legacy-india")


def test_the_entity_is_known_by_its_subsidiary() -> None:
    given = settings(subsidiaries={"IN01": "legacy-india"})
    assert given.entity_of("legacy-india") == "IN01"
    assert given.entity_of("sub-DE01") == "DE01"
    assert given.entity_of("other") == "other"
    assert given.entity_of("sub-") == "sub-"


def test_accounts_of_an_entity_come_before_those_of_all() -> None:
    given = settings(accounts={"*": {"revenue": "4000", "bank": "1010"}, "DE01": {"bank": "1020"}})
    assert given.account_number("DE01", "bank") == "1020"
    assert given.account_number("DE01", "revenue") == "4000"
    assert given.account_number("US01", "bank") == "1010"
    assert given.account_number("US01", "unheard_of") == ""


def test_the_private_keys_are_not_shown() -> None:
    apart = {"post_client_id": "p", "post_certificate_id": "q", "post_private_key": "second-pem-secret"}
    assert "pem-secret" not in repr(settings(**apart))
    assert settings(**apart).posts_apart
    assert not settings().posts_apart


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"algorithm": "RS256"}, "not RS256"),
        ({"account": "evil.example/"}, "not an account id"),
        ({"tax_column": "x FROM employee --"}, "not a field name"),
        ({"customer_crm_field": ""}, "not a field name"),
        ({"billing_types": {"fixed": "Fixed"}}, "billing_types lacks mixed, time_and_materials"),
        ({"schedule_types": {"milestone": "M"}}, "schedule_types lacks recurring"),
        ({"items": {"time": "Time"}}, "items lacks adjustment, advance"),
        ({"items": {"gift": "Gift"}}, "items"),
        ({"line_ref_field": "a b"}, "not a field name"),
        ({"invoice_project_column": "job = 1 --"}, "not a field name"),
        ({"post_client_id": "p"}, "go together"),
        ({"in_flight": 0}, "greater than or equal to 1"),
        ({"page_size": 1001}, "less than or equal to 1000"),
        ({"internal_subsidiary_id": 3}, "Extra inputs"),
    ],
)
def test_what_cannot_work_is_refused_with_the_reason(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        settings(**changes)
