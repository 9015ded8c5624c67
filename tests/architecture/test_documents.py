"""The documents hold: commands exist with their options, links lead somewhere, nothing foreign is named."""

import inspect
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from cli.main import build
from tests.support.readme import (
    ROOT,
    anchors_used,
    commands_named,
    documents,
    headings,
    relative_links,
    walk_throughs,
)

DOCUMENTS = documents()


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.fixture(scope="module")
def fairlead() -> Any:
    """The app as the command parser sees it."""
    return typer.main.get_command(build())


def misuse(root: Any, text: str, *, whole: bool) -> str:
    """What is wrong with a command line, "" when nothing is. `whole`: required arguments must be there."""
    words = shlex.split(text, comments=True)[1:]
    command, context = root, None
    while hasattr(command, "commands"):
        if not words:
            return ""
        if words[0].startswith("-"):
            return _parsed(command, words, context, whole=False)
        if words[0] not in command.commands:
            return f"there is no command {words[0]!r}"
        command, words = command.commands[words[0]], words[1:]
    return _parsed(command, words, context, whole=whole)


def _parsed(command: Any, words: list[str], context: Any, *, whole: bool) -> str:
    known = {option for parameter in command.params for option in parameter.opts}
    known |= {option for parameter in command.params for option in parameter.secondary_opts}
    given = [word.partition("=")[0] for word in words if word.startswith("-")]
    unknown = [option for option in given if option not in known | {"--help", "-h"}]
    if unknown:
        return f"there is no option {unknown[0]}"
    if not whole:
        return ""
    try:
        command.make_context(command.name, list(words), parent=context)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_command_named_exists_with_its_options(path: Path, fairlead: Any) -> None:
    named = list(commands_named(path.read_text(encoding="utf-8")))
    wrong = {text: misuse(fairlead, text, whole=whole) for text, whole in named}
    assert not {text: why for text, why in wrong.items() if why}


def test_the_test_sees_commands_that_do_not_exist(fairlead: Any) -> None:
    assert misuse(fairlead, "fairlead activate DEAL --wait", whole=True) == ""
    assert "no command" in misuse(fairlead, "fairlead exceptions mend X", whole=True)
    assert "no option" in misuse(fairlead, "fairlead activate DEAL --patiently", whole=True)
    assert "no option" in misuse(fairlead, "fairlead status --patiently", whole=False)
    assert misuse(fairlead, "fairlead cancel DEAL --as EMAIL", whole=True), "--reason is required"


def test_the_readme_names_the_commands_of_every_day(fairlead: Any) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = {" ".join(command.split()[:2]) for command, _ in commands_named(text)}
    daily = "up down demo drill activate watch trace readiness status approve doctor ui".split()
    assert not {f"fairlead {name}" for name in daily} - named


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_relative_link_resolves(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    missing = [target for target in relative_links(text) if target and not (path.parent / target).exists()]
    assert not missing
    for file, anchor in anchors_used(text):
        other = (path.parent / file).read_text(encoding="utf-8") if file else text
        assert anchor in headings(other), f"{file}#{anchor}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_files_and_folders_named_in_code_exist(path: Path) -> None:
    """`workflows/registry.py` and the like: a moved file must not leave its name behind."""
    code = re.findall(r"`([a-z_]+(?:/[\w.-]+)*/?[\w.-]*\.(?:py|toml|md|json|lock))`", path.read_text("utf-8"))
    bases = (ROOT, path.parent, ROOT / "examples" / "firm")
    ours = [name for name in code if "/" in name]
    assert not [name for name in ours if not any((base / name).exists() for base in bases)]


def test_pictures_are_small() -> None:
    big = [p.name for p in (ROOT / "docs" / "images").iterdir() if p.stat().st_size > 200_000]
    assert not big


def test_a_walk_through_is_read_as_it_stands() -> None:
    text = inspect.cleandoc(
        """
        <!-- walk-through: one -->
        ```console
        $ fairlead status X   # exit code 6: it waits
        …
        Stage  waiting
        $ fairlead down
        ```

        ```bash
        echo 1
        ```

        ```json
        {"a": 1}
        ```
        <!-- /walk-through -->
        """
    )
    steps = walk_throughs(text)["one"]
    assert [(step.command, step.code, step.lines) for step in steps] == [
        ("fairlead status X", 6, ("Stage  waiting",)),
        ("fairlead down", 0, ()),
        ("echo 1\n", 0, ('{"a": 1}',)),
    ]
