"""The token file and the section that names it."""

import json
import stat
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from firm.access_section import AccessSection, OidcSection
from firm.access_tokens import PREFIX, Token, TokenFile, TokenFileError, digest, new_secret
from firm.load import FirmFileError, load
from firm.sections import Access
from local import firm_files

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def token(secret: str, name: str = "one", **changes: Any) -> Token:
    facts = {
        "name": name,
        "person": "Anna@acme.example",
        "roles": ("operator", "admin"),
        "sha256": digest(secret),
        "created_at": NOW,
        "expires_at": NOW + timedelta(days=1),
    }
    return Token.model_validate(facts | changes)


@pytest.fixture
def file(tmp_path: Path) -> TokenFile:
    return TokenFile(tmp_path / "secrets" / "tokens.json")


def put(file: TokenFile, *tokens: Token) -> None:
    file.change(lambda known: tokens)


def test_a_token_is_found_by_itself_and_kept_as_digest_only(file: TokenFile) -> None:
    secret = new_secret()
    put(file, token(secret), token(new_secret(), "two"))
    found = file.find(secret, NOW)
    assert found is not None
    assert found.name == "one"
    assert secret not in file.path.read_text()
    assert secret.startswith(PREFIX)
    assert len(secret) > 45
    assert found.sha256 not in repr(found)


def test_the_file_is_the_owners_alone(file: TokenFile) -> None:
    put(file, token("a"))
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert [path.name for path in file.path.parent.iterdir()] == ["tokens.json"]


def test_expired_revoked_and_unknown_tokens_are_nobodys(file: TokenFile) -> None:
    put(file, token("a", expires_at=NOW), token("b", "two", revoked_at=NOW))
    for secret in ("a", "b", "c", "", digest("a")):
        assert file.find(secret, NOW) is None


def test_a_change_is_seen_without_a_restart(file: TokenFile) -> None:
    put(file, token("a"))
    assert file.find("a", NOW)
    put(TokenFile(file.path), token("b"))
    assert file.find("a", NOW) is None
    assert file.find("b", NOW)


def test_one_changes_it_at_a_time_and_a_failure_leaves_it_as_it_was(file: TokenFile) -> None:
    put(file, token("a"))

    def meanwhile(known: Sequence[Token]) -> Sequence[Token]:
        with pytest.raises(TokenFileError, match="is being changed by somebody else"):
            put(file)
        raise LookupError

    with pytest.raises(LookupError):
        file.change(meanwhile)
    assert file.find("a", NOW)
    put(file, token("b"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is not as it was written"),
        ("[]", "is not as it was written"),
        ('{"version": 9, "tokens": []}', "at version"),
        ('{"tokens": [{"name": "SECRET"}]}', r"tokens\.0\.person"),
        (" " * 1_100_000, "larger than 1 MiB"),
    ],
)
def test_a_file_that_is_wrong_is_not_believed(file: TokenFile, content: str, said: str) -> None:
    put(file, token("a"))
    file.path.write_text(content)
    with pytest.raises(TokenFileError, match=said) as refused:
        file.find("a", NOW)
    assert "SECRET" not in str(refused.value)


def test_a_file_that_others_may_write_is_not_believed(file: TokenFile) -> None:
    put(file, token("a"))
    file.path.chmod(0o644)  # the digests are no secret
    assert file.find("a", NOW)
    file.path.chmod(0o660)
    with pytest.raises(TokenFileError, match="others than its owner may write"):
        file.find("a", NOW)


def test_a_file_that_is_not_there_names_the_cure(file: TokenFile) -> None:
    with pytest.raises(TokenFileError, match="fairlead access token create"):
        file.find("a", NOW)


def test_nobody_has_more_rights_than_the_firms_file_gives_them() -> None:
    held = {"anna@acme.example": Access(roles=("operator", "controller"))}
    caller = token("a").caller(held)
    assert caller is not None
    assert (caller.person, caller.rights) == ("anna@acme.example", ("operator",))
    assert token("a").caller({"ben@acme.example": Access(roles=("admin",))}) is None


def oidc(**changes: Any) -> dict[str, Any]:
    return {
        "issuer": "https://login.example",
        "audience": "fairlead",
        "jwks_url": "https://login.example/keys",
        "roles": {"ops": "operator"},
    } | changes


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({}, "names no way in"),
        ({"tokens": "env:TOKENS"}, "is not kept in a file"),
        ({"tokens": "fairlead_abc"}, "is not a reference"),
        ({"oidc": oidc(issuer="http://login.example")}, "is not encrypted"),
        ({"oidc": oidc(roles={"ops": "root"})}, "Input should be"),
        ({"oidc": oidc(roles={})}, "at least 1"),
        ({"oidc": oidc(algorithms=["none"])}, "Extra inputs"),
    ],
)
def test_a_section_that_would_not_hold_is_refused(section: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        AccessSection.model_validate(section)


def test_the_section_is_read_from_the_firms_file(tmp_path: Path) -> None:
    firm_files.copy_example(tmp_path, "http://127.0.0.1:1")
    file = tmp_path / "fairlead.toml"
    plain = file.read_text()
    assert load(file).access is None
    file.write_text(f'{plain}\n[access]\ntokens = "file:secrets/tokens.json"\n[access.oidc]\n{toml(oidc())}')
    firm = load(file)
    assert firm.access is not None
    assert firm.access.oidc == OidcSection.model_validate(oidc())
    assert firm.access_file() == tmp_path / "secrets" / "tokens.json"
    file.write_text(f"{plain}\n[access]\ntokens = 'file:x'\ntoken = 'y'\n")
    with pytest.raises(FirmFileError, match=r"access\.token"):
        load(file)


def test_a_firm_without_an_admin_could_make_no_token(tmp_path: Path) -> None:
    firm_files.copy_example(tmp_path, "http://127.0.0.1:1")
    file = tmp_path / "fairlead.toml"
    text = file.read_text().replace('roles = ["admin"]', 'roles = ["viewer"]')
    file.write_text(f'{text}\n[access]\ntokens = "file:tokens.json"\n')
    with pytest.raises(FirmFileError, match=r"access\.tokens has nobody who may make tokens"):
        load(file)


def toml(values: dict[str, Any]) -> str:
    roles = ", ".join(f'"{name}" = "{right}"' for name, right in values["roles"].items())
    texts = [f"{name} = {json.dumps(value)}" for name, value in values.items() if name != "roles"]
    return "\n".join([*texts, f"roles = {{ {roles} }}"])
