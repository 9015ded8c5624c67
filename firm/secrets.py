"""Secrets by reference: the firm's file says where a secret is, never what it is.

`env:NAME` an environment variable, `file:PATH` the text of a file (`~` and `${NAME}` are filled in, a
relative path counts from the firm's file), `keyring:SERVICE/NAME` the system's keyring where the `keyring`
library is installed. A reference may be shown; what it stands for is read late and kept nowhere.
"""

import os
import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator

MAX_SECRET_BYTES = 64 * 1024
_FORMS = {
    "env": re.compile(r"[A-Za-z_][A-Za-z0-9_]*"),
    "file": re.compile(r"\S.*"),
    "keyring": re.compile(r"[^/\s]+/\S+"),
}
_CURE = "write where it is kept, as env:NAME or file:PATH, and never the secret itself"
_SECRET_KEY = re.compile(
    r"(^|_)(secrets?|token|password|passwd|passphrase|private_key|api_key|access_key|credentials?)$"
)
_VARIABLE = re.compile(r"\$\{([^}]*)\}")


class SecretError(Exception):
    """A reference cannot be resolved; the text names the reference and the cure, never a secret."""


def is_secret_key(key: str) -> bool:
    """Whether a key of this name holds a secret, so that only a reference may stand there."""
    return _SECRET_KEY.search(key.lower()) is not None


def checked(reference: str) -> str:
    """`reference` if it is one. Raises `ValueError` that repeats nothing of what was given."""
    kind, separator, rest = reference.partition(":")
    form = _FORMS.get(kind) if separator else None
    if form is None:
        raise ValueError(f"is not a reference to a secret; {_CURE}")
    if not form.fullmatch(rest):
        raise ValueError(f"is not a complete {kind}: reference; {_CURE}")
    if kind == "keyring" and find_spec("keyring") is None:
        raise ValueError("needs the keyring library; install it, or use env: or file:")
    return reference


SecretReference = Annotated[str, AfterValidator(checked)]
"""A field that takes `env:`, `file:` or `keyring:` and refuses a literal secret."""


def resolve(reference: str, folder: Path, environ: Mapping[str, str] = os.environ) -> str:
    """The secret behind `reference`, without line ends around it. `folder` is that of the firm's file.

    Raises `SecretError`.
    """
    kind, _, rest = checked(reference).partition(":")
    if kind == "env":
        secret = _variable(rest, reference, environ)
    elif kind == "file":
        secret = _content(file_of(reference, folder, environ), reference)
    else:
        secret = _from_keyring(rest, reference)
    secret = secret.strip("\r\n")
    if not secret.strip():
        raise SecretError(f"{reference}: it is empty; put the secret there")
    return secret


def file_of(reference: str, folder: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """The file that a `file:` reference leads to, whether it is there or not. Raises `SecretError`."""
    path = checked(reference).partition(":")[2]
    filled = _VARIABLE.sub(lambda match: _variable(match[1], reference, environ), path)
    return folder / Path(filled).expanduser()


def _variable(name: str, reference: str, environ: Mapping[str, str]) -> str:
    value = environ.get(name)
    if value is None:
        raise SecretError(f"{reference}: the environment variable {name} is not set; set it and start again")
    return value


def _content(file: Path, reference: str) -> str:
    try:
        if file.stat().st_size > MAX_SECRET_BYTES:
            raise SecretError(f"{reference}: {file} is larger than 64 KiB; name another file")
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SecretError(
            f"{reference}: {file} cannot be read ({type(error).__name__}); "
            "put the secret there and make it readable"
        ) from None


def _from_keyring(entry: str, reference: str) -> str:
    import keyring  # type: ignore[import-not-found, unused-ignore]  # optional

    service, _, name = entry.partition("/")
    secret: Any = keyring.get_password(service, name)
    if secret is None:
        raise SecretError(
            f"{reference}: the keyring has no such entry; add it with `keyring set {service} {name}`"
        )
    return str(secret)
