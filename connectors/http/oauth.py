"""What token endpoints answer (RFC 6749 sections 5.1 and 5.2), with a resolution table of its own."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.errors import Rejected, Throttled, Transient, Unauthenticated
from connectors.http.resolution import Problem, Refusal, Resolution, Row

OPERATION = "sign in"


def explain(status: int, body: Any) -> Sequence[Problem]:
    """`{"error", "error_description"}`; the description may be missing (Salesforce)."""
    if not isinstance(body, Mapping):
        return ()
    code = str(body.get("error") or "")
    return (Problem(code, str(body.get("error_description") or code)),)


ROWS = (
    Row(Throttled, "the sign-in limit is reached. {text}", code="rate_limit_exceeded"),
    Row(Throttled, "the sign-in limit is reached. {text}", status=429),
    Row(Transient, "the sign-in service failed. {text}", status=range(500, 600)),
    Row(Transient, "the sign-in service asks to come again. {text}", code="temporarily_unavailable"),
    Row(
        Unauthenticated,
        "our credentials are refused: {text}. Check client id, secret or key, and the app's user.",
        status=(400, 401, 403),
    ),
    Row(Rejected, "the token endpoint answered {status}. Check base_url and token path. {text}"),
)


def token_answer(
    system: str, status: int, body: Any, headers: Mapping[str, str], now: datetime
) -> Mapping[str, Any]:
    """The answer with its `access_token`. Raises `Unauthenticated`, `Throttled`, `Transient`, `Rejected`."""
    if status == 200 and isinstance(body, Mapping) and body.get("access_token"):
        return body
    if status == 200:
        raise Rejected(
            f"{system}: {OPERATION}: the token answer has no access_token",
            system=system,
            operation=OPERATION,
            status=status,
            field="access_token",
            rule="schema.missing_field",
        )
    refusal = Refusal(OPERATION, status, body, write=False, headers=headers)
    raise Resolution(system, explain, ROWS).error_of(refusal, now)
