"""The event catalogue as files: `python -m gateway.catalog_file` writes `docs/events/` anew.

`catalog.json` there is the baseline that the tests hold every change of `domain.events` against.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from domain.event_schemas import asyncapi, catalogue_changes, catalogue_document

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "events"
BASELINE = FOLDER / "catalog.json"
ASYNCAPI = FOLDER / "asyncapi.json"
GATEWAY_URL = "http://127.0.0.1:8400"


def text_of(document: Mapping[str, Any]) -> str:
    """The document as it stands in a file."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def write(folder: Path = FOLDER) -> list[str]:
    """Write catalogue and AsyncAPI, unless that would break who sends or receives; then what would."""
    baseline = folder / BASELINE.name
    document = catalogue_document()
    if baseline.is_file():
        broken = catalogue_changes(json.loads(baseline.read_text(encoding="utf-8")), document)
        if broken:
            return broken
    folder.mkdir(parents=True, exist_ok=True)
    baseline.write_text(text_of(document), encoding="utf-8")
    (folder / ASYNCAPI.name).write_text(text_of(asyncapi(GATEWAY_URL)), encoding="utf-8")
    return []


def main() -> int:
    broken = write()
    for change in broken:
        print(f"incompatible: {change}", file=sys.stderr)
    if broken:
        print(
            "nothing written; add a new version of the event and give the old one a sunset", file=sys.stderr
        )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
