"""The sandbox tenant's credentials: made once, for this user only, the same on both sides."""

import base64
import stat
from pathlib import Path

import jwt
import pytest

from local import secrets_setup


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    assert secrets_setup.create(home)
    return home


def test_files_are_readable_by_this_user_only(home: Path) -> None:
    folder = home / "secrets"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = [path for path in folder.iterdir() if path.name != ".lock"]
    pairs = {f"{name}{end}" for name in secrets_setup._KEYS for end in (".pem", ".public.pem")}
    assert {path.name for path in files} == {*secrets_setup._TEXTS, *pairs}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_second_call_changes_nothing(home: Path) -> None:
    before = secrets_setup.firm_variables(home, {})
    assert secrets_setup.create(home) is False
    assert secrets_setup.firm_variables(home, {}) == before


def test_lost_file_is_made_again_and_others_stay(tmp_path: Path) -> None:
    secrets_setup.create(tmp_path)
    before = secrets_setup.firm_variables(tmp_path, {})
    (tmp_path / "secrets" / "kantata-token").unlink()
    assert secrets_setup.create(tmp_path)
    after = secrets_setup.firm_variables(tmp_path, {})
    assert {name for name in after if after[name] != before[name]} == {"FAIRLEAD_KANTATA_TOKEN"}


def test_both_sides_hold_the_same(home: Path) -> None:
    firm, sandbox = secrets_setup.firm_variables(home, {}), secrets_setup.sandbox_variables(home, {})
    assert sandbox["SANDBOX_SALESFORCE_SECRET"] == firm["FAIRLEAD_SALESFORCE_CLIENT_SECRET"]
    assert sandbox["SANDBOX_KANTATA_TOKEN"] == firm["FAIRLEAD_KANTATA_TOKEN"]
    for private, public, algorithm in (
        ("FAIRLEAD_NETSUITE_PRIVATE_KEY", "SANDBOX_NETSUITE_PUBLIC_KEY", "PS256"),
        ("FAIRLEAD_SALESFORCE_PRIVATE_KEY", "SANDBOX_SALESFORCE_JWT_PUBLIC_KEY", "RS256"),
    ):
        signed = jwt.encode({"iss": "x"}, Path(firm[private]).read_text(), algorithm=algorithm)
        assert jwt.decode(signed, Path(sandbox[public]).read_text(), algorithms=[algorithm]) == {"iss": "x"}


def test_webhook_secret_has_the_standard_form(home: Path) -> None:
    secret = secrets_setup.firm_variables(home, {})["FAIRLEAD_WEBHOOK_SECRET"]
    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32


def test_what_the_user_has_set_wins_on_both_sides(home: Path) -> None:
    own = {"FAIRLEAD_KANTATA_TOKEN": "mine", "FAIRLEAD_WEBHOOK_SECRET": ""}
    firm = secrets_setup.firm_variables(home, own)
    assert firm["FAIRLEAD_KANTATA_TOKEN"] == "mine"
    assert firm["FAIRLEAD_WEBHOOK_SECRET"].startswith("whsec_")
    assert secrets_setup.sandbox_variables(home, own)["SANDBOX_KANTATA_TOKEN"] == "mine"


def test_adopt_fills_gaps_of_the_environment_only(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in secrets_setup.firm_variables(home, {}):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("FAIRLEAD_KANTATA_TOKEN", "mine")
    secrets_setup.adopt(home)
    import os

    assert os.environ["FAIRLEAD_KANTATA_TOKEN"] == "mine"
    assert os.environ["FAIRLEAD_WEBHOOK_SECRET"].startswith("whsec_")


def test_home_without_credentials_gives_none(tmp_path: Path) -> None:
    assert secrets_setup.firm_variables(tmp_path, {"FAIRLEAD_KANTATA_TOKEN": "mine"}) == {}
    assert secrets_setup.sandbox_variables(tmp_path, {}) == {}
