"""Signatures: vectors computed from the specifications, and every way to get one wrong."""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest

from gateway.registration import Hook, UnusableSecret, registered_hooks, signing_key
from gateway.verification import Delivery, NotVerified, check_organization, verify
from tests.unit.gateway.gateway_parts import (
    KEY,
    NOW,
    OLD_KEY,
    ORG,
    PATH_SECRET,
    PLAIN_SECRET,
    SECRET,
    GatewayTestFirm,
    Section,
    signed,
)

BODY = b'{"specversion":"1.0"}'


def standard(*secrets: str) -> Hook:
    return Hook("crm", "standard-webhooks", secrets=lambda: secrets or [SECRET])


def check(hook: Hook, headers: Mapping[str, str], body: bytes = BODY, path_secret: str = "") -> str:
    return verify(hook, Delivery(headers, body, path_secret), NOW)


def whsec(key: bytes) -> str:
    return "whsec_" + base64.b64encode(key).decode()


def test_the_published_example_of_standard_webhooks_verifies() -> None:
    """The vector of the specification's own libraries (secret, id, time stamp, payload, signature)."""
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    delivery = Delivery(headers, b'{"test": 2432232314}')
    at = NOW.fromtimestamp(1614265330, NOW.tzinfo)
    hook = standard("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert verify(hook, delivery, at) == "msg_p5jXN8AQM9LWM0D4loKWxJek"


def test_a_signature_made_by_the_book_verifies() -> None:
    assert check(standard(), signed(BODY, id="evt-9")) == "evt-9"


def test_one_good_signature_among_several_is_enough() -> None:
    good = signed(BODY)["webhook-signature"]
    old = signed(BODY, key=OLD_KEY)["webhook-signature"]
    for offered in (f"{old} {good}", f"v1a,ed25519 {good}", f"{good} v2,x"):
        assert check(standard(), {**signed(BODY), "webhook-signature": offered})


def test_both_secrets_are_good_while_one_replaces_the_other() -> None:
    both = standard(whsec(OLD_KEY), SECRET)
    assert check(both, signed(BODY, key=OLD_KEY)) == check(both, signed(BODY, key=KEY)) == "evt-1"


@pytest.mark.parametrize("seconds", [-299, 0, 299])
def test_within_the_tolerance(seconds: int) -> None:
    assert check(standard(), signed(BODY, at=NOW + timedelta(seconds=seconds)))


@pytest.mark.parametrize(
    ("headers", "status", "reason"),
    [
        ({}, 401, "webhook-id is missing"),
        ({"webhook-id": ""}, 401, "webhook-id is missing"),
        ({"webhook-timestamp": ""}, 401, "webhook-timestamp is missing"),
        ({"webhook-signature": ""}, 401, "webhook-signature is missing"),
        ({"webhook-timestamp": "soon"}, 400, "not a whole number"),
        ({"webhook-timestamp": "1e9"}, 400, "not a whole number"),
        ({"webhook-timestamp": "-5"}, 400, "not a whole number"),
        ({"webhook-timestamp": "٣"}, 400, "not a whole number"),
        ({"webhook-timestamp": "9" * 400}, 400, "not a whole number"),
        ({"webhook-signature": "v1,"}, 401, "does not match"),
        ({"webhook-signature": "v1,AAAA"}, 401, "does not match"),
        ({"webhook-signature": "\u00fc\u00df"}, 401, "does not match"),
        ({"webhook-signature": " ".join(["v1,AAAA"] * 1000)}, 401, "does not match"),
        ({"webhook-id": "evt-2"}, 401, "does not match"),
        ({"webhook-id": "two words"}, 400, "printable"),
        ({"webhook-id": "x" * 201}, 400, "printable"),
    ],
)
def test_what_is_wrong_is_refused_with_its_reason(headers: dict[str, str], status: int, reason: str) -> None:
    offered = {**signed(BODY), **headers} if headers else {}
    with pytest.raises(NotVerified) as refused:
        check(standard(), offered)
    assert refused.value.status == status
    assert reason in refused.value.reason


@pytest.mark.parametrize(("seconds", "word"), [(-301, "old"), (301, "in the future"), (-86_400, "old")])
def test_a_stale_signature_is_refused_though_it_is_good(seconds: int, word: str) -> None:
    with pytest.raises(NotVerified, match=word):
        check(standard(), signed(BODY, at=NOW + timedelta(seconds=seconds)))


def test_one_changed_byte_breaks_the_signature() -> None:
    for position in range(len(BODY)):
        changed = BODY[:position] + bytes([BODY[position] ^ 1]) + BODY[position + 1 :]
        with pytest.raises(NotVerified):
            check(standard(), signed(BODY), changed)


def test_another_key_is_refused() -> None:
    with pytest.raises(NotVerified):
        check(standard(), signed(BODY, key=OLD_KEY))


@pytest.mark.parametrize(
    ("secrets", "said"),
    [
        ([], "has no secret"),
        ([""], "has no secret"),
        (["whsec_not base64!"], "must be whsec_"),
        ([whsec(b"short")], "has 5 bytes"),
    ],
)
def test_an_unusable_secret_closes_the_source(secrets: Sequence[str], said: str) -> None:
    hook = Hook("crm", "standard-webhooks", secrets=lambda: secrets)
    with pytest.raises(UnusableSecret, match=said) as refused:
        check(hook, signed(BODY))
    assert "not base64" not in str(refused.value)


def test_the_generic_scheme() -> None:
    hook = Hook("staffing", "hmac-timestamp", secrets=lambda: [PLAIN_SECRET])
    stamp = str(int(NOW.timestamp()))
    digest = hmac.new(PLAIN_SECRET.encode(), stamp.encode() + b"." + BODY, hashlib.sha256).hexdigest()
    headers = {"x-webhook-timestamp": stamp, "x-webhook-signature": f"sha256={digest}"}
    assert check(hook, headers) == ""
    assert check(hook, {**headers, "x-webhook-signature": f"sha256=00, sha256={digest}"}) == ""
    for bad in ({**headers, "x-webhook-signature": digest}, {**headers, "x-webhook-timestamp": "1"}, {}):
        with pytest.raises(NotVerified):
            check(hook, bad)
    with pytest.raises(NotVerified):
        check(hook, headers, BODY + b" ")


def test_a_secret_address() -> None:
    hook = Hook("salesforce", "salesforce-outbound-message", secrets=lambda: [PATH_SECRET])
    assert check(hook, {}, path_secret=PATH_SECRET) == ""
    for wrong in ("", PATH_SECRET[:-1], PATH_SECRET + "x", "x" * 36):
        with pytest.raises(NotVerified):
            check(hook, {}, path_secret=wrong)
    short = Hook("salesforce", "salesforce-outbound-message", secrets=lambda: ["short"])
    with pytest.raises(UnusableSecret, match="24 characters"):
        check(short, {}, path_secret="short")


def test_the_organization_may_come_in_either_form() -> None:
    hook = Hook("salesforce", "salesforce-outbound-message", organization=ORG)
    short = Hook("salesforce", "salesforce-outbound-message", organization=ORG[:15])
    for good in (ORG, ORG[:15]):
        check_organization(hook, good)
        check_organization(short, good)
    for bad in ("", "00D", ORG[:14], ORG[:15].lower(), ORG[:15] + "AAA", "00DWX0000009zXz", "ü" * 15):
        with pytest.raises(NotVerified):
            check_organization(hook, bad)


def test_a_source_may_send_only_what_it_is_registered_for() -> None:
    hook = Hook("staffing", "hmac-timestamp", events={"request.decided": "staffing.decided"})
    assert hook.event_type("request.decided") == hook.event_type("staffing.decided") == "staffing.decided"
    assert hook.event_type("deal.signed") is None
    assert standard().event_type("deal.signed") == "deal.signed"


@pytest.mark.parametrize(
    ("section", "said"),
    [
        (Section("md5", "env:X"), "webhooks.crm.scheme is 'md5'"),  # type: ignore[arg-type]
        (Section("salesforce-outbound-message", "env:X", org_id="00D"), r"webhooks.crm.org_id"),
        (Section("hmac-timestamp", "env:X", events={"won": "deal.won"}), r"events.won is 'deal.won'"),
    ],
)
def test_a_register_that_cannot_be_used_says_where(section: Section, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        registered_hooks(GatewayTestFirm(webhooks={"crm": section}))


def test_a_hook_never_shows_its_secret() -> None:
    hook = registered_hooks(GatewayTestFirm())["crm"]
    assert signing_key(hook, hook.valid_secrets()[0]) == KEY
    assert SECRET not in repr(hook)
    assert "secrets" not in repr(hook)
    delivery = Delivery({}, b"body-canary", "path-canary")
    assert "canary" not in repr(delivery)
