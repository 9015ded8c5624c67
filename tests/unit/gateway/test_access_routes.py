"""Every address of the gateway against every kind of caller: the table says who passes, and a new address
without a row fails."""

import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from domain.access import ALLOWED, RIGHTS, Function
from firm.access_tokens import TokenFile
from firm.codec import CodecKeys
from gateway import codec
from gateway.api_document import all_routes, guarded
from gateway.problems import MEDIA_TYPE
from gateway.server import gateway_app
from local import firm_files
from runtime.codec import SealingCodec, new_key
from runtime.settings import Settings
from store.sql.engine import SqlStore
from tests.unit.gateway.api_parts import FIRM, RunningApi, bearer, question, running_api, token, with_tokens
from tests.unit.gateway.gateway_parts import DEAL, NOW, Clock
from tests.unit.gateway.oidc_provider import Provider, claims, other_key, signed_token

OPEN_TO_ALL = None
GUARDS: dict[str, Function | None] = {
    "GET /": Function.DESCRIBE,
    "GET /healthz": OPEN_TO_ALL,
    "GET /readyz": OPEN_TO_ALL,
    "POST /hooks/{source}": OPEN_TO_ALL,  # signed by its own scheme: test_hooks, test_verification
    "POST /hooks/{source}/{secret:path}": OPEN_TO_ALL,
    "GET /v1/openapi.json": Function.DESCRIBE,
    "POST /v1/customers/validate": Function.VALIDATE_CUSTOMERS,
    "POST /v1/projects": Function.START_PROJECTS,
    "GET /v1/projects/{project}/billing-status": Function.READ_BILLING,
    "GET /v1/processes/{id:path}": Function.READ_PROCESSES,
    "POST /codec/decode": Function.DECODE_PAYLOADS,
    "POST /codec/encode": Function.DECODE_PAYLOADS,
    "OPTIONS /codec/decode": OPEN_TO_ALL,  # what a browser asks first: it holds nothing
    "OPTIONS /codec/encode": OPEN_TO_ALL,
}
"""Address -> the function it asks for."""
BODIES: dict[str, Any] = {
    "POST /v1/customers/validate": question(),
    "POST /v1/projects": {"deal": DEAL},
    "POST /codec/decode": {"payloads": []},
    "POST /codec/encode": {"payloads": []},
}
GUARDED = sorted(address for address, function in GUARDS.items() if function is not None)


@pytest.fixture(scope="module")
async def api(
    store_factory: Callable[..., SqlStore], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningApi]:
    folder = tmp_path_factory.mktemp("access")
    guarded = with_tokens(folder / "tokens.json", NOW)
    async with running_api(store_factory(), folder, Clock(), guarded, Provider()) as running:
        sealing = SealingCodec(CodecKeys("k1", {"k1": new_key()}))
        running.app.include_router(codec.routes(sealing, ["https://ui.example"]))
        yield running


async def ask(api: RunningApi, address: str, headers: dict[str, str]) -> httpx.Response:
    method, path = address.split(" ")
    filled = re.sub(r"\{[^}]*\}", "DE01-7K3QXW", path)
    body = BODIES.get(address)
    return await api.http.request(method, filled, headers=headers, json=body)


def jwt_of(**changes: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {signed_token(claims('admin', **changes))}"}


UNPROVEN: dict[str, Callable[[], dict[str, str]]] = {
    "nothing": dict,
    "unknown token": lambda: bearer("nobody"),
    "expired token": lambda: bearer("expired"),
    "revoked token": lambda: bearer("revoked"),
    "somebody who left": lambda: bearer("left"),
    "another scheme": lambda: {"Authorization": "Basic YWRtaW46YWRtaW4="},
    "no token": lambda: {"Authorization": "Bearer "},
    "two tokens in one": lambda: {
        "Authorization": f"{bearer('admin')['Authorization']}, {bearer('admin')['Authorization']}"
    },
    "garbage": lambda: {"Authorization": "Bearer \x7f\x01"},
    "a huge token": lambda: {"Authorization": "Bearer " + "a" * 20_000},
    "a token in the query's place": lambda: {"X-Api-Key": bearer("admin")["Authorization"]},
    "expired JWT": lambda: jwt_of(exp=int(NOW.timestamp()) - 60),
    "JWT for others": lambda: jwt_of(aud="somebody-else"),
    "JWT of others": lambda: jwt_of(iss="https://login.example/other"),
    "JWT not valid yet": lambda: jwt_of(nbf=int(NOW.timestamp()) + 61),
    "forged JWT": lambda: {"Authorization": f"Bearer {signed_token(claims('admin'), other_key())}"},
    "no JWT": lambda: {"Authorization": "Bearer aaaaaaaa.bbbbbbbb.cccccccc"},
}


def test_every_address_has_its_row_and_asks_for_its_function(api: RunningApi) -> None:
    found: dict[str, Function | None] = {}
    for route in all_routes(api.app.routes):
        assert isinstance(route, APIRoute), f"{route} is no route that a role can be asked of"
        for method in route.methods or ():
            found[f"{method} {route.path}"] = guarded(route)
    assert found == GUARDS, "a new address needs its row in GUARDS, and requires(Function...) in the gateway"


def test_what_is_served_in_earnest_has_no_other_address(tmp_path: Path) -> None:
    (tmp_path / "store.db").touch()
    own = Settings(home=tmp_path, firm_file=FIRM.file, store_url=f"sqlite:///{tmp_path / 'store.db'}")
    app = gateway_app(own)
    served = {f"{m} {one.path}": guarded(one) for one in all_routes(app.routes) for m in one.methods or ()}
    assert served.items() <= GUARDS.items()
    assert app.state.access.is_open, "the example firm asks nobody"


async def test_what_is_served_in_earnest_is_closed_by_its_section(tmp_path: Path) -> None:
    firm_files.copy_example(tmp_path, "http://127.0.0.1:1")
    file, store = tmp_path / "fairlead.toml", tmp_path / "store.db"
    file.write_text(f'{file.read_text()}\n[access]\ntokens = "file:tokens.json"\n')
    store.touch()
    app = gateway_app(Settings(home=tmp_path, firm_file=file, store_url=f"sqlite:///{store}"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://g.test") as http:
        assert (await http.get("/")).status_code == 401
        assert (await http.get("/", headers=bearer("admin"))).status_code == 503, "no token was made yet"
        secret, admin = bearer("root"), next(p for p, a in FIRM.people.items() if "admin" in a.roles)
        TokenFile(tmp_path / "tokens.json").change(
            lambda known: [token("root", "admin", datetime.now(UTC), person=admin)]
        )
        assert (await http.get("/", headers=secret)).status_code == 200


@pytest.mark.parametrize("address", GUARDED)
@pytest.mark.parametrize("proof", sorted(UNPROVEN))
async def test_without_a_proof_that_holds_nothing_is_open(api: RunningApi, address: str, proof: str) -> None:
    headers = UNPROVEN[proof]()
    answer = await ask(api, address, headers)
    assert answer.status_code == 401, answer.text
    assert answer.headers["content-type"] == MEDIA_TYPE
    challenge = answer.headers["www-authenticate"]
    presented = "Authorization" in headers
    assert challenge == 'Bearer realm="fairlead"' + (', error="invalid_token"' if presented else "")
    assert answer.json() == {
        "type": "about:blank",
        "title": "Unauthorized",
        "status": 401,
        "detail": "The token is not accepted." if presented else "This takes a bearer token.",
    }


@pytest.mark.parametrize("address", GUARDED)
@pytest.mark.parametrize("right", RIGHTS)
@pytest.mark.parametrize("kind", ["token", "jwt"])
async def test_each_role_opens_what_the_table_says(
    api: RunningApi, address: str, right: str, kind: str
) -> None:
    headers = bearer(right) if kind == "token" else {"Authorization": f"Bearer {signed_token(claims(right))}"}
    function = GUARDS[address]
    assert function is not None
    answer = await ask(api, address, headers)
    if right in ALLOWED[function]:
        assert answer.status_code in (200, 202, 404), answer.text
        return
    assert answer.status_code == 403
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert answer.headers["www-authenticate"] == 'Bearer realm="fairlead", error="insufficient_scope"'
    assert answer.json()["detail"].startswith("This takes the role ")
    assert right not in answer.json()["detail"]


@pytest.mark.parametrize("address", sorted(set(GUARDS) - set(GUARDED)))
async def test_what_is_open_by_its_nature_asks_for_no_token(api: RunningApi, address: str) -> None:
    answer = await ask(api, address, {})
    assert answer.status_code != 401 or "Bearer" not in answer.headers.get("www-authenticate", "")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.unlink(),
        lambda path: path.write_text("{"),
        lambda path: path.write_text('{"version": 2, "tokens": []}'),
        lambda path: path.chmod(0o666),
    ],
    ids=["gone", "no JSON", "another version", "writable by all"],
)
async def test_what_cannot_be_checked_is_closed(
    store: SqlStore, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    guarded = with_tokens(tmp_path / "tokens.json", NOW)
    async with running_api(store, tmp_path, Clock(), guarded, Provider()) as api:
        assert (await ask(api, "GET /", bearer("admin"))).status_code == 200
        spoil(tmp_path / "tokens.json")
        answer = await ask(api, "GET /", bearer("admin"))
        assert (answer.status_code, answer.headers["content-type"]) == (503, MEDIA_TYPE)
        assert "tokens.json" not in answer.text
        assert int(answer.headers["retry-after"]) > 0


async def test_a_provider_that_is_away_closes_and_one_that_is_slow_is_named(
    store: SqlStore, tmp_path: Path
) -> None:
    provider = Provider()
    provider.answer = httpx.ConnectError("refused")
    headers = {"Authorization": f"Bearer {signed_token(claims('admin'))}"}
    guarded = with_tokens(tmp_path / "tokens.json", NOW)
    async with running_api(store, tmp_path, Clock(), guarded, provider) as api:
        assert (await ask(api, "GET /", headers)).status_code == 503
        assert (await ask(api, "GET /", bearer("admin"))).status_code == 200  # needs no provider


async def test_an_open_firm_asks_nobody(store: SqlStore, tmp_path: Path) -> None:
    async with running_api(store, tmp_path, Clock()) as api:
        assert (await ask(api, "GET /", {})).status_code == 200
        assert (await ask(api, "GET /v1/openapi.json", bearer("nobody"))).status_code == 200
