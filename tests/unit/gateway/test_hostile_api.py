"""R4: at least 1,500 hostile requests to every inbound address; no crash, no effect, no echo.

`FAIRLEAD_HOSTILE=20` sends twenty times as many, `FAIRLEAD_HOSTILE_SEED` other ones.
"""

import random
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import simplejson
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firm.codec import CodecKeys
from gateway import codec
from gateway.problems import MEDIA_TYPE
from runtime.codec import SealingCodec, new_key
from store.sql.engine import SqlStore
from tests.unit.gateway.api_parts import RunningApi, bearer, question, running_api, with_tokens
from tests.unit.gateway.gateway_parts import (
    DEAL,
    NOW,
    OLD_KEY,
    PATH_SECRET,
    Clock,
    encoded,
    event,
    notification,
    outbound_message,
    signed,
)
from tests.unit.gateway.hostile_requests import (
    CANARY,
    JSON,
    SEED,
    STRANGE_HEADERS,
    TIMES,
    Answer,
    Attack,
    damaged,
    mutated,
    on_body,
    on_path,
    send,
)
from tests.unit.gateway.oidc_provider import Provider

COUNT = 1_450 * TIMES
"""Generated ones for each address; what is listed by hand comes on top."""
LEAST = 1_500


@pytest.fixture
async def api(store_factory: Callable[..., SqlStore], tmp_path: Path) -> AsyncIterator[RunningApi]:
    """An open gateway, so that nothing is stopped at the door. No CRM has any deal."""
    async with running_api(store_factory(tmp_path / "store.db"), tmp_path, Clock()) as running:
        sealing = SealingCodec(CodecKeys("k1", {"k1": new_key()}))
        running.app.include_router(codec.routes(sealing, ["https://ui.example"]))
        with structlog.testing.capture_logs():
            yield running


def kept(home: Path) -> list[str]:
    """All that the store holds, as text."""
    with sqlite3.connect(home / "store.db") as database:
        return list(database.iterdump())


async def withstood(api: RunningApi, home: Path, attacks: Iterator[Attack], fine: set[int]) -> None:
    """Sends all; whatever is not refused as it should be, or leaves anything behind, fails."""
    before, wrong, took = kept(home), [], []
    for attack in attacks:
        begin = time.process_time()
        answer = await send(api.app, attack)
        took.append(time.process_time() - begin)
        fault = fault_of(attack, answer, fine)
        if fault:
            wrong.append(f"{fault}: {answer.status} {attack} -> {answer.body[:300]!r}")
    assert wrong == [], f"{len(wrong)} of {len(took)}"
    assert len(took) >= LEAST
    assert sorted(took)[len(took) * 99 // 100] < 0.1, "seconds of one core, in 99 of 100 cases"
    await api.app.state.gateway.background.idle()
    assert kept(home) == before
    assert (api.temporal.starts, api.temporal.signals, api.temporal.wakes) == ([], [], [])


def fault_of(attack: Attack, answer: Answer, fine: set[int]) -> str:
    """What is wrong with an answer; empty when it is right. `fine` are the codes of harmless ones."""
    if answer.status in fine:
        return ""
    if not 400 <= answer.status < 500:
        return "neither refused nor harmless"
    if answer.headers.get("content-type") != MEDIA_TYPE:
        return "no problem document"
    document = simplejson.loads(answer.body) if attack.method != "HEAD" or answer.body else {}
    if document and (document["status"] != answer.status or not document["detail"]):
        return "a problem document that says nothing"
    if CANARY.encode() in answer.body or any(CANARY in value for value in answer.headers.values()):
        return "an echo"
    return ""


@pytest.fixture
def dice() -> random.Random:
    return random.Random(SEED)  # noqa: S311


async def test_customers(api: RunningApi, tmp_path: Path, dice: random.Random) -> None:
    attacks = on_body(Attack(b"/v1/customers/validate"), question(), COUNT, dice)
    await withstood(api, tmp_path, attacks, fine={200})


async def test_projects(api: RunningApi, tmp_path: Path, dice: random.Random) -> None:
    attacks = on_body(Attack(b"/v1/projects"), {"deal": DEAL}, COUNT, dice)
    await withstood(api, tmp_path, attacks, fine=set())


async def test_billing_status(api: RunningApi, tmp_path: Path, dice: random.Random) -> None:
    attacks = on_path(b"/v1/projects/", b"/billing-status", [b"DE01-7K3QXW"], COUNT, dice)
    await withstood(api, tmp_path, attacks, fine=set())


async def test_processes(api: RunningApi, tmp_path: Path, dice: random.Random) -> None:
    ids = [b"activation/fairlead-demo/" + DEAL.encode(), b"billing/fairlead-demo/DE01-7K3QXW"]
    await withstood(api, tmp_path, on_path(b"/v1/processes/", b"", ids, COUNT, dice), fine=set())


async def test_descriptions(api: RunningApi, tmp_path: Path, dice: random.Random) -> None:
    attacks = on_path(b"/v1/openapi.json", b"", [b""], COUNT, dice)
    await withstood(api, tmp_path, attacks, fine={200})


@pytest.mark.parametrize("way", ["decode", "encode"])
async def test_codec(api: RunningApi, tmp_path: Path, dice: random.Random, way: str) -> None:
    payload = {"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "MQ=="}
    base = Attack(f"/codec/{way}".encode())
    attacks = on_body(base, {"payloads": [payload, payload]}, COUNT, dice)
    await withstood(api, tmp_path, attacks, fine={200})


def badly_signed(dice: random.Random) -> Iterator[Attack]:
    """Good bodies without a signature that holds, and well-signed bodies of a version nobody takes."""
    old_version = {**event(), "specversion": "0.3", "data": {**event()["data"], "note": CANARY}}
    for attack in on_body(Attack(b"/hooks/crm"), old_version, COUNT, dice):
        if attack.path == b"/hooks/crm" and attack.method == "POST" and dice.random() < 0.6:
            good = {name: value for name, value in signed(attack.body).items() if attack.body}
            headers = tuple((name.encode(), value.encode()) for name, value in good.items())
            yield replace(attack, headers=(*attack.headers, *headers))
        else:
            body = encoded(event(note=CANARY))
            forged = signed(body, key=OLD_KEY)
            name = dice.choice(sorted(forged))
            forged[name] = damaged(forged[name].encode(), dice).decode("latin-1")
            headers = tuple((name.encode(), value.encode("latin-1")) for name, value in forged.items())
            yield replace(attack, headers=(JSON, *headers), parts=(body,))


async def test_signed_hooks(api: RunningApi, tmp_path: Path, dice: random.Random) -> None:
    await withstood(api, tmp_path, badly_signed(dice), fine=set())


def messages(dice: random.Random) -> Iterator[Attack]:
    """Outbound messages at an address with a wrong secret; and at the right one, of another organization."""
    whole = outbound_message(notification("04lWX0000000001YAA", Name=CANARY))
    foreign = outbound_message(notification("04lWX0000000001YAA", Name=CANARY), organization=CANARY)
    right = b"/hooks/salesforce/" + PATH_SECRET.encode()
    for number in range(COUNT // 2 + 100):
        wrong = (
            damaged(PATH_SECRET.encode(), dice).hex().encode() if number % 2 else PATH_SECRET.encode()[:-1]
        )
        yield Attack(b"/hooks/salesforce/" + wrong, parts=(whole,))
        yield Attack(right, parts=(damaged(foreign, dice),), headers=dice.choice(STRANGE_HEADERS))


async def test_secret_addresses(api: RunningApi, tmp_path: Path, dice: random.Random) -> None:
    await withstood(api, tmp_path, messages(dice), fine=set())


async def test_proofs(store_factory: Callable[..., SqlStore], tmp_path: Path, dice: random.Random) -> None:
    """Authorization headers of every bad form against an address that takes one."""
    guarded = with_tokens(tmp_path / "tokens.json", NOW)
    good = bearer("admin")["Authorization"].encode()
    forms = [
        good,
        b"Bearer a.b.c",
        b"Basic " + b"A" * 30,
        b"Bearer " + b"x" * 9_000,
        b"Bearer\t" + CANARY.encode(),
    ]

    def attacks() -> Iterator[Attack]:
        for _ in range(COUNT + 100):
            proof = damaged(dice.choice(forms), dice)
            if proof.strip(b" ").lower() != good.lower():
                yield Attack(b"/", "GET", headers=((b"authorization", proof),) * dice.choice((1, 1, 2)))

    store = store_factory(tmp_path / "store.db")
    async with running_api(store, tmp_path, Clock(), guarded, Provider()) as api:
        with structlog.testing.capture_logs():
            await withstood(api, tmp_path, attacks(), fine=set())


TEXT = st.text(max_size=30) | st.sampled_from([CANARY, "\u202e", "\x00", "../..", DEAL])
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
NAMED = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("deal", "customer", "entity", "contract_value"), VALUE)
)


@settings(max_examples=150 * TIMES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(VALUE | NAMED, st.sampled_from([b"/v1/customers/validate", b"/v1/projects", b"/hooks/crm"]))
async def test_whatever_json_there_is(api: RunningApi, value: Any, path: bytes) -> None:
    body = simplejson.dumps(value, allow_nan=True).encode("utf-8", "surrogatepass")
    proof = tuple((name.encode(), text.encode()) for name, text in signed(body).items())
    answer = await send(api.app, Attack(path, headers=(JSON, *proof), parts=(body,)))
    assert not fault_of(Attack(path), answer, fine=set())


def test_the_judge_sees_what_is_wrong() -> None:
    attack = Attack(b"/")
    problem = {"content-type": MEDIA_TYPE}
    assert fault_of(attack, Answer(500, problem, b"{}"), set())
    assert fault_of(attack, Answer(202, problem, b"{}"), {200})
    assert fault_of(attack, Answer(404, {"content-type": "text/html"}, b"{}"), set())
    assert (
        fault_of(attack, Answer(400, problem, b'{"status":400,"detail":"CANARY-4b1d"}'), set()) == "an echo"
    )
    assert not fault_of(attack, Answer(400, problem, b'{"status":400,"detail":"no"}'), set())
    assert mutated({"a": {"b": 1}}, random.Random(1)) != {"a": {"b": 1}}  # noqa: S311
