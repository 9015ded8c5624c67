"""A firm whose ERP is a Tryton of its own home."""

from pathlib import Path

import pytest

from connectors.tryton.settings import TrytonSettings
from firm.load import load
from firm.policies import snapshot
from local import firm_files, tryton_firm
from local.tryton_environment import VARIABLE, NoTryton


def test_the_example_firm_with_tryton_is_a_sound_firm(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("secret", encoding="ascii")
    sections = tryton_firm.sections("http://127.0.0.1:8600", password)
    firm = load(firm_files.copy_example(tmp_path, "http://127.0.0.1:8500", sections))
    assert snapshot(firm).route("erp").system == "tryton"
    settings = TrytonSettings.model_validate(firm.connector_settings("tryton", {}))
    assert (settings.base_url, settings.password) == ("http://127.0.0.1:8600", "secret")


def test_where_tryton_is_not_installed_nothing_starts_and_the_cure_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "none"))
    said: list[str] = []
    with pytest.raises(NoTryton, match=r"local\.tryton_server prepare"):
        tryton_firm.start(tmp_path / "home", said.append)
    assert not (tmp_path / "home").exists()
    assert said == []


def test_a_home_without_tryton_has_nothing_to_stop(tmp_path: Path) -> None:
    assert not tryton_firm.stop(tmp_path, 0)
