"""Credentials of the sandbox tenant, made once per home, and the variables by which both sides get them.

They open nothing but the emulators on this machine. A firm with real systems sets its own variables, and
those are never replaced: what stands in the environment wins over what is stored here.
"""

import base64
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from local.locking import exclusive

FOLDER = "secrets"
_KEY_BITS = 2048


def _token(prefix: str) -> Callable[[], str]:
    return lambda: f"{prefix}-{secrets.token_hex(20)}"


def _webhook_secret() -> str:
    """As Standard Webhooks writes one: `whsec_` and the base64 of 32 random bytes."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


_TEXTS: dict[str, Callable[[], str]] = {
    "salesforce-client-secret": _token("sandbox-salesforce"),
    "kantata-token": _token("sandbox-kantata"),
    "coupa-client-secret": _token("sandbox-coupa"),
    "workday-client-secret": _token("sandbox-workday"),
    "workday-refresh-token": _token("sandbox-workday-refresh"),
    "webhook-secret": _webhook_secret,
}
_KEYS = ("netsuite", "salesforce", "workday")

_FIRM_VARIABLES = {
    "FAIRLEAD_SALESFORCE_CLIENT_SECRET": "salesforce-client-secret",
    "FAIRLEAD_KANTATA_TOKEN": "kantata-token",
    "FAIRLEAD_COUPA_CLIENT_SECRET": "coupa-client-secret",
    "FAIRLEAD_WORKDAY_CLIENT_SECRET": "workday-client-secret",
    "FAIRLEAD_WORKDAY_REFRESH_TOKEN": "workday-refresh-token",
    "FAIRLEAD_WEBHOOK_SECRET": "webhook-secret",
}
_FIRM_KEY_FILES = {
    "FAIRLEAD_NETSUITE_PRIVATE_KEY": "netsuite.pem",
    "FAIRLEAD_SALESFORCE_PRIVATE_KEY": "salesforce.pem",
    "FAIRLEAD_WORKDAY_PRIVATE_KEY": "workday.pem",
}
_SANDBOX_VARIABLES = {
    "SANDBOX_SALESFORCE_SECRET": "FAIRLEAD_SALESFORCE_CLIENT_SECRET",
    "SANDBOX_KANTATA_TOKEN": "FAIRLEAD_KANTATA_TOKEN",
    "SANDBOX_COUPA_SECRET": "FAIRLEAD_COUPA_CLIENT_SECRET",
    "SANDBOX_WORKDAY_SECRET": "FAIRLEAD_WORKDAY_CLIENT_SECRET",
    "SANDBOX_WORKDAY_REFRESH_TOKEN": "FAIRLEAD_WORKDAY_REFRESH_TOKEN",
    "SANDBOX_WEBHOOK_SECRET": "FAIRLEAD_WEBHOOK_SECRET",
}
_SANDBOX_KEY_FILES = {
    "SANDBOX_NETSUITE_PUBLIC_KEY": "netsuite.public.pem",
    "SANDBOX_SALESFORCE_JWT_PUBLIC_KEY": "salesforce.public.pem",
    "SANDBOX_WORKDAY_PUBLIC_KEY": "workday.public.pem",
}


def create(home: Path) -> bool:
    """Make what is missing under `home`/secrets, readable by this user only. Whether something was made."""
    folder = home / FOLDER
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    with exclusive(folder / ".lock"):
        texts = [name for name in _TEXTS if not (folder / name).is_file()]
        keys = [name for name in _KEYS if not (folder / f"{name}.public.pem").is_file()]
        for name in texts:
            _write(folder / name, _TEXTS[name]())
        if keys:
            private, public = _key_pair()
            for name in keys:
                _write(folder / f"{name}.pem", private)
                _write(folder / f"{name}.public.pem", public)
    return bool(texts or keys)


def firm_variables(home: Path, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables that the example firm's file refers to; `environ` wins. Empty before `create`."""
    folder = home / FOLDER
    stored = {
        variable: (folder / name).read_text(encoding="utf-8")
        for variable, name in _FIRM_VARIABLES.items()
        if (folder / name).is_file()
    }
    stored |= {
        variable: str(folder / name)
        for variable, name in _FIRM_KEY_FILES.items()
        if (folder / name).is_file()
    }
    return stored | {name: environ[name] for name in stored if environ.get(name)}


def sandbox_variables(home: Path, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The other side of the same credentials, for `python -m sandbox`."""
    firm = firm_variables(home, environ)
    folder = home / FOLDER
    found = {theirs: firm[ours] for theirs, ours in _SANDBOX_VARIABLES.items() if ours in firm}
    found |= {
        variable: str(folder / name)
        for variable, name in _SANDBOX_KEY_FILES.items()
        if (folder / name).is_file()
    }
    return found | {name: environ[name] for name in found if environ.get(name)}


def adopt(home: Path) -> None:
    """Put the stored credentials into this process's environment, where nothing is set already."""
    os.environ.update(firm_variables(home))


def _key_pair() -> tuple[str, str]:
    """An RSA key as PEM texts: private (PKCS 8) and public."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()


def _write(path: Path, text: str) -> None:
    """A file of mode 0600 from its first moment, complete or absent."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)
