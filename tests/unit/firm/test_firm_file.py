"""A good firm's file loads; every mistake is named with its file, key, line and cure, all at once."""

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.readiness import Gate, OwnerGroup
from firm.load import load
from firm.policies import snapshot
from firm.problems import FirmFileError, Problem, problems_from

EXAMPLE = Path(__file__).parents[3] / "examples" / "firm"
MAIN, DEFAULT, CARDS = "fairlead.toml", "regions/default.toml", "rate-cards/2026.csv"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(EXAMPLE, tmp_path / "firm")
    return tmp_path / "firm"


def change(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text, f"the example no longer holds {old!r}"
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")


def mistakes(folder: Path) -> tuple[Problem, ...]:
    with pytest.raises(FirmFileError) as caught:
        load(folder)
    return caught.value.problems


def test_the_example_loads() -> None:
    firm = load(EXAMPLE)
    assert firm.id == "fairlead-demo"
    assert [entity.code for entity in firm.entities] == ["US01", "DE01", "IN01"]
    assert set(firm.cards) == {"RC-US-2026", "RC-DE-2026", "RC-IN-2026"}
    assert firm.card("RC-DE-2026") is firm.cards["RC-DE-2026"]
    assert firm.card("RC-XX") is None
    assert firm.systems["netsuite"].commit_limit == timedelta(seconds=2)
    assert firm.task_queue("kantata") == "fairlead.kantata"
    assert load(EXAMPLE / MAIN).hash == firm.hash
    assert firm.store_url({}) is None


def test_the_snapshot_says_what_the_file_says() -> None:
    firm = load(EXAMPLE)
    policy = snapshot(firm)
    assert policy.file_hash == firm.hash
    assert policy.route("erp", "DE01").task_queue == "fairlead.netsuite"
    assert policy.route("hr").task_queue == "fairlead.workday"
    assert policy.entity("DE01") is not None
    assert policy.person(OwnerGroup.FINANCE_SYSTEMS).escalates_to == "controller@fairlead.example"
    assert {profile.region for profile in policy.profiles} == {"default", "US", "DE", "IN"}
    assert policy.timing.heartbeat_timeout == 5.0
    assert policy.templates["DE"] == "Standard DE"
    assert policy.profile("FR").region == "default"
    assert type(policy).model_validate_json(policy.model_dump_json()) == policy


def test_regions_differ_where_they_say_and_nowhere_else() -> None:
    policy = snapshot(load(EXAMPLE))
    default = policy.profile("default").rule_for(Gate.CUSTOMER_DATA)
    german = policy.profile("DE").rule_for(Gate.CUSTOMER_DATA)
    assert german.options == {"tax_id": "required"}
    assert german.model_copy(update={"options": {}}) == default
    assert policy.profile("IN").rule_for(Gate.TAX_RULES).skip_role is None
    assert policy.profile("IN").rule_for(Gate.TAX_RULES).options["withholding"] == "tds"
    phases = [rule.phase for rule in policy.profile("US").rules if rule.gate is Gate.BILLING_STRUCTURE]
    assert phases == ["before_creation", "before_opening"]


def test_the_hash_follows_every_file(folder: Path) -> None:
    hashes = {load(folder).hash}
    for file, old, new in (
        (MAIN, "exception_hours = 24", "exception_hours = 25"),
        ("regions/DE.toml", "96", "97"),
        (CARDS, "178.01", "178.02"),
    ):
        change(folder, file, old, new)
        hashes.add(load(folder).hash)
    assert len(hashes) == 4


def test_an_entity_may_have_systems_of_its_own(folder: Path) -> None:
    change(
        folder,
        MAIN,
        "[roles]\n",
        """[systems.books]
vendor = "netsuite"
base_url = "https://example.suitetalk.api.netsuite.com"
task_queue = "fairlead.books-in"
commit_limit = 900
concurrency_limit = 10
max_in_flight = 5

[roles]
""",
    )
    change(folder, MAIN, 'time_zone = "Asia/Kolkata"', 'time_zone = "Asia/Kolkata"\nerp = "books"')
    policy = snapshot(load(folder))
    assert policy.route("erp", "IN01").task_queue == "fairlead.books-in"
    assert policy.route("erp", "US01").system == "netsuite"
    assert policy.route("crm", "IN01").system == "salesforce"


MISTAKES: list[tuple[str, str, str, str, str, str]] = [
    # file, what stands there, what is written instead, key, what the message says, what cures it
    (MAIN, 'id = "fairlead-demo"', 'id = "Fair Lead"', "firm.id", "pattern", "correct"),
    (MAIN, 'id = "fairlead-demo"', "", "firm.id", "missing", "add id"),
    (MAIN, "environment =", "enviroment =", "firm.enviroment", "not a key", "did you mean environment?"),
    (MAIN, "[limits]", "[limts]", "limts", "not a section", "did you mean limits?"),
    (MAIN, 'currency = "EUR"', 'currency = "EURO"', "entities[1].currency", "EURO", "ISO 4217"),
    (MAIN, 'currency = "EUR"', "currency = 5", "entities[1].currency", "string", "correct"),
    (MAIN, 'country = "DE"', 'country = "Germany"', "entities[1].country", "Germany", "ISO 3166-1"),
    (MAIN, 'code = "DE01"', 'code = "US01"', "entities[1].code", "entities[0]", "own"),
    (MAIN, '["EUR", "USD"]', '["USD"]', "entities[1].currencies", "leave out EUR", "add EUR"),
    (MAIN, 'region = "DE"', 'region = "FR"', "entities[1].region", "no profile", "regions/FR.toml"),
    (MAIN, "Europe/Berlin", "Europe/Bonn", "entities[1].time_zone", "Europe/Bonn", "Europe/Berlin"),
    (MAIN, 'vendor = "kantata"', 'vendor = "sap"', "systems.kantata.vendor", "sap", "netsuite"),
    (
        MAIN,
        "http://127.0.0.1:8500/salesforce",
        "http://acme.example",
        "systems.salesforce.base_url",
        "not encrypted",
        "https",
    ),
    (
        MAIN,
        "http://127.0.0.1:8500/salesforce",
        "https://u:p@a.example",
        "systems.salesforce.base_url",
        "credentials",
        "auth",
    ),
    (MAIN, "http://127.0.0.1:8500/salesforce", "acme", "systems.salesforce.base_url", "web address", "https"),
    (
        MAIN,
        'commit_limit = "2s"',
        'commit_limit = "soon"',
        "systems.salesforce.commit_limit",
        "duration",
        '"15m"',
    ),
    (
        MAIN,
        'commit_limit = "2s"',
        "commit_limit = 0",
        "systems.salesforce.commit_limit",
        "above zero",
        '"15m"',
    ),
    (MAIN, "max_in_flight = 4", "max_in_flight = 5", "systems.netsuite.max_in_flight", "not below", "room"),
    (MAIN, "concurrency_limit = 5", "", "systems.netsuite.concurrency_limit", "missing", "Governance"),
    (MAIN, "max_in_flight = 4", "", "systems.netsuite.max_in_flight", "missing", "below"),
    (
        MAIN,
        "max_in_flight = 8",
        'task_queue = "fairlead.salesforce"',
        "systems.kantata.task_queue",
        "salesforce",
        "own",
    ),
    (MAIN, "max_in_flight = 8", 'task_queue = "fairlead"', "systems.kantata.task_queue", "own queue", "own"),
    (
        MAIN,
        "max_in_flight = 8",
        "requests_per_second = 0",
        "systems.kantata.requests_per_second",
        "greater",
        "correct",
    ),
    (MAIN, 'crm = "salesforce"', 'crm = "salesfroce"', "roles.crm", "not there", "did you mean salesforce?"),
    (MAIN, 'psa = "kantata"', 'psa = "netsuite"', "roles.psa", "cannot be the psa", "erp"),
    (MAIN, 'psa = "kantata"\n', "", "roles.psa", "missing", "add psa"),
    (
        MAIN,
        'erp = "netsuite"',
        'erp = "netsuite"\n[roles.entities.DE09]\nerp = "netsuite"',
        "roles.entities.DE09",
        "not the code",
        "DE01",
    ),
    (
        MAIN,
        "[owners.finance_systems]",
        "[owners.finance]",
        "owners.finance",
        "not allowed",
        "finance_systems",
    ),
    (
        MAIN,
        '[owners.platform_engineering]\nname = "Noor Haddad"\n'
        'email = "noor.haddad@fairlead.example"\nescalates_to = "cio@fairlead.example"',
        "",
        "owners.platform_engineering",
        "nobody",
        "[owners.platform_engineering]",
    ),
    (
        MAIN,
        'escalates_to = "controller@fairlead.example"',
        'escalates_to = "tomas.lindqvist@fairlead.example"',
        "owners.finance_systems.escalates_to",
        "again",
        "another person",
    ),
    (
        MAIN,
        'email = "staffing@fairlead.example"',
        'email = "staffing"',
        "owners.delivery_operations.email",
        "mail address",
        "anna@",
    ),
    (MAIN, '["auditor"]', '["auditer"]', 'people."audit@fairlead.example".roles[0]', "auditer", "auditor"),
    (MAIN, '["approver", "tax_lead"]', '["approver"]', "people", "tax_lead", "skip_role"),
    (MAIN, 'EUR = "100000"', 'EUR = "a lot"', "limits.approval.EUR", "a lot", "correct"),
    (MAIN, "exception_hours = 24", "exception_hours = 0", "sla.exception_hours", "greater", "correct"),
    (
        MAIN,
        "heartbeat_timeout = 5.0",
        "heartbeat_timeout = 200",
        "timing.heartbeat_timeout",
        "not below",
        "heartbeat",
    ),
    (
        MAIN,
        '"won_and_signature_date"',
        '"whenever"',
        "activation.signed_when",
        "whenever",
        "won_and_signature_date",
    ),
    (
        MAIN,
        '"erp.customer"]',
        '"erp.supplier"]',
        "activation.second_person_fields",
        "erp.supplier",
        "erp.customer",
    ),
    (MAIN, 'poll_overlap = "5m"', 'poll_overlap = "5s"', "activation.poll_overlap", "shorter", "at least"),
    (MAIN, 'IN = "Standard IN"', 'INDIA = "Standard IN"', "activation.templates.INDIA", "not a region", "IN"),
    (MAIN, '"standard-webhooks"', '"basic"', "webhooks.salesforce.scheme", "basic", "standard-webhooks"),
    (
        MAIN,
        '"standard-webhooks"',
        '"salesforce-outbound-message"',
        "webhooks.salesforce.org_id",
        "15 or 18",
        "Company",
    ),
    (
        MAIN,
        '= "deal.changed"',
        '= "deal.chaged"',
        'webhooks.salesforce.events."deal.changed"',
        "catalogue",
        "did you mean deal.changed?",
    ),
    (
        MAIN,
        "[rate_cards]",
        '[store]\nurl = "postgresql://u:pw@db/x"\n[rate_cards]',
        "store.url",
        "password",
        "env:NAME",
    ),
    (
        MAIN,
        "[rate_cards]",
        '[store]\nurl = "postgresql://u@db/x?password=pw"\n[rate_cards]',
        "store.url",
        "password",
        "env:NAME",
    ),
    (
        MAIN,
        "[rate_cards]",
        '[store]\nurl = "store.db"\n[rate_cards]',
        "store.url",
        "database address",
        "sqlite",
    ),
    (
        MAIN,
        '["rate-cards/2026.csv"]',
        '["rate-cards/2025.csv"]',
        "rate_cards.files",
        "cannot be read",
        "list",
    ),
    (MAIN, "[sla]", "[sla", "file", "not TOML", "correct"),
    (
        DEFAULT,
        "[gates.rate_card]",
        "[gates.rate_cards]",
        "gates.rate_cards",
        "not a gate",
        "did you mean rate_card?",
    ),
    (DEFAULT, 'owner = "delivery_operations"', "", "gates.rate_card.owner", "missing", "add owner"),
    (
        DEFAULT,
        '["before_opening"]',
        '["before_creation"]',
        "gates.staffing.phases",
        "project is there",
        "before_opening",
    ),
    (
        DEFAULT,
        '["before_creation", "before_opening"]',
        '["before_opening"]',
        "gates.customer_data.phases",
        "whether a project",
        "before_creation",
    ),
    (
        DEFAULT,
        '["before_creation", "before_opening"]',
        "[]",
        "gates.customer_data.phases",
        "at least 1",
        "correct",
    ),
    (
        DEFAULT,
        '"before_creation", "before_opening"',
        '"before_creation", "before_creation"',
        "gates.customer_data.phases",
        "twice",
        "once",
    ),
    (DEFAULT, "sla_hours = 72", "sla_hours = -1", "gates.staffing.sla_hours", "greater", "correct"),
    (
        DEFAULT,
        '"credit_manager"',
        '"credit manager"',
        "gates.customer_data.skip_role",
        "credit manager",
        "credit_manager",
    ),
    (DEFAULT, "[gates.rate_card]", "[profiles]\n[gates.rate_card]", "profiles", "not a key", "gates"),
    (
        "regions/DE.toml",
        'tax_id = "required"',
        'taxid = "required"',
        "gates.customer_data.options.taxid",
        "not an option",
        "did you mean tax_id?",
    ),
    (
        "regions/DE.toml",
        'tax_id = "required"',
        'tax_id = "always"',
        "gates.customer_data.options.tax_id",
        "always",
        "optional, required",
    ),
    (
        "regions/DE.toml",
        '{ tax_id = "required" }',
        '"strict"',
        "gates.customer_data.options",
        "dictionary",
        "correct",
    ),
    ("regions/IN.toml", "[gates.tax_rules]", "[gates", "file", "not TOML", "correct"),
    (CARDS, "card,currency", "card,curency", "curency", "not a column", "did you mean currency?"),
    (CARDS, "178.01", "lots", "price", "lots", "125.44"),
    (CARDS, "178.01,151.31", "178.01,180", "floor_price", "above the price", "floor"),
    (CARDS, "178.01", "0", "price", "above zero", "correct"),
    (CARDS, "2026-01-01", "1.1.2026", "valid_from", "not a date", "YYYY-MM-DD"),
    (CARDS, "2026-01-01", "2037-01-01", "valid_to", "before valid_from", "dates"),
    (CARDS, "USD", "DOL", "currency", "not a currency", "EUR"),
    (CARDS, "Senior,Hour", "Senior,Day", "unit", "Day", "per hour"),
    (CARDS, "Program Manager,Senior", ",Senior", "role", "empty", "fill"),
    (CARDS, ",99.69", "", "row", "cells", "commas"),
    (CARDS, "Project Manager,Consultant", "Project Manager,Senior", "role", "priced in", "take one"),
    (CARDS, "RC-US-2026,USD,2026-01-01", "RC-US-2026,EUR,2026-01-01", "card", "another currency", "same"),
]


@pytest.mark.parametrize(
    ("file", "old", "new", "key", "says", "cure"),
    MISTAKES,
    ids=[f"{row[3]}-{n}" for n, row in enumerate(MISTAKES)],
)
def test_a_mistake_is_named(
    folder: Path, file: str, old: str, new: str, key: str, says: str, cure: str
) -> None:
    change(folder, file, old, new)
    found = mistakes(folder)
    problem = next((p for p in found if p.key == key and says in p.what), None)
    assert problem is not None, "\n".join(map(str, found))
    assert cure in problem.cure
    assert problem.file == file or key == "rate_cards.files"
    assert "Error" not in str(problem)
    assert f"{problem.file}" in str(problem)


def test_mistakes_are_shown_with_their_line(folder: Path) -> None:
    change(folder, MAIN, 'currency = "EUR"', 'currency = "EURO"')
    change(folder, MAIN, "Europe/Berlin", "Europe/Bonn")
    change(folder, MAIN, '["auditor"]', '["auditer"]')
    change(folder, "regions/DE.toml", 'tax_id = "required"', 'tax_id = "always"')
    change(folder, CARDS, "130.01", "lots")
    found = mistakes(folder)
    for problem in found:
        text = (folder / problem.file).read_text(encoding="utf-8").splitlines()
        assert problem.line is not None
        assert any(word in text[problem.line - 1] for word in ("EURO", "Bonn", "auditer", "always", "lots"))
    assert len(found) == 5


def test_many_mistakes_come_at_once_and_are_counted(folder: Path) -> None:
    change(folder, MAIN, "[limits]", "[limts]")
    change(folder, MAIN, 'currency = "EUR"', 'currency = "EURO"')
    change(folder, MAIN, 'psa = "kantata"', 'psa = "netsuite"')
    change(folder, DEFAULT, "sla_hours = 72", "sla_hours = -1")
    change(folder, CARDS, "178.01", "lots")
    with pytest.raises(FirmFileError, match="the firm's file has 5 mistakes") as caught:
        load(folder)
    assert {problem.file for problem in caught.value.problems} == {MAIN, DEFAULT, CARDS}


def test_missing_files(folder: Path, tmp_path: Path) -> None:
    (folder / DEFAULT).unlink()
    (problem,) = mistakes(folder)
    assert problem.file == DEFAULT
    assert "six gates" in problem.cure
    (problem,) = mistakes(tmp_path / "nowhere.toml")
    assert "is missing" in problem.what
    assert "examples/firm" in problem.cure


def test_a_profile_lacks_a_gate(folder: Path) -> None:
    text = (folder / DEFAULT).read_text(encoding="utf-8")
    (folder / DEFAULT).write_text(text[: text.index("[gates.billing_structure]")], encoding="utf-8")
    assert [(p.file, p.key) for p in mistakes(folder)] == [(DEFAULT, "gates.billing_structure")]


def test_files_that_are_not_text(folder: Path) -> None:
    for file in ("regions/DE.toml", CARDS):
        (folder / file).write_bytes(b"\xff\xfe\x00")
    assert {(p.file, "UTF-8" in p.what) for p in mistakes(folder)} == {
        ("regions/DE.toml", True),
        (CARDS, True),
    }
    (folder / MAIN).write_bytes(b"\xff")
    assert "UTF-8" in mistakes(folder)[0].what


class _Connector(BaseModel):
    """Settings of a connector, as the composition root validates them."""

    model_config = ConfigDict(extra="forbid")

    base_url: str
    api_version: str = Field(default="v66.0", pattern=r"^v\d+\.0$")
    client_secret: str = ""


def test_mistakes_in_vendor_settings_are_told_in_the_same_words() -> None:
    given: dict[str, Any] = {"api_vers": "v1", "api_version": "66", "client_secret": ["hunter2"]}
    with pytest.raises(ValidationError) as caught:
        _Connector.model_validate(given)
    problems = problems_from(caught.value, MAIN, ("systems", "salesforce"), model=_Connector)
    text = str(FirmFileError(problems))
    assert "systems.salesforce.base_url is missing; add base_url" in text
    assert "systems.salesforce.api_vers is not a key of this section; did you mean api_version?" in text
    assert "systems.salesforce.api_version = '66'" in text
    assert "hunter2" not in text
