"""What is installed and published: the lock, top-level names, and words that do not belong in the tree."""

import importlib.metadata
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()

# In pieces, so that this file does not hold what it looks for.
FOREIGN = [
    re.compile(pattern)
    for pattern in (
        "py" + r"pi\.org",
        "python" + r"hosted\.org",
        "registry\\.npm" + "js",
        "deb\\.deb" + "ian\\.org",
        "/wo" + "rk/(main|shared)",
        "--(extra-)?index" + "-url",
    )
]
NOT_TEXT = {".png", ".ico", ".gif", ".db", ".sqlite", ".woff2"}
IGNORED = set(".git .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis __pycache__ dist build".split())


def packages_of_wheel() -> list[str]:
    return PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["include"]


def test_lock_holds_names_versions_and_hashes_only() -> None:
    pin = re.compile(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+( ; [^\\]+)? \\")
    digest = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")
    wrong = [line for line in LOCK if line and not (pin.fullmatch(line) or digest.fullmatch(line))]
    assert not wrong, "lines with an address, a path or an option: run `make lock`"
    assert not [line for line in LOCK if "://" in line or "file:" in line]


def test_each_pin_has_a_hash() -> None:
    for line, following in zip(LOCK, [*LOCK[1:], ""], strict=True):
        if line and not line.startswith(" "):
            assert following.startswith("    --hash="), line


def test_lock_covers_each_declared_requirement() -> None:
    declared = [*PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"]["dev"]]
    pinned = {
        canonicalize_name(line.split("==")[0]): line.split("==")[1].split(" ")[0]
        for line in LOCK
        if line and not line.startswith(" ")
    }
    for requirement in map(Requirement, declared):
        version = pinned.get(canonicalize_name(requirement.name))
        assert version, f"{requirement.name} is not in requirements.lock: run `make lock`"
        assert requirement.specifier.contains(version), f"{requirement} does not allow the locked {version}"


def test_no_dependency_installs_one_of_our_names() -> None:
    installed = importlib.metadata.packages_distributions()
    ours = {Path(name).stem for name in packages_of_wheel()} | {"tests", "bench"}
    taken = {
        name: installed[name] for name in ours & installed.keys() if set(installed[name]) != {"fairlead"}
    }
    assert not taken, f"site-packages wins over an editable install; rename ours: {taken}"


def test_wheel_holds_every_package_of_ours() -> None:
    folders = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "bench"}
    found = folders | {path.name for path in ROOT.glob("*.py")}
    assert found <= set(packages_of_wheel()), "add it to include under [tool.hatch.build.targets.wheel]"


def published() -> list[Path]:
    """The files that git knows or would add; without git, all but caches."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listing.returncode == 0:
        return [ROOT / name for name in listing.stdout.splitlines()]
    return [path for path in ROOT.rglob("*") if not IGNORED & set(path.relative_to(ROOT).parts)]


def test_tree_names_no_registry_and_no_path_of_a_machine() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in published()
        if path.is_file() and path.suffix not in NOT_TEXT
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if any(pattern.search(line) for pattern in FOREIGN)
    ]
    assert not wrong, f"a registry host or a path of one machine stands in {wrong}"


@pytest.mark.parametrize("text", ["https://py" + "pi.org/simple", "/wo" + "rk/main/x"])
def test_the_search_finds_an_offence(text: str) -> None:
    assert any(pattern.search(text) for pattern in FOREIGN)


def test_licence_is_the_one_declared() -> None:
    assert PROJECT["project"]["license"] == "Apache-2.0"
    assert "Version 2.0, January 2004" in (ROOT / "LICENSE").read_text(encoding="utf-8")
