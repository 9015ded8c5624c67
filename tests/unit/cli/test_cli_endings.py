"""What goes wrong ends in one sentence, the place that was asked, the cure, and an exit code."""

from pathlib import Path

import pytest

from cli.exit_codes import ExitCode
from tests.unit.cli.cli_runs import TOMAS, LocalFirm, words

NEEDS_TEMPORAL = [
    ("replay",),
    ("search-attributes", "register"),
    ("watch", "0065g0000000001AAA"),
    ("readiness", "0065g0000000001AAA"),
    ("cancel", "0065g0000000001AAA", "--reason", "test", "--as", TOMAS),
]
NEEDS_STORE = [("status",), ("exceptions", "list"), ("events", "list"), ("audit", "verify")]
NEEDS_SYSTEM = [("deals",), ("activate", "0065g0000000001AAA")]


@pytest.mark.parametrize("arguments", NEEDS_TEMPORAL, ids=" ".join)
def test_without_temporal(firm: LocalFirm, arguments: tuple[str, ...]) -> None:
    result = firm.fairlead(*arguments)
    assert result.exit_code == ExitCode.UNREACHABLE
    assert "No Temporal server answers at 127.0.0.1:1; start one with `fairlead up`" in words(result.stderr)
    assert result.stdout == ""


@pytest.mark.parametrize("arguments", NEEDS_STORE, ids=" ".join)
def test_without_store(bare_home: LocalFirm, arguments: tuple[str, ...]) -> None:
    result = bare_home.fairlead(*arguments)
    assert result.exit_code == ExitCode.UNREACHABLE
    assert str(bare_home.home / "fairlead.db") in result.stderr.replace("\n", "")
    assert "run `fairlead up` to create it" in words(result.stderr)


@pytest.mark.parametrize("arguments", [*NEEDS_SYSTEM, ("systems", "check")], ids=" ".join)
def test_sandbox_that_never_ran_is_no_mistake_of_the_firm_file(
    bare_home: LocalFirm, arguments: tuple[str, ...]
) -> None:
    result = bare_home.fairlead(*arguments)
    assert result.exit_code == ExitCode.UNREACHABLE
    assert "never started" in words(result.stderr)
    assert "`fairlead up`" in result.stderr


@pytest.mark.parametrize("arguments", NEEDS_SYSTEM, ids=" ".join)
def test_system_that_does_not_answer_is_named_with_its_address(
    firm: LocalFirm, arguments: tuple[str, ...]
) -> None:
    error = firm.json(*arguments)["error"]
    assert error["exit"] == ExitCode.UNREACHABLE
    assert "salesforce cannot be reached" in error["message"]
    assert "http://127.0.0.1:1/salesforce" in error["message"]


def test_systems_check_shows_each_that_does_not_answer(firm: LocalFirm) -> None:
    result = firm.fairlead("systems", "check", "--json")
    assert result.exit_code == ExitCode.CHECK_FAILED
    checks = firm.json("systems", "check")["checks"]
    silent = {check["system"] for check in checks if not check["ok"]}
    assert silent == {"salesforce", "kantata", "netsuite", "workday", "coupa"}


def test_gateway_that_does_not_answer(firm: LocalFirm) -> None:
    result = firm.fairlead("events", "send", "deal.signed", "0065g0000000001AAA")
    assert result.exit_code == ExitCode.UNREACHABLE
    assert "gateway at http://127.0.0.1:1 does not answer" in words(result.stderr)


def test_firm_file_with_mistakes_shows_all_of_them(firm: LocalFirm) -> None:
    file = firm.home / "fairlead.toml"
    text = file.read_text(encoding="utf-8")
    text = text.replace('currency = "EUR"', 'currency = "EURO"').replace('vendor = "kantata"', 'vendor = "x"')
    file.write_text(text, encoding="utf-8")
    error = firm.json("status")["error"]
    assert error["exit"] == ExitCode.REFUSED
    assert "2 mistakes" in error["message"]
    assert "entities[1].currency" in error["message"]
    assert "systems.kantata.vendor" in error["message"]
    assert str(file) in error["cure"]


def test_missing_firm_file(firm: LocalFirm, tmp_path: Path) -> None:
    result = firm.fairlead("status", "--firm", str(tmp_path / "absent.toml"))
    assert result.exit_code == ExitCode.REFUSED
    assert "is missing; begin with a copy of examples/firm" in words(result.stderr)


def test_setting_that_cannot_be_read_is_named(firm: LocalFirm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRLEAD_GATEWAY_PORT", "eighty")
    result = firm.fairlead("ui")
    assert result.exit_code == ExitCode.USAGE
    assert "FAIRLEAD_GATEWAY_PORT = 'eighty'" in words(result.stderr)


def test_error_as_json_is_the_one_document(firm: LocalFirm) -> None:
    result = firm.fairlead("--json", "exceptions", "show", "nothing")
    assert result.exit_code == ExitCode.NOT_FOUND
    assert result.stderr == ""
    assert firm.json("exceptions", "show", "nothing")["error"]["code"] == "not_found"


def test_options_count_before_and_after_the_command(firm: LocalFirm, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    before = firm.fairlead("--home", str(other), "--json", "status")
    after = firm.fairlead("status", "--home", str(other), "--json")
    assert before.exit_code == after.exit_code == ExitCode.UNREACHABLE
    assert before.stdout == after.stdout
    assert str(other) in after.stdout


def test_unexpected_error_is_one_line_and_a_log(firm: LocalFirm, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("store.sql.engine.open_store", broken)
    result = firm.fairlead("exceptions", "list")
    assert result.exit_code == ExitCode.UNEXPECTED
    assert "Unexpected: ZeroDivisionError: a bug" in words(result.stderr)
    assert "Traceback" not in result.output
    assert "ZeroDivisionError: a bug" in (firm.home / "log" / "cli.log").read_text(encoding="utf-8")
    assert "Traceback" in firm.fairlead("exceptions", "list", "--debug").stderr


def test_a_store_out_of_reach_is_named_without_its_password(
    firm: LocalFirm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAIRLEAD_STORE_URL", "postgresql://kim:s3cret@127.0.0.1:1/fairlead")
    result = firm.fairlead("status")
    assert result.exit_code == ExitCode.UNREACHABLE
    assert "The store (PostgreSQL 127.0.0.1:1/fairlead) cannot be reached" in words(result.stderr)
    assert "s3cret" not in result.output


def test_unknown_service_is_a_usage_error(firm: LocalFirm) -> None:
    result = firm.fairlead("up", "--detach", "postgres")
    assert result.exit_code == ExitCode.USAGE
    assert "temporal, sandbox, worker, gateway" in words(result.stderr)


def test_down_with_nothing_running(firm: LocalFirm) -> None:
    assert firm.json("down") == {"stopped": []}


def test_doctor_fails_where_nothing_runs(firm: LocalFirm) -> None:
    result = firm.fairlead("doctor", "--json")
    assert result.exit_code == ExitCode.CHECK_FAILED
    checks = {check["name"]: check for check in firm.json("doctor")["checks"]}
    assert checks["firm file"]["ok"]
    assert not checks["Temporal"]["ok"]
    assert checks["Temporal"]["cure"]
