"""`fairlead access`, and what a token opens on the command line where the firm asks for one."""

import json
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from httpx import ConnectError

from cli.context import Options, Session
from cli.exit_codes import ExitCode, Stop
from cli.people import DECIDERS, acting
from domain.access import Right
from firm.access_tokens import Token as StoredToken
from firm.access_tokens import TokenFile, digest, new_secret, rights_of
from firm.load import load
from gateway import access
from gateway.access_oidc import OidcVerifier
from tests.unit.cli.cli_billing import MANAGER, PROJECT, collected
from tests.unit.cli.cli_runs import CONTROLLER, TOMAS, LocalFirm, words
from tests.unit.gateway.api_parts import AUDIENCE, ISSUER, JWKS
from tests.unit.gateway.oidc_provider import Provider, claims, signed_token

ADMIN = "noor.haddad@fairlead.example"
AUDITOR = "audit@fairlead.example"
Token = Callable[..., str]


@pytest.fixture
def guarded(firm: LocalFirm) -> LocalFirm:
    """The example firm with a token file, in which nobody is yet."""
    file = firm.home / "fairlead.toml"
    file.write_text(f'{file.read_text()}\n[access]\ntokens = "file:access-tokens.json"\n')
    return firm


@pytest.fixture
def token(guarded: LocalFirm) -> Token:
    """`token(name, person, role ...)` puts one into the file, beside that of an admin."""
    file, now = TokenFile(guarded.home / "access-tokens.json"), datetime.now(UTC)

    def made(name: str, person: str, *roles: Right) -> str:
        secret = new_secret()
        entry = StoredToken(
            name=name,
            person=person,
            roles=roles or rights_of(load(guarded.home).people[person]),
            sha256=digest(secret),
            created_at=now,
            expires_at=now + timedelta(days=1),
        )
        file.change(lambda known: [*known, entry])
        return secret

    made("root", ADMIN)
    return made


def given(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    monkeypatch.setenv("FAIRLEAD_TOKEN", secret)


def test_the_first_token_is_an_admins_and_shown_once(guarded: LocalFirm) -> None:
    refused = guarded.fairlead("access", "token", "create", "x", "--for", TOMAS)
    assert refused.exit_code == ExitCode.REFUSED
    assert "the first one must be an admin's" in words(refused.stderr)
    made = guarded.json("access", "token", "create", "root", "--for", ADMIN.upper())
    path = guarded.home / "access-tokens.json"
    assert (made["person"], made["roles"], made["state"]) == (ADMIN, ["admin"], "valid")
    assert made["token"] not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    chain = guarded.with_store(lambda store: store.audit.list("access:fairlead-demo"))
    assert [entry.what for entry in chain] == [f"access token root made for {ADMIN} as admin"]


def test_from_then_on_an_admins_token_is_needed(
    guarded: LocalFirm, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = ("access", "token", "create", "more", "--for", ADMIN)
    assert "say who you are by a token" in words(guarded.fairlead(*create).stderr)
    given(monkeypatch, token("ops", TOMAS, "operator"))
    for command in (create, ("access", "token", "list"), ("access", "token", "revoke", "root")):
        refused = guarded.fairlead(*command)
        assert refused.exit_code == ExitCode.REFUSED
        assert f"{TOMAS} may not manage tokens: that takes the role admin" in words(refused.stderr)


def test_a_revoked_token_opens_nothing_any_more(
    guarded: LocalFirm, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    ops, admin = token("ops", TOMAS), token("second", ADMIN)
    given(monkeypatch, ops)
    assert guarded.fairlead("exceptions", "list").exit_code == ExitCode.OK
    given(monkeypatch, admin)
    assert guarded.fairlead("access", "token", "revoke", "ops").exit_code == ExitCode.OK
    states = {one["name"]: one["state"] for one in guarded.json("access", "token", "list")["tokens"]}
    assert states == {"root": "valid", "ops": "revoked", "second": "valid"}
    assert guarded.fairlead("access", "token", "revoke", "nothing").exit_code == ExitCode.NOT_FOUND
    given(monkeypatch, ops)
    refused = guarded.fairlead("exceptions", "list")
    assert refused.exit_code == ExitCode.REFUSED
    assert "The token is not accepted" in words(refused.stderr)
    assert ops not in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("ops", "--for", TOMAS), "There is a token ops already"),
        (("a b", "--for", TOMAS), "is no name of a token"),
        (("new", "--for", "eve@evil.example"), "is nobody in"),
        (("new", "--for", TOMAS, "--role", "admin"), f"{TOMAS} does not have admin"),
        (("new", "--for", TOMAS, "--role", "billing_lead"), "does not have billing_lead"),
    ],
)
def test_a_token_gives_nothing_its_person_lacks(
    guarded: LocalFirm,
    token: Token,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    sentence: str,
) -> None:
    token("ops", TOMAS)
    given(monkeypatch, token("second", ADMIN))
    refused = guarded.fairlead("access", "token", "create", *arguments)
    assert refused.exit_code in (ExitCode.REFUSED, ExitCode.USAGE)
    assert sentence in words(refused.stderr)


def test_without_a_token_the_firm_shows_nothing(guarded: LocalFirm, token: Token) -> None:
    for command in (("exceptions", "list"), ("status",), ("audit", "verify"), ("report", "burn")):
        refused = guarded.fairlead(*command)
        assert refused.exit_code == ExitCode.REFUSED, command
        assert "Set FAIRLEAD_TOKEN, or add --token-file PATH" in words(refused.stderr)


def test_the_person_of_the_token_acts(
    guarded: LocalFirm, token: Token, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept = tmp_path / "mine"
    kept.write_text(token("ops", TOMAS) + "\n")
    options = Options(home=guarded.home, token_file=kept)
    assert acting(Session(options), DECIDERS, "decide").email == TOMAS
    assert acting(Session(options), ("billing_lead",), "bill").role == "billing_lead"
    same = Options(home=guarded.home, token_file=kept, actor=TOMAS.upper())
    assert acting(Session(same), DECIDERS, "decide").email == TOMAS
    other = Options(home=guarded.home, token_file=kept, actor=CONTROLLER)
    with pytest.raises(Stop, match=r"--as names .*, but the token is that of tomas"):
        acting(Session(other), DECIDERS, "decide")
    given(monkeypatch, token("root-2", ADMIN))
    admin = Options(home=guarded.home, actor=TOMAS)
    with pytest.raises(Stop, match="but the token is that of noor"):
        acting(Session(admin), DECIDERS, "decide")


def test_a_missing_role_is_named(guarded: LocalFirm, token: Token, monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, token("look", AUDITOR))
    for command in (
        ("cancel", "0065g0000000001AAA", "--reason", "x"),
        ("activate", "0065g0000000001AAA"),
        ("events", "replay", "--all"),
        ("events", "send", "deal.signed", "0065g0000000001AAA"),
        ("post-time",),
    ):
        refused = guarded.fairlead(*command)
        assert refused.exit_code == ExitCode.REFUSED, command
        assert "operator, approver" in words(refused.stderr), command
    assert guarded.fairlead("exceptions", "list").exit_code == ExitCode.OK


def test_a_business_role_needs_a_right_that_decides(
    guarded: LocalFirm, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = guarded.home / "fairlead.toml"
    text = file.read_text().replace('["operator", "billing_lead"]', '["viewer", "operator", "billing_lead"]')
    file.write_text(text)
    given(monkeypatch, token("look", TOMAS, "viewer"))
    with pytest.raises(Stop, match="takes one of the roles billing_lead; this token has viewer"):
        acting(Session(Options(home=guarded.home)), ("billing_lead",), "bill")


def test_a_project_manager_reviews_by_token_too(
    guarded: LocalFirm, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = guarded.home / "fairlead.toml"
    file.write_text(f'{file.read_text()}\n[people."{MANAGER}"]\nroles = ["viewer"]\n')
    guarded.with_store(collected)
    given(monkeypatch, token("look", MANAGER))
    refused = guarded.fairlead("prebill", "release", PROJECT)
    assert refused.exit_code == ExitCode.REFUSED
    assert "that takes the role operator" in words(refused.stderr)


def test_a_token_file_that_cannot_be_read_closes(
    guarded: LocalFirm, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(monkeypatch, token("ops", TOMAS))
    path = guarded.home / "access-tokens.json"
    path.chmod(0o666)
    refused = guarded.fairlead("exceptions", "list")
    assert refused.exit_code == ExitCode.UNREACHABLE
    assert "cannot be checked" in words(refused.stderr)
    checks = {check["name"]: check for check in guarded.json("doctor")["checks"]}
    assert not checks["access"]["ok"]
    assert "closed to everybody" in checks["access"]["detail"]


def test_a_providers_token_acts_too(firm: LocalFirm, monkeypatch: pytest.MonkeyPatch) -> None:
    file = firm.home / "fairlead.toml"
    section = f'issuer = "{ISSUER}"\naudience = "{AUDIENCE}"\njwks_url = "{JWKS}"'
    file.write_text(
        f'{file.read_text()}\n[access.oidc]\n{section}\nroles = {{ "fl-operator" = "operator" }}\n'
    )
    provider = Provider()
    monkeypatch.setattr(access, "OidcVerifier", lambda oidc, now: OidcVerifier(oidc, provider, now))
    given(monkeypatch, signed_token(claims("operator", datetime.now(UTC), email=TOMAS)))
    actor = acting(Session(Options(home=firm.home)), DECIDERS, "decide")
    assert (actor.email, actor.role) == (TOMAS, "operator")
    assert acting(Session(Options(home=firm.home)), ("billing_lead",), "bill").role == "billing_lead"
    given(monkeypatch, signed_token(claims("viewer", datetime.now(UTC), email=TOMAS)))
    assert "opens nothing" in words(firm.fairlead("exceptions", "list").stderr)
    provider.answer = ConnectError("refused")
    refused = firm.fairlead("exceptions", "list")
    assert refused.exit_code == ExitCode.UNREACHABLE
    assert "cannot be checked" in words(refused.stderr)


def test_the_doctor_says_whether_access_is_open(firm: LocalFirm) -> None:
    checks = {check["name"]: check for check in firm.json("doctor")["checks"]}
    assert checks["access"]["ok"]
    assert checks["access"]["detail"].startswith("open: ")


def test_a_firm_without_access_has_no_tokens(firm: LocalFirm) -> None:
    refused = firm.fairlead("access", "token", "create", "x", "--for", ADMIN)
    assert refused.exit_code == ExitCode.REFUSED
    assert "names no token file" in words(refused.stderr)


def test_the_file_lists_people_and_roles_but_no_token(guarded: LocalFirm, token: Token) -> None:
    secret = token("ops", TOMAS)
    content = json.loads((guarded.home / "access-tokens.json").read_text())
    assert [one["person"] for one in content["tokens"]] == [ADMIN, TOMAS]
    assert secret not in json.dumps(content)
    assert TokenFile(guarded.home / "access-tokens.json").find(secret) is not None
