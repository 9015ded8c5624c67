"""Who may do what: people of the firm's file in a fitting role, and nobody else."""

import pytest

from cli.context import Options, Session
from cli.exit_codes import ExitCode, Stop
from cli.people import APPROVERS, DECIDERS, STAFFING_APPROVERS, able, acting
from tests.unit.cli.cli_runs import CONTROLLER, TOMAS, LocalFirm, words


def session(actor: str | None) -> Session:
    return Session(Options(actor=actor))


@pytest.mark.parametrize(
    ("email", "wanted", "role"),
    [
        (TOMAS, DECIDERS, "operator"),
        (TOMAS.upper(), DECIDERS, "operator"),
        (CONTROLLER, DECIDERS, "approver"),
        (CONTROLLER, ("controller", *DECIDERS), "controller"),
        ("practice.lead@fairlead.example", STAFFING_APPROVERS, "practice_lead"),
        ("noor.haddad@fairlead.example", APPROVERS, "admin"),
    ],
)
def test_the_first_fitting_role_is_taken(
    firm: LocalFirm, email: str, wanted: tuple[str, ...], role: str
) -> None:
    actor = acting(session(email), wanted, "decide")
    assert (actor.email, actor.role) == (email.lower(), role)


@pytest.mark.parametrize(
    ("email", "code", "sentence"),
    [
        (None, ExitCode.USAGE, "Say who you are to decide"),
        ("mallory@evil.example", ExitCode.REFUSED, "mallory@evil.example is nobody in"),
        ("audit@fairlead.example", ExitCode.REFUSED, "they have auditor"),
    ],
)
def test_nobody_else_may(firm: LocalFirm, email: str | None, code: ExitCode, sentence: str) -> None:
    with pytest.raises(Stop, match=sentence) as ended:
        acting(session(email), DECIDERS, "decide")
    assert ended.value.code is code


def test_unknown_person_is_told_file_and_section(firm: LocalFirm) -> None:
    result = firm.fairlead("cancel", "0065g0000000001AAA", "--reason", "x", "--as", "eve@evil.example")
    assert result.exit_code == ExitCode.REFUSED
    assert "fairlead.toml" in result.stderr.replace("\n", "")
    assert '[people."eve@evil.example"]' in words(result.stderr)


def test_actor_of_the_environment(firm: LocalFirm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRLEAD_ACTOR", "audit@fairlead.example")
    result = firm.fairlead("cancel", "0065g0000000001AAA", "--reason", "x")
    assert result.exit_code == ExitCode.REFUSED
    assert "audit@fairlead.example may not cancel a process" in words(result.stderr)


def test_able_leaves_out_who_decided_first(firm: LocalFirm) -> None:
    found = able(session(None).firm, ("controller", *APPROVERS), besides="tax@fairlead.example")
    assert found[0] == CONTROLLER
    assert "tax@fairlead.example" not in found
    assert TOMAS not in found


def test_activation_may_be_asked_for_only_by_those_who_decide(firm: LocalFirm) -> None:
    result = firm.fairlead("activate", "0065g0000000001AAA", "--as", "audit@fairlead.example")
    assert result.exit_code == ExitCode.REFUSED
    assert "may not activate a deal" in words(result.stderr)
