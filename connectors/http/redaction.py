"""Keep secrets out of every text that leaves a connector: errors, logs, checks.

Two nets: the secrets we know (by value, from the auth in use) and the shapes that credentials take in
URLs, headers, forms and JSON.
"""

import re
from collections.abc import Iterable

MAX_CHARACTERS = 8_000
"""Longest text kept: a vendor's huge error page must not break a payload limit."""

_HIDDEN = "[hidden]"
_NAMES = (
    "access_token|refresh_token|id_token|client_secret|client_assertion|assertion|password|api_key|"
    "signature|authorization"
)
_SHAPES = (
    # Credentials of any length after their scheme; prose such as "Bearer token" is shorter than that.
    (re.compile(r"\b(Bearer|Basic|OAuth)\s+[A-Za-z0-9._~+/!-]{8,}=*"), rf"\1 {_HIDDEN}"),
    (re.compile(rf'(?i)("(?:{_NAMES})"\s*:\s*)"[^"]*"'), rf'\1"{_HIDDEN}"'),
    (re.compile(rf"(?i)\b({_NAMES})=[^&\s\"']+"), rf"\1={_HIDDEN}"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"), _HIDDEN),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)", re.S), _HIDDEN),
)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` without `secrets` and without anything shaped like a credential, cut to `MAX_CHARACTERS`."""
    for secret in sorted({secret for secret in secrets if len(secret) >= 4}, key=len, reverse=True):
        text = text.replace(secret, _HIDDEN)
    for shape, replacement in _SHAPES:
        text = shape.sub(replacement, text)
    return text if len(text) <= MAX_CHARACTERS else text[: MAX_CHARACTERS - 12] + " [truncated]"
