"""The example firm fits its connectors, the sandbox it talks to and the seed it was made from."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from connectors.coupa.settings import CoupaSettings
from connectors.kantata.settings import KantataSettings
from connectors.netsuite.settings import NetSuiteSettings
from connectors.salesforce.settings import SalesforceSettings
from connectors.workday.settings import WorkdaySettings
from firm.load import load
from firm.model import Firm
from firm.vendor_settings import connector_problems
from sandbox.seed.catalogue import ENTITIES
from sandbox.settings import SandboxSettings

ROOT = Path(__file__).parents[3]
MODELS: dict[str, type[BaseModel]] = {
    "salesforce": SalesforceSettings,
    "kantata": KantataSettings,
    "netsuite": NetSuiteSettings,
    "coupa": CoupaSettings,
    "workday": WorkdaySettings,
}


@pytest.fixture(scope="module")
def firm() -> Firm:
    return load(ROOT / "examples" / "firm")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "key.pem").write_text("a key", encoding="utf-8")
    return {
        "FAIRLEAD_SALESFORCE_CLIENT_SECRET": "canary-salesforce",
        "FAIRLEAD_KANTATA_TOKEN": "canary-kantata",
        "FAIRLEAD_COUPA_CLIENT_SECRET": "canary-coupa",
        "FAIRLEAD_WORKDAY_CLIENT_SECRET": "canary-workday",
        "FAIRLEAD_WORKDAY_REFRESH_TOKEN": "canary-refresh",
        "FAIRLEAD_NETSUITE_PRIVATE_KEY": str(tmp_path / "key.pem"),
        "FAIRLEAD_WEBHOOK_SECRET": "canary-webhook",
    }


@pytest.mark.parametrize("system", MODELS)
def test_each_connector_accepts_its_section(firm: Firm, environ: dict[str, str], system: str) -> None:
    settings: Any = MODELS[system].model_validate(firm.connector_settings(system, environ))
    assert settings.base_url.startswith("http://127.0.0.1:8500/")
    assert "canary" not in repr(settings)


def test_identities_are_those_of_the_sandbox_tenant(firm: Firm, tmp_path: Path) -> None:
    tenant = SandboxSettings(home=tmp_path)
    netsuite = firm.systems["netsuite"]
    assert netsuite.settings["account"] == tenant.netsuite_account
    assert netsuite.auth["certificate_id"] == tenant.netsuite_certificate_id
    assert netsuite.concurrency_limit == tenant.netsuite_concurrency
    assert firm.systems["salesforce"].auth["client_id"] == tenant.salesforce_client_id
    assert firm.systems["coupa"].auth["client_id"] == tenant.coupa_client_id
    assert firm.systems["coupa"].requests_per_second == tenant.coupa_calls_per_second
    workday = firm.systems["workday"]
    assert workday.auth["client_id"] == tenant.workday_client_id
    assert workday.settings["tenant"] == tenant.workday_tenant
    assert workday.settings["token_url"].endswith(f"/ccx/oauth2/{tenant.workday_tenant}/token")


def test_entities_and_rate_cards_are_those_of_the_seed(firm: Firm) -> None:
    ours = [(entity.code, entity.name, entity.currency, entity.time_zone) for entity in firm.entities]
    assert ours == [(entity.code, entity.name, entity.currency, entity.time_zone) for entity in ENTITIES]
    seed = ROOT / "sandbox" / "seed" / "data" / "rate-cards.csv"
    assert (firm.folder / "rate-cards" / "2026.csv").read_bytes() == seed.read_bytes()


def test_what_a_connector_refuses_is_told_by_the_keys_of_the_file(
    firm: Firm, environ: dict[str, str]
) -> None:
    given = firm.connector_settings("salesforce", environ)
    wrong = {**given, "client_secret": ["canary"], "auth": "magic", "in_flight": -1, "api_versoin": "v1"}
    with pytest.raises(ValidationError) as caught:
        SalesforceSettings.model_validate(wrong)
    problems = {p.key: p for p in connector_problems(firm, "salesforce", caught.value, SalesforceSettings)}
    assert set(problems) == {
        "systems.salesforce.auth.client_secret",
        "systems.salesforce.auth.method",
        "systems.salesforce.max_in_flight",
        "systems.salesforce.settings.api_versoin",
    }
    assert "did you mean api_version?" in problems["systems.salesforce.settings.api_versoin"].cure
    text = firm.file.read_text(encoding="utf-8").splitlines()
    line = problems["systems.salesforce.auth.method"].line
    assert line is not None
    assert text[line - 1].startswith("method = ")
    assert not any("canary" in str(problem) for problem in problems.values())
