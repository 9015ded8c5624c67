"""Workday ids: 32 hexadecimal digits for every instance, the same from the same seed."""

import hashlib
import re
import secrets

FORM = re.compile(r"[0-9a-f]{32}")


def wid(kind: str, key: str) -> str:
    """The id of a seeded instance."""
    return hashlib.sha256(f"{kind}/{key}".encode()).hexdigest()[:32]


def new_wid() -> str:
    """The id of an instance made later."""
    return secrets.token_hex(16)


def ref(kind: str, key: str, descriptor: str = "") -> dict[str, str]:
    """A reference object to a seeded instance."""
    return {"id": wid(kind, key), "descriptor": descriptor or key}
