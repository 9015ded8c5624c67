"""Hostile requests, made from a seed: bodies, headers, paths and methods that nobody honest sends.

They go to the app below any HTTP library, which would correct or refuse half of them.
"""

import copy
import gzip
import json
import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

from fastapi import FastAPI

CANARY = "CANARY-4b1d"
"""Stands in the requests; must stand in no refusal."""
TIMES = int(os.environ.get("FAIRLEAD_HOSTILE", "1"))
"""How many times the usual number of requests is sent."""
SEED = int(os.environ.get("FAIRLEAD_HOSTILE_SEED", "20261123"))
JSON = (b"content-type", b"application/json")
Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True)
class Attack:
    """One request, byte by byte."""

    path: bytes
    method: str = "POST"
    query: bytes = b""
    headers: Headers = (JSON,)
    parts: tuple[bytes, ...] = (b"",)
    broken_off: bool = False
    """The sender goes away before the body's end."""

    @property
    def body(self) -> bytes:
        return b"".join(self.parts)

    def __str__(self) -> str:
        sent = (self.query, self.headers[:4], self.body[:200])
        return f"{self.method} {self.path[:120]!r} {sent!r}"[:600]


@dataclass
class Answer:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


async def send(app: FastAPI, attack: Attack) -> Answer:
    """The app's answer. Raises what the app lets escape."""
    answer, waiting = Answer(), [*attack.parts]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": attack.method,
        "scheme": "http",
        "path": unquote(attack.path.decode("ascii")),
        "raw_path": attack.path,
        "query_string": attack.query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in attack.headers],
        "client": ("203.0.113.9", 4711),
        "server": ("gateway.test", 80),
        "state": {},
    }

    async def receive() -> dict[str, Any]:
        if not waiting:
            return {"type": "http.disconnect"}
        part = waiting.pop(0)
        more = bool(waiting) or attack.broken_off
        return {"type": "http.request", "body": part, "more_body": more}

    async def took(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode(): value.decode("latin-1") for name, value in message["headers"]}
        else:
            answer.body += message.get("body", b"")

    await app(scope, receive, took)  # type: ignore[arg-type]
    return answer


RAW_BODIES = [
    b"", b" ", b"null", b"true", b"0", b'"text"', b"[]", b"[{}]", b"{", b"}", b"{]", b"{'a':1}", b"{}",
    b'{"a":1,}', b'{"a":01}', b'{"a":.5}', b'{"a":NaN}', b'{"a":Infinity}', b'{"a":-Infinity}',
    b'{"a":1e400}', b'{"a":-1e400}', b'{"a":1e-400}', b'{"a":1e99999999999999999999}',
    b'{"a":' + b"9" * 5_000 + b"}", b'{"a":0.' + b"1" * 5_000 + b"}", b'{"a":1}{"a":1}',
    b"[" * 20_000, b'{"a":' * 10_000, b"[" * 40 + b"]" * 40, b'{"a":' * 40 + b"1" + b"}" * 40,
    b'{"a":"\\u0000"}', b'{"\\u0000":1}', b'{"a":"\\ud800"}', b'{"a":"\\udc00x"}', b'{"a":"\x00"}',
    b'{"a":"\xff\xfe"}', b"\xff\xfe{}", b"\xef\xbb\xbf{}", b"\x1f\x8b\x08", b"<xml/>", b"a=b&c=d",
    b'{"a":1,"a":2}', b"{}" + b"\x00" * 10, b"--boundary\r\n", b"x" * 70_000,
    b'{"a":"' + b"x" * 70_000 + b'"}', b"{" + b" " * 70_000 + b"}", "{\u201ca\u201d:1}".encode(),
    "{}".encode("utf-16"), "{}".encode("utf-32"), b'"' * 1_000, b"\xc0\xaf", b"\xed\xa0\x80",
]  # fmt: skip
WRONG_VALUES: list[Any] = [
    None, True, False, 0, -1, 5, 10**30, 1.5, 1e308, "", " ", "\n", "x" * 5_000, "a b", "../../../etc/passwd",
    "..\\..\\x", "a/b", "=cmd|'/C calc'!A1", "+1+1", "@SUM(A1)", "'; DROP TABLE inbox;--", "' OR '1'='1",
    "<script>alert(1)</script>", "${jndi:ldap://x}", "%00", "\u0000",
    "http://169.254.169.254/latest/meta-data", "file:///etc/passwd", "\u202e\u2066x", "\ufeffx",
    "a\u200bb", "\U0001f600", "e\u0301" * 300, "NaN", "1e400", "Infinity", "0.001", "1,000.00", "-0", "XAU",
    "eur", "EURO", "{{7*7}}", "__proto__", CANARY, CANARY * 50,
    [], {}, [1], {"a": 1}, ["deal"], {"$ref": "#"}, [[[[[[]]]]]], {"amount": "1", "currency": CANARY},
    {"amount": "0.001", "currency": "EUR"}, {"amount": 1e300, "currency": "EUR"},
    {"amount": [], "currency": {}},
]  # fmt: skip
EXTRA_FIELDS = (
    *(
        "id",
        "schema_version",
        "state",
        "process",
        "requested_by",
        "actor",
        "role",
        "firm",
        "approved",
        "policy",
    ),
    *("__proto__", "constructor", "__class__", "callback_url", "", " ", "\u202e", CANARY, "x" * 1_000),
)
TYPES = [
    b"", b"text/plain", b"application/xml", b"application/x-www-form-urlencoded", b"multipart/form-data",
    b"application/json; charset=utf-16", b"application/json; charset=latin-1", b"application/jsonx",
    b"application/json, text/html", b"application/json;" + b"a" * 5_000, b"\xff\xfe", b"*/*",
    b"application/" + CANARY.encode(),
]  # fmt: skip
STRANGE_HEADERS: list[Headers] = [
    ((b"content-encoding", b"gzip"),),
    ((b"content-encoding", b"deflate, gzip"),),
    ((b"content-length", b"99999999999999999999999"),),
    ((b"content-length", b"-1"),),
    ((b"content-length", b"70000"),),
    ((b"content-length", b"\xb2"),),
    ((b"transfer-encoding", b"chunked"),),
    ((b"host", b"evil.example"), (b"x-forwarded-for", b"127.0.0.1"), (b"x-forwarded-host", CANARY.encode())),
    ((b"x-http-method-override", b"DELETE"),),
    ((b"origin", b"https://evil.example"),),
    ((b"accept", CANARY.encode()), (b"user-agent", b"() { :;}; echo " + CANARY.encode())),
    ((b"cookie", b"a=" + b"b" * 30_000),),
    ((b"range", b"bytes=0-" + b"9" * 1_000),),
    ((b"expect", b"100-continue"),),
    tuple((b"x-%d" % number, b"y" * 50) for number in range(800)),
    ((b"idempotency-key", b""),),
    ((b"idempotency-key", b"\xff\x00" + CANARY.encode()),),
    ((b"idempotency-key", b"k" * 10_000),),
    ((b"idempotency-key", b"a"), (b"idempotency-key", b"b")),
    ((b"content-type", b"application/json"), (b"content-type", b"text/html")),
]
STRANGE_PATHS = [
    b"..", b"%2e%2e", b"..%2f..%2fetc%2fpasswd", b"%252e%252e", b"%00", b"a%00b", b"%E2%80%AE", b"%ff%fe",
    b"%c0%af",
    b"a;b=c", b"a%0d%0aX-Evil:%201", b"'%20OR%20'1'='1", b"%3Cscript%3E", b"%7B%7B7*7%7D%7D", b"x" * 5_000,
    b"*", b"~", b"-", b".", b"%20", b"%5c..%5c", CANARY.encode(), b"%F0%9F%98%80", b"a:b", b"_", b"%ed%a0%80",
]  # fmt: skip
STRANGE_QUERIES = [
    b"a=1", b"live=", b"live=1", b"live=TRUE", b"live=true&live=false", b"live=true&x=y", b"&&&", b"=", b"%",
    b"%00=%00", b"live=%ff", b"a[]=1&a[b]=2", CANARY.encode() + b"=1", b"q=" + b"x" * 20_000, b"a=1" * 2_000,
    b"live=true%00", b"live%00=true", b"access_token=" + CANARY.encode(),
]  # fmt: skip
METHODS = ("GET", "PUT", "DELETE", "PATCH", "TRACE", "HEAD", "OPTIONS", "CONNECT", "BREW", "post", "")


def mutated(body: Any, dice: random.Random) -> Any:
    """`body` with one to three of its places replaced, taken out, doubled or buried."""
    whole = {"": copy.deepcopy(body)}
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        holder, place = dice.choice(list(_places(whole)))
        kind = dice.randrange(8)
        if kind == 0 and isinstance(holder, dict) and place:
            del holder[place]
        elif kind == 1 and isinstance(holder[place], dict):
            holder[place][dice.choice(EXTRA_FIELDS)] = dice.choice([CANARY, 1, None, {}])
        elif kind == 2:
            for _ in range(dice.choice((1, 5, 40))):
                holder[place] = {"a": holder[place]} if dice.random() < 0.5 else [holder[place]]
        else:
            holder[place] = copy.deepcopy(dice.choice(WRONG_VALUES))
    return whole.get("")


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    keys: Sequence[Any] = list(value) if isinstance(value, dict) else range(len(value))
    for key in keys:
        yield value, key
        if isinstance(value[key], dict | list) and value[key]:
            yield from _places(value[key])


def damaged(content: bytes, dice: random.Random) -> bytes:
    """`content` with some of its bytes flipped, struck, doubled, cut off or written in another encoding."""
    kind = dice.randrange(7)
    if kind == 0:
        return content[: dice.randrange(len(content) or 1)]
    if kind == 1:
        return content.decode("utf-8", "replace").encode(
            dice.choice(("utf-16", "utf-32", "utf-7", "utf-8-sig"))
        )
    if kind == 2:
        return gzip.compress(content)
    changed = bytearray(content)
    for _ in range(dice.choice((1, 2, 8))):
        place = dice.randrange(len(changed) or 1)
        changed[place : place + 1] = bytes([dice.randrange(256)]) * dice.choice((0, 1, 1, 2))
    return bytes(changed)


def on_body(base: Attack, body: Any, count: int, dice: random.Random) -> Iterator[Attack]:
    """`count` attacks on an address that takes `body`."""
    whole = json.dumps(body).encode()
    for raw in RAW_BODIES:
        yield replace(base, parts=(raw,))
    for kind in TYPES:
        headers = tuple(header for header in base.headers if header[0] != b"content-type")
        yield replace(base, parts=(whole,), headers=(*headers, (b"content-type", kind)))
    bomb = gzip.compress(b" " * 5_000_000)
    yield replace(base, parts=(bomb,), headers=(*base.headers, (b"content-encoding", b"gzip")))
    yield replace(base, parts=(b"{" + b" " * 40_000,) * 3)
    yield replace(base, parts=tuple(bytes([byte]) for byte in whole[:-1]))
    yield replace(base, parts=(whole[:20],), broken_off=True)
    yield replace(base, parts=(), broken_off=True)
    doubled = b'{"%s":1,%s' % (next(iter(body)).encode(), whole[1:])
    yield replace(base, parts=(doubled,))
    for headers in STRANGE_HEADERS:
        yield replace(base, headers=(*base.headers, *headers), parts=(damaged(whole, dice),))
    for query in STRANGE_QUERIES:
        yield replace(base, query=query, parts=(whole,))
    for method in METHODS:
        yield replace(base, method=method, parts=(whole,))
    for _ in range(count):
        content = json.dumps(mutated(body, dice), ensure_ascii=dice.random() < 0.5)
        encoded = content.encode("utf-8", "surrogatepass")
        broken = damaged(encoded, dice) if dice.random() < 0.4 else encoded
        step = dice.choice((len(broken) or 1, len(broken) or 1, 7))
        yield replace(base, parts=tuple(broken[at : at + step] for at in range(0, len(broken) or 1, step)))


def on_path(
    before: bytes, after: bytes, good: Sequence[bytes], count: int, dice: random.Random
) -> Iterator[Attack]:
    """`count` attacks on an address with a part of the caller's between `before` and `after`."""
    base = Attack(before + good[0] + after, "GET", headers=())
    for part in STRANGE_PATHS:
        yield replace(base, path=before + part + after)
        yield replace(base, path=before + part + b"/" + part + after)
    for query in STRANGE_QUERIES:
        yield replace(base, query=query)
    for headers in STRANGE_HEADERS:
        yield replace(base, path=before + CANARY.encode() + after, headers=headers)
    for method in METHODS[1:]:
        yield replace(base, method=method)
    for _ in range(count):
        strange = bytearray(dice.choice([*good, *STRANGE_PATHS]))
        for _ in range(dice.choice((1, 2, 5))):
            place = dice.randrange(len(strange) + 1)
            strange[place:place] = b"%%%02x" % dice.randrange(256) if dice.random() < 0.7 else CANARY.encode()
        query = dice.choice(STRANGE_QUERIES) if dice.random() < 0.3 else b""
        yield replace(base, path=before + bytes(strange) + after, query=query)
