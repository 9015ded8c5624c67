"""`fairlead demo`: what it refuses before anything is started."""

from pathlib import Path

import pytest

from cli.exit_codes import ExitCode
from local.tryton_environment import VARIABLE
from tests.unit.cli.cli_runs import LocalFirm, words


def test_an_unknown_erp_is_a_usage_error(bare_home: LocalFirm) -> None:
    result = bare_home.fairlead("demo", "--erp", "ledger")
    assert result.exit_code == ExitCode.USAGE
    assert "netsuite, tryton" in words(result.stderr)


def test_without_tryton_the_cure_is_named(
    bare_home: LocalFirm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "none"))
    result = bare_home.fairlead("demo", "--erp", "tryton")
    assert result.exit_code == ExitCode.UNREACHABLE
    assert "make tryton" in words(result.stderr)
