"""The documents as data: links, code, and the walk-throughs of the README with what they should print."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = "…"
"""In an output: lines are left out here."""

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"^ {4}(\S.*)$", re.MULTILINE)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_WALK = re.compile(r"<!-- walk-through: ([\w-]+) -->\n(.*?)<!-- /walk-through -->", re.DOTALL)
_COMMAND = re.compile(r"\$ (?P<text>.*?)(?:\s+# exit code (?P<code>\d)\b.*)?")


@dataclass(frozen=True)
class Step:
    """One command of a walk-through, the exit code it should have and lines that it should print."""

    command: str
    code: int
    lines: tuple[str, ...]


def documents() -> list[Path]:
    """Every Markdown file that people read."""
    top = [path for path in ROOT.glob("*.md")]
    return sorted([*top, *(ROOT / "docs").rglob("*.md"), ROOT / "sandbox" / "README.md"])


def walk_throughs(text: str) -> dict[str, list[Step]]:
    """The marked walk-throughs by name, each as its steps in order."""
    return {name: list(_steps(body)) for name, body in _WALK.findall(text)}


def _steps(body: str) -> Iterator[Step]:
    """Commands of `console` blocks; a `bash` block is one command, the `json` block behind it its output."""
    script = ""
    for language, content in _FENCE.findall(body):
        if language == "console":
            yield from _session(content)
        elif language == "bash":
            script = content
        elif language == "json" and script:
            yield Step(script, 0, _shown(content.splitlines()))
            script = ""
    assert not script, "a bash block needs a json block that shows what it prints"


def _session(content: str) -> Iterator[Step]:
    for part in re.split(r"^(?=\$ )", content, flags=re.MULTILINE):
        if not part.strip():
            continue
        first, *output = part.splitlines()
        found = _COMMAND.fullmatch(first)
        assert found, f"a console block begins with '$ ', not with {first!r}"
        yield Step(found["text"], int(found["code"] or 0), _shown(output))


def _shown(lines: list[str]) -> tuple[str, ...]:
    return tuple(line for line in lines if line.strip() and line.strip() != LEFT_OUT)


def commands_named(text: str) -> Iterator[tuple[str, bool]]:
    """Every `fairlead ...` in code, and whether it stands alone as a whole command (else in a sentence)."""
    bodies = [body for _, body in _FENCE.findall(text)]
    prose = _FENCE.sub("", text)
    lines = [line for body in bodies for line in body.splitlines()] + _INDENTED.findall(prose)
    for line in lines:
        shell = line.strip().removeprefix("$ ").partition("  #")[0].strip()
        if shell.startswith("fairlead "):
            yield shell, True
    for code in _INLINE.findall(prose):
        if code.startswith("fairlead ") and LEFT_OUT not in code:
            yield code, False


def relative_links(text: str) -> list[str]:
    """Targets of links into this repository, without their anchors."""
    targets = [target for target in _LINK.findall(text) if not re.match(r"[a-z]+:|#", target)]
    return [target.partition("#")[0] for target in targets]


def anchors_used(text: str) -> list[tuple[str, str]]:
    """(file, anchor) of links to a heading; the file is empty for the same document."""
    found = [target.partition("#") for target in _LINK.findall(text) if not re.match(r"[a-z]+:", target)]
    return [(file, anchor) for file, _, anchor in found if anchor]


def headings(text: str) -> set[str]:
    """Anchors of the headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", _FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
