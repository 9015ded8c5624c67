"""Hundreds of hostile requests, most of them well signed: no crash, no row, no echo, always a problem."""

import itertools
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import simplejson
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.strict_json import BadJson, read_object
from tests.unit.gateway.conftest import Running
from tests.unit.gateway.gateway_parts import (
    KEY,
    NOW,
    OLD_KEY,
    PATH_SECRET,
    PLAIN_SECRET,
    SECRET,
    encoded,
    event,
    notification,
    outbound_message,
    signed,
)

CANARY = "CANARY-4b1d"
"""Stands in every request; must stand in no answer."""
STATUSES = {400, 401, 404, 405, 413, 422, 503}


@dataclass(frozen=True)
class Hostile:
    body: bytes
    path: str = "/hooks/crm"
    headers: dict[str, str] | None = None
    method: str = "POST"


def requests() -> list[Hostile]:
    return list(itertools.chain(raw_bodies(), wrong_values(), unsigned(), strange_paths(), mangled(), soap()))


def raw_bodies() -> Iterator[Hostile]:
    """Well signed, but not a JSON object that one could trust."""
    texts = [
        b"", b" ", b"null", b"true", b"0", b'"text"', b"[]", b"[{}]", b"{", b"}", b"{]", b"{'a':1}",
        b'{"a":1,}', b'{"a":01}', b'{"a":.5}', b'{"a":NaN}', b'{"a":Infinity}', b'{"a":-Infinity}',
        b'{"a":1e400}', b'{"a":-1e400}', b'{"a":1e-400}', b'{"a":1e99999999999999999999}',
        b'{"a":' + b"9" * 5_000 + b"}", b'{"a":0.' + b"1" * 5_000 + b"}", b'{"a":1}{"a":1}',
        b"[" * 100_000, b'{"a":' * 50_000, b"[" * 40 + b"]" * 40, b'{"a":' * 40 + b"1" + b"}" * 40,
        b'{"a":"\\u0000"}', b'{"\\u0000":1}', b'{"a":"\\ud800"}', b'{"a":"\\udc00x"}', b'{"a":"\x00"}',
        b'{"a":"\xff\xfe"}', b"\xff\xfe{}", b"\xef\xbb\xbf{}", b"\x1f\x8b\x08", b"<xml/>", b"a=b&c=d",
        b'{"a":1,"a":2}', b'{"type":"a","type":"b"}', b"{}" + b"\x00" * 10, b"--boundary\r\n",
        b"x" * 300_000, b'{"a":"' + b"x" * 300_000 + b'"}', b"{" + b" " * 300_000 + b"}",
        "{\u201ca\u201d:1}".encode(), "{}".encode("utf-16"), "{}".encode("utf-32"), b'"' * 1_000,
    ]  # fmt: skip
    for text in texts:
        yield Hostile(text)


WRONG: list[Any] = [
    None, True, 0, -1, 5, 1.5, "", " ", "\n", "x" * 5_000, "a b", "../../../etc/passwd", "..\\..\\x", "a/b",
    "=cmd|'/C calc'!A1", "'; DROP TABLE inbox;--", "<script>alert(1)</script>", "${jndi:ldap://x}", "%00",
    "http://169.254.169.254/latest/meta-data", "file:///etc/passwd", "\u202e\u2066x", "\ufeff", "é" * 200,
    "\U0001f600", [], {}, [1], {"a": 1}, ["deal"], {"$ref": "#"}, "NaN", "1e400", "{{7*7}}",
]  # fmt: skip

PRINTABLE = {value for value in WRONG if isinstance(value, str) and value.isascii() and value.isprintable()}
HARMLESS: dict[str, set[str]] = {
    "id": {value for value in PRINTABLE if 0 < len(value) <= 200 and " " not in value},
    "type": {"NaN"},
    "deal": {"NaN", "1e400"},
}
"""Odd, yet of the form the field has: an opaque id, a type that nobody knows. They are tried below."""
HARMLESS["source"] = HARMLESS["id"]


def wrong_values() -> Iterator[Hostile]:
    """Well signed CloudEvents with one attribute or field replaced, or one too many."""
    for name in ("specversion", "id", "source", "type", "time", "datacontenttype", "data"):
        for value in WRONG:
            if not _is_harmless(name, value) and not (name == "time" and value is None):
                yield Hostile(encoded({**event(), name: value, "subject": None}))
    for name in ("deal", "version"):
        for value in WRONG:
            if not _is_harmless(name, value):
                body = {**event(), "subject": None}
                body["data"] = {**event()["data"], name: value, "note": CANARY}
                yield Hostile(encoded(body))
    for extra in ("state", "process", "attempts", "__proto__", "constructor", "next_at", CANARY):
        yield Hostile(encoded({**event(), extra: "applied"}))
    for missing in ("specversion", "id", "source", "type", "data"):
        body = {key: value for key, value in event().items() if key != missing}
        yield Hostile(encoded({**body, "canary": CANARY}))
    yield Hostile(encoded({**event(), "subject": CANARY}))
    yield Hostile(encoded({"type": CANARY, "timestamp": CANARY, "data": CANARY}))
    yield Hostile(encoded({"type": "deal.signed", "timestamp": NOW.isoformat(), "data": {}}))
    yield Hostile(encoded([event(), event()]))


def _is_harmless(name: str, value: Any) -> bool:
    return isinstance(value, str) and value in HARMLESS.get(name, ())


def unsigned() -> Iterator[Hostile]:
    """A good event with bad proof of who sends it."""
    body = encoded(event())
    good = signed(body)
    for name in good:
        for value in ("", " ", CANARY, "v1,", "0", "-1", "9" * 30, "v1," + "A" * 10_000, "\x7f"):
            yield Hostile(body, headers={**good, name: value})
        yield Hostile(body, headers={key: text for key, text in good.items() if key != name})
    yield Hostile(body, headers={})
    yield Hostile(body, headers=signed(body, key=OLD_KEY))
    yield Hostile(body, headers={"authorization": f"Bearer {CANARY}"})
    for source in ("staffing", "broken"):
        yield Hostile(body, path=f"/hooks/{source}", headers=good)


def strange_paths() -> Iterator[Hostile]:
    for path in (
        "/hooks", "/hooks/", "/hooks/nobody", "/hooks/crm/..", "/hooks/..%2f..%2fetc", "/hooks/crm%00",
        "/hooks/crm/secret", "/hooks/" + "x" * 5_000, f"/hooks/{CANARY}", "/hooks/crm;a=b", "//hooks/crm",
        "/hooks/%E2%80%AE", "/hooks/salesforce", "/hooks/salesforce/x", "/healthz", "/admin", "/.env",
    ):  # fmt: skip
        yield Hostile(encoded(event()), path=path)
    for method in ("GET", "PUT", "DELETE", "PATCH", "TRACE", "BREW"):
        yield Hostile(encoded(event()), method=method)


def mangled() -> Iterator[Hostile]:
    """Well signed bodies with bytes struck, doubled or flipped. Ends as no valid event by construction."""
    dice = random.Random(20_261_123)  # noqa: S311
    body = encoded({**event(), "data": {**event()["data"], "note": CANARY}})
    for _ in range(60):
        place = dice.randrange(len(body))
        cut = body[:place] + bytes([dice.randrange(256)]) * dice.choice((0, 1, 2)) + body[place + 1 :]
        if not _could_be_an_event(cut):
            yield Hostile(cut)


def _could_be_an_event(body: bytes) -> bool:
    """Whether a mangled body may still be an event of some type, which is kept by right."""
    try:
        value = simplejson.loads(body)
    except ValueError:
        return False
    return isinstance(value, dict) and set(value) == set(event())


def soap() -> Iterator[Hostile]:
    address = "/hooks/salesforce/" + PATH_SECRET
    whole = outbound_message(notification("04lWX0000000001YAA", Name=CANARY))
    for length in range(0, len(whole) - 1, 40):
        yield Hostile(whole[:length], path=address)
    for old, new in (
        (b"00DWX0000009zXyEAI", CANARY.encode()),
        (b"<Id>04lWX0000000001YAA</Id>", b""),
        (b"soapenv:Body", b"soapenv:Soul"),
        (b"2005/09/outbound", b"2005/09/inbound"),
        (b"<soapenv:Envelope", b"<!DOCTYPE x [<!ENTITY y 'z'>]><soapenv:Envelope"),
    ):
        yield Hostile(whole.replace(old, new), path=address)


async def test_hundreds_of_hostile_requests(gateway: Running) -> None:
    hostile = requests()
    assert len(hostile) >= 300
    slowest = 0.0
    wrong: list[str] = []
    with structlog.testing.capture_logs() as logs:
        for number, request in enumerate(hostile):
            headers = signed(request.body) if request.headers is None else request.headers
            begin = time.perf_counter()
            response = await gateway.http.request(
                request.method, request.path, content=request.body, headers=headers
            )
            slowest = max(slowest, time.perf_counter() - begin)
            good_form = response.headers["content-type"] == "application/problem+json"
            if response.status_code not in STATUSES or not good_form or CANARY in response.text:
                wrong.append(f"{number}: {response.status_code} {request} -> {response.text}"[:600])
    assert wrong == []
    assert await gateway.ids() == []
    assert gateway.temporal.starts == []
    assert [log for log in logs if log["event"] == "request_failed"] == []
    for secret in (SECRET, PLAIN_SECRET, PATH_SECRET, KEY.decode()):
        assert secret not in str(logs)
    assert slowest < 1.0


@pytest.mark.parametrize("id", sorted(HARMLESS["id"]))
async def test_an_odd_event_id_is_only_an_id(gateway: Running, id: str) -> None:
    body = encoded(event(id=id))
    response = await gateway.http.post("/hooks/crm", content=body, headers=signed(body))
    assert response.status_code == 202
    assert await gateway.ids() == [f"crm:{id}"]


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_an_object_or_a_refusal(body: bytes) -> None:
    try:
        value = read_object(body)
    except BadJson:
        return
    assert isinstance(value, dict)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(max_size=8), JSON, max_size=5))
def test_an_honest_object_is_read_as_it_was_written(value: dict[str, Any]) -> None:
    text = simplejson.dumps(value)
    if "\\u0000" in text or "\\ud" in text:
        return
    assert read_object(text.encode()) == value
