"""The canaries themselves: planted in every system that holds persons, and found wherever they stand."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from sandbox.app import build_app
from sandbox.settings import SandboxSettings
from tests.support.canaries import MARK, plant, words_in

SPARED = "staffing@fairlead.example"


def records(state: Path) -> list[tuple[str, str, dict[str, object]]]:
    with closing(sqlite3.connect(state)) as database:
        rows = database.execute("SELECT system, object, data FROM records").fetchall()
    return [(system, object, json.loads(data)) for system, object, data in rows]


def test_whoever_is_a_person_has_a_name_found_nowhere_else(tmp_path: Path) -> None:
    settings = SandboxSettings(home=tmp_path, deals=4, customers=4, workers=12)
    build_app(settings).state.world.close()
    before = records(settings.database)
    assert not any(words_in(json.dumps(data), {}) for *_, data in before)
    assert plant(settings.database, [SPARED]) > 40
    after = records(settings.database)
    marked = {(system, kind) for system, kind, data in after if words_in(json.dumps(data), {})}
    assert {
        *(("kantata", "users"), ("salesforce", "Contact"), ("netsuite", "customer"), ("coupa", "suppliers")),
        *(("workday", "workers"), ("workday", "timeOffDetails")),
    } <= marked
    users = {
        data["email_address"]: data for _, kind, data in after if kind == "users" and "full_name" in data
    }
    assert users[SPARED]["full_name"] == "Stella Brandt"
    assert all(MARK in str(data["full_name"]).lower() for mail, data in users.items() if mail != SPARED)
    build_app(settings).state.world.close()  # a sandbox still starts with it


def test_canaries_and_secrets_are_found_in_any_text() -> None:
    secrets = {"codec key": "abcdefgh"}
    assert words_in("nothing", secrets) == set()
    assert words_in(f"Mail to {MARK.title()}-1", secrets) == {f"{MARK.title()}-1"}
    assert words_in("key=abcdefgh", secrets) == {"secret codec key"}
