"""Tryton's environment: what is installed in it, and what is said when it is missing."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from domain.money import minor_units
from local.tryton_chart import BANK, CHART, CURRENCIES, KINDS, PAYABLE, RECEIVABLE, TAX
from local.tryton_environment import (
    REQUIREMENTS,
    VARIABLE,
    Environment,
    NoTryton,
    environment,
    place,
    prepare,
)
from local.tryton_server import main

ROOT = Path(__file__).resolve().parents[3]


def pins() -> dict[str, str]:
    lines = REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    given = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", line) for line in given)
    return {canonicalize_name(line.split("==")[0]): line.split("==")[1] for line in given}


def test_the_list_pins_one_series_and_names_no_host() -> None:
    series = {version.rsplit(".", 1)[0] for name, version in pins().items() if name.startswith("trytond")}
    assert series == {"8.0"}


def test_the_list_covers_the_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for requirement in map(Requirement, project["optional-dependencies"]["tryton"]):
        assert requirement.specifier.contains(pins()[canonicalize_name(requirement.name)])


def test_nothing_of_tryton_is_imported_or_installed_with_us() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "trytond" not in lock
    for folder in ("connectors", "local", "tests"):
        for file in (ROOT / folder).rglob("*.py"):
            assert not re.search(r"^\s*(import|from) (trytond|proteus)\b", file.read_text("utf-8"), re.M), (
                file
            )


def test_a_missing_environment_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoTryton, match=r"local\.tryton_server prepare.*GPL"):
        environment(tmp_path, {})
    assert place(tmp_path, {}) == tmp_path / "tryton" / "env"
    assert place(tmp_path, {VARIABLE: "/opt/tryton"}) == Path("/opt/tryton")


def test_the_command_fails_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FAIRLEAD_HOME", str(tmp_path))
    monkeypatch.delenv(VARIABLE, raising=False)
    assert main(["start"]) == 1
    assert "there is no Tryton in" in capsys.readouterr().err


def test_what_pip_says_is_passed_on(tmp_path: Path) -> None:
    """An environment whose python is no python: nothing is downloaded."""
    made = Environment(tmp_path / "tryton" / "env")
    made.python.parent.mkdir(parents=True)
    made.python.write_text("#!/bin/sh\necho 'no such package' >&2\nexit 3\n", encoding="ascii")
    made.python.chmod(0o755)
    with pytest.raises(NoTryton, match=r"cannot install Tryton: .* ended with 3: no such package"):
        prepare(tmp_path, {}, say=lambda text: None)


def test_the_chart_names_each_account_once_and_of_a_known_kind() -> None:
    codes = [account.code for account in CHART]
    assert len(codes) == len(set(codes))
    assert {RECEIVABLE, PAYABLE, TAX, BANK} <= set(codes)
    assert {account.kind for account in CHART} <= set(KINDS)
    assert all(minor_units(code) >= 0 for code in CURRENCIES)
