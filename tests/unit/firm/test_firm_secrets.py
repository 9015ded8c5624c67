"""Secrets stand in the firm's file as references only, are read late, and are shown nowhere."""

import re
import shutil
from pathlib import Path

import pytest

from firm.load import load
from firm.problems import FirmFileError
from firm.secrets import SecretError, checked, is_secret_key, resolve

EXAMPLE = Path(__file__).parents[3] / "examples" / "firm"
CANARY = "canary-9f8e7d6c5b4a"

LITERALS = [
    ("client_secret", '"env:FAIRLEAD_SALESFORCE_CLIENT_SECRET"', "systems.salesforce.auth"),
    ("token", '"env:FAIRLEAD_KANTATA_TOKEN"', "systems.kantata.auth"),
    ("private_key", '"file:${FAIRLEAD_NETSUITE_PRIVATE_KEY}"', "systems.netsuite.auth"),
    ("secret", '"env:FAIRLEAD_WEBHOOK_SECRET"', "webhooks.salesforce.secret"),
]


def changed(tmp_path: Path, old: str, new: str) -> Path:
    folder = tmp_path / "firm"
    shutil.copytree(EXAMPLE, folder)
    file = folder / "fairlead.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return folder


@pytest.mark.parametrize(("key", "reference", "place"), LITERALS)
def test_a_literal_secret_is_refused_and_not_repeated(
    tmp_path: Path, key: str, reference: str, place: str
) -> None:
    with pytest.raises(FirmFileError) as caught:
        load(changed(tmp_path, f"{key} = {reference}", f'{key} = "{CANARY}"'))
    error: BaseException | None = caught.value
    assert place in str(error)
    assert "env:NAME or file:PATH" in str(error)
    while error is not None:
        assert CANARY not in f"{error}{error!r}"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


@pytest.mark.parametrize(
    "new",
    [
        f'[systems.netsuite.settings]\nclient_secret = "{CANARY}"',
        f'[systems.netsuite.settings]\napi_token = {{ value = "{CANARY}" }}',
    ],
)
def test_a_secret_among_the_settings_is_refused(tmp_path: Path, new: str) -> None:
    with pytest.raises(FirmFileError, match="move it to auth") as caught:
        load(changed(tmp_path, "[systems.netsuite.settings]", new))
    assert CANARY not in str(caught.value)


def test_a_misspelt_secret_key_does_not_show_its_value(tmp_path: Path) -> None:
    folder = changed(tmp_path, "[webhooks.salesforce]", f'[webhooks.salesforce]\nsekret = "{CANARY}"')
    with pytest.raises(FirmFileError, match="did you mean secret") as caught:
        load(folder)
    assert CANARY not in str(caught.value)


def test_resolved_secrets_are_in_settings_and_nowhere_else(tmp_path: Path) -> None:
    key = tmp_path / "netsuite.pem"
    key.write_text(f"-----BEGIN {CANARY}-----\n", encoding="utf-8")
    environ = {
        "FAIRLEAD_SALESFORCE_CLIENT_SECRET": CANARY,
        "FAIRLEAD_NETSUITE_PRIVATE_KEY": str(key),
        "FAIRLEAD_WEBHOOK_SECRET": f"{CANARY}\n",
    }
    firm = load(EXAMPLE)
    salesforce = firm.connector_settings("salesforce", environ)
    assert salesforce == {
        "base_url": "http://127.0.0.1:8500/salesforce",
        "in_flight": 10,
        "auth": "client_credentials",
        "client_id": "fairlead-sandbox",
        "client_secret": CANARY,
    }
    netsuite = firm.connector_settings("netsuite", environ)
    assert netsuite["private_key"] == f"-----BEGIN {CANARY}-----"
    assert netsuite["account"] == "TSTDRV1"
    assert firm.secret(firm.webhooks["salesforce"].secret, environ) == CANARY
    assert CANARY not in repr(firm)
    with pytest.raises(SecretError, match="FAIRLEAD_KANTATA_TOKEN is not set; set it"):
        firm.connector_settings("kantata", environ)


def test_every_reference_is_listed_with_its_key() -> None:
    references = dict(load(EXAMPLE).secret_references())
    assert references["systems.kantata.auth.token"] == "env:FAIRLEAD_KANTATA_TOKEN"
    assert references["webhooks.salesforce.secret"] == "env:FAIRLEAD_WEBHOOK_SECRET"
    assert references["systems.coupa.auth.client_secret"] == "env:FAIRLEAD_COUPA_CLIENT_SECRET"
    text = (EXAMPLE / "fairlead.toml").read_text(encoding="utf-8")
    in_use = re.sub(r"(?m)^#.*$", "", text)  # sections that a firm may add stand there as comments
    written = re.findall(r'"((?:env|file|keyring):[^"]+)"', in_use)
    assert sorted(references.values()) == sorted(written)


def test_files_are_found_from_the_folder_of_the_firm(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "token").write_text("one\n", encoding="utf-8")
    assert resolve("file:keys/token", tmp_path, {}) == "one"
    assert resolve("file:${KEYS}/token", tmp_path, {"KEYS": str(tmp_path / "keys")}) == "one"
    (tmp_path / "keys" / "token").write_text("two", encoding="utf-8")
    assert resolve("file:keys/token", tmp_path, {}) == "two"


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("env:ABSENT", "ABSENT is not set"),
        ("env:EMPTY", "empty"),
        ("file:absent", "cannot be read"),
        ("file:${ABSENT}/x", "ABSENT is not set"),
        ("file:binary", "cannot be read"),
        ("file:large", "larger than 64 KiB"),
    ],
)
def test_what_cannot_be_resolved_names_the_reference(tmp_path: Path, reference: str, says: str) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "large").write_bytes(b"x" * 70_000)
    with pytest.raises(SecretError, match=r"; ") as caught:
        resolve(reference, tmp_path, {"EMPTY": "  \n"})
    assert reference in str(caught.value)
    assert says in str(caught.value)


@pytest.mark.parametrize("reference", ["", "hunter2", "env:", "env:a b", "vault:x", "file:", "keyring:x"])
def test_what_is_not_a_reference(reference: str) -> None:
    with pytest.raises(ValueError, match="env:NAME or file:PATH") as caught:
        checked(reference)
    assert "hunter2" not in str(caught.value)


def test_which_keys_hold_secrets() -> None:
    held = ["client_secret", "token", "private_key", "password", "API_KEY", "consumer_secret"]
    assert all(is_secret_key(key) for key in held)
    free = [
        "token_url",
        "token_path",
        "certificate_id",
        "request_key_field",
        "customer_key_field",
        "client_id",
    ]
    assert not any(is_secret_key(key) for key in free)
