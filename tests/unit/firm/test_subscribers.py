"""`[subscribers.<name>]`: what may stand there, and what is said of a mistake."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from domain.readiness import OwnerGroup
from firm.load import load
from firm.problems import FirmFileError, Problem
from firm.subscribers import allowed_address

EXAMPLE = Path(__file__).parents[3] / "examples" / "firm"
SECTION = """
[subscribers.staffing]
url = "https://staffing.example.com/events"
types = ["demand.published", "demand.withdrawn"]
secret = "env:STAFFING_SECRET"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(EXAMPLE, tmp_path / "firm")
    return tmp_path / "firm"


def write(folder: Path, section: str) -> int:
    """Add `section` to the firm's file; the line it begins at."""
    file = folder / "fairlead.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text + section, encoding="utf-8")
    return text.count("\n") + 2


def mistake(folder: Path) -> Problem:
    with pytest.raises(FirmFileError) as caught:
        load(folder)
    (problem,) = caught.value.problems
    return problem


def test_a_subscriber_has_an_address_types_and_a_secret(folder: Path) -> None:
    write(folder, SECTION + 'next_secret = "env:STAFFING_NEXT"\nowner = "delivery_operations"\n')
    firm = load(folder)
    subscriber = firm.subscribers["staffing"]
    assert subscriber.url == "https://staffing.example.com/events"
    assert subscriber.types == ("demand.published", "demand.withdrawn")
    assert (subscriber.timeout, subscriber.owner) == (timedelta(seconds=15), OwnerGroup.DELIVERY_OPERATIONS)
    references = dict(firm.secret_references())
    assert references["subscribers.staffing.secret"] == "env:STAFFING_SECRET"
    assert references["subscribers.staffing.next_secret"] == "env:STAFFING_NEXT"


@pytest.mark.parametrize("url", ["http://127.0.0.1:9000/e", "http://localhost:9000", "http://[::1]:9000/e"])
def test_on_this_machine_it_need_not_be_encrypted(folder: Path, url: str) -> None:
    write(folder, SECTION.replace("https://staffing.example.com/events", url))
    assert load(folder).subscribers["staffing"].url == url


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "what", "cure"),
    [
        ('"https://', '"http://', 1, "url", "not encrypted", "https for staffing.example.com"),
        ("https://staffing.example.com/events", "staffing", 1, "url", "not a web address", "https://"),
        ("staffing.example.com", "u:pw@staffing.example.com", 1, "url", "credentials", "take them out"),
        ("staffing.example.com", "10.0.0.7", 1, "url", "private network", "public host"),
        ("staffing.example.com", "169.254.169.254", 1, "url", "private network", "public host"),
        ("staffing.example.com", "[::ffff:192.168.0.1]", 1, "url", "private network", "public host"),
        ("staffing.example.com", "staffing.example.com:99999", 1, "url", "not a web address", "https://"),
        ("/events", "/events#a", 1, "url", "never sent", "take it out"),
        ("demand.withdrawn", "demand.withdrawm", 2, "types[1]", "no event", "mean demand.withdrawn?"),
        ("demand.withdrawn", "deal.signed", 2, "types[1]", "no event that Fairlead tells", "known are"),
        ("demand.withdrawn", "demand.published", 2, "types[1]", "named twice", "once"),
        ('["demand.published", "demand.withdrawn"]', "[]", 2, "types", "at least 1", "correct"),
        ('"env:STAFFING_SECRET"', '"whsec_abc"', 3, "secret", "not a reference", "env:NAME"),
        ('secret = "env:STAFFING_SECRET"', "", 0, "secret", "is missing", "add secret"),
        ("secret =", 'timeout = "2m"\nsecret =', 3, "timeout", "between 1 and 60 seconds", "15s"),
        ("secret =", "secrets = 1\nsecret =", 3, "secrets", "not a key", "did you mean secret?"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_cure(
    folder: Path, old: str, new: str, line: int, key: str, what: str, cure: str
) -> None:
    assert old in SECTION
    begins = write(folder, SECTION.replace(old, new, 1))
    problem = mistake(folder)
    assert (problem.file, problem.key) == ("fairlead.toml", f"subscribers.staffing.{key}")
    assert problem.line == begins + line
    assert what in problem.what
    assert cure in problem.cure
    assert "whsec_abc" not in str(problem)
    assert "pw@" not in str(problem)


@pytest.mark.parametrize(
    ("host", "address", "allowed"),
    [
        ("staffing.example.com", "93.184.216.34", True),
        ("staffing.example.com", "2606:2800:220:1:248:1893:25c8:1946", True),
        ("staffing.example.com", "172.16.4.4", False),
        ("staffing.example.com", "100.64.0.1", False),
        ("staffing.example.com", "0.1.2.3", False),
        ("staffing.example.com", "::1", False),
        ("staffing.example.com", "fd00::1", False),
        ("localhost", "127.0.0.1", True),
        ("localhost", "::1", True),
        ("127.0.0.1", "127.0.0.1", True),
        ("localhost", "10.0.0.1", False),
    ],
)
def test_only_public_addresses_are_called_but_for_the_loopback(
    host: str, address: str, allowed: bool
) -> None:
    assert allowed_address(host, address) is allowed
