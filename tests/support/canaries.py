"""Canaries: words planted wherever a system holds something personal or confidential, to be looked for later.

The sandbox is stopped, its records are changed in its file, and it is started again: whoever is a person
there has a name, an address and a note that occur nowhere else in the world.
"""

import json
import re
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

MARK = "zqcanary"
"""Stands in every planted word; no other text holds it."""
_NAMES = {"full_name", "first_name", "last_name", "FirstName", "LastName"}
_MAILS = {"email", "email_address", "Email"}
_EXTRA: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("workday", "workers"): {"phone": "phone", "iban": "bank", "pay": "pay", "home_address": "home"},
    ("kantata", "users"): {"cost_rate": "rate", "bio": "life"},
    ("salesforce", "Contact"): {"Phone": "phone", "MailingStreet": "home"},
    ("netsuite", "customer"): {"phone": "phone", "comments": "remark"},
    ("coupa", "suppliers"): {"bank-account": "bank"},
}
"""Fields that the seed leaves empty, by system and object."""
_KINDS_OF_ABSENCE = re.compile(r"Sick Leave|Care Leave|Vacation|Parental")


def plant(state: Path, spared: Iterable[str]) -> int:
    """Put canaries into the sandbox's records at `state`; how many. Whose mail is `spared` stays as it is."""
    with closing(sqlite3.connect(state)) as database, database:
        rows = database.execute("SELECT seq, system, object, data FROM records").fetchall()
        people = _renamed((json.loads(data) for *_, data in rows), {mail.casefold() for mail in spared})
        planted = 0
        for seq, system, object, data in rows:
            changed = _changed(data, people, f"{system}{seq}")
            record = json.loads(changed)
            extra = _EXTRA.get((system, object), {})
            record |= {
                name: f"{MARK}-{word}-{seq}" for name, word in extra.items() if not _known(record, name)
            }
            text = json.dumps(record, ensure_ascii=False) if extra else changed
            if text != data:
                planted += 1
                database.execute("UPDATE records SET data = ? WHERE seq = ?", (text, seq))
    return planted


def _known(record: Mapping[str, Any], name: str) -> bool:
    return bool(record.get(name))


def _renamed(records: Iterable[Mapping[str, Any]], spared: set[str]) -> dict[str, str]:
    """Each person's name and mail -> the canary instead; whole values only, the same everywhere."""
    found: dict[str, str] = {}
    for record in records:
        mails = [str(record[name]) for name in sorted(_MAILS) if record.get(name)]
        if any(mail.casefold() in spared for mail in mails):
            continue
        for name in sorted(_NAMES | _MAILS):
            said = record.get(name)
            if isinstance(said, str) and said and said not in found:
                number = len(found)
                mail = f"{MARK}.mail{number}@people.example"
                found[said] = mail if name in _MAILS else f"{MARK.title()} {name.title()}{number}"
    return found


def _changed(data: str, people: Mapping[str, str], of: str) -> str:
    """The text of a record with every string that is somebody's name or mail exchanged."""

    def exchanged(match: re.Match[str]) -> str:
        if match[1]:  # a key
            return match[0]
        said = json.loads(match[0])
        return json.dumps(people[said], ensure_ascii=False) if said in people else match[0]

    text = re.sub(r'"(?:[^"\\]|\\.)*"(\s*:)?', exchanged, data)
    return _KINDS_OF_ABSENCE.sub(f"{MARK}-absence-{of}", text) if of.startswith("workday") else text


def words_in(text: str, secrets: Mapping[str, str]) -> set[str]:
    """Canaries that stand in `text`, and names of `secrets` whose value does."""
    found = {text[m.start() : m.end() + 40] for m in re.finditer(MARK, text, re.IGNORECASE)}
    return found | {f"secret {name}" for name, value in secrets.items() if value in text}
