"""A local firm for the command line's tests."""

import os
import shutil
from pathlib import Path

import pytest

from local import firm_files, secrets_setup
from tests.unit.cli.cli_runs import LocalFirm

CLOSED_PORT = 1
"""Nobody listens there."""


@pytest.fixture
def bare_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalFirm:
    """The example firm, of which nothing was ever started."""
    for name in list(os.environ):
        if name.startswith(("FAIRLEAD_", "TEMPORAL_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("FAIRLEAD_HOME", str(tmp_path))
    for name in ("TEMPORAL", "UI", "GATEWAY", "SANDBOX"):
        monkeypatch.setenv(f"FAIRLEAD_{name}_PORT", str(CLOSED_PORT))
    firm_files.copy_example(tmp_path, f"http://127.0.0.1:{CLOSED_PORT}")
    return LocalFirm(tmp_path)


@pytest.fixture
def firm(bare_home: LocalFirm, store_template: Path, monkeypatch: pytest.MonkeyPatch) -> LocalFirm:
    """The example firm with credentials and an empty store."""
    shutil.copyfile(store_template, bare_home.home / "fairlead.db")
    secrets_setup.create(bare_home.home)
    # The command adopts these into its own environment; set here, they are taken back after the test.
    for name, value in secrets_setup.firm_variables(bare_home.home, {}).items():
        monkeypatch.setenv(name, value)
    return bare_home
