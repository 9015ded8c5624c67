"""The map of DESIGN section 1 as a test: which folder may import what, read from the source's syntax tree."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = frozenset(
    "domain firm connectors store runtime activities workflows gateway cli local sandbox tests".split()
) | {"composition", "serving", "worker"}
WIRE = frozenset("httpx requests aiohttp urllib3 urllib.request http.client http.server socket".split())
DRIVERS = frozenset(
    "sqlalchemy sqlmodel alembic sqlite3 psycopg asyncpg pymysql oracledb pyodbc pymssql hdbcli".split()
)

MAY_IMPORT = {
    "domain": {"domain"},
    "firm": {"firm", "domain"},
    "connectors": {"connectors", "domain"},
    "store": {"store", "domain"},
    "runtime": {"runtime", "domain", "connectors.errors", "store.ports", "store.standing_ports"},
    "activities": {
        "activities",
        "domain",
        "connectors.ports",
        "connectors.errors",
        "store.ports",
        "store.alert_ports",
        "store.billing_ports",
        "store.people_ports",
    },
    "workflows": {"workflows", "domain", "activities"},
    "gateway": {
        "gateway",
        "domain",
        "store",
        "runtime",
        "workflows",
        "firm",
        "connectors.ports",
        "connectors.errors",
    },
    "cli": OURS - {"tests"},
    "worker.py": OURS - {"tests"},
    "serving.py": OURS - {"tests", "cli", "local", "gateway", "worker"},
    "composition.py": OURS - {"tests", "cli", "local", "gateway", "worker", "serving", "activities"},
    "local": {"local", "domain", "firm", "store", "runtime", "workflows", "composition"},
    "sandbox": {"sandbox", "domain"},
}
"""Folder → what it may import of ours; a name covers its submodules."""

CLIENT_SIDE = {
    "workflows/shared/start.py": {"runtime.settings"},
    "gateway/server.py": {"composition"},
}
"""What runs in the gateway and the CLI, never inside a workflow, and the root that puts the gateway together:
file → what it may import besides."""

NEVER = {
    "domain": WIRE | DRIVERS | {"temporalio", "os", "socket", "random", "asyncio"},
    "firm": WIRE | DRIVERS | {"temporalio"},
    "connectors": DRIVERS | {"temporalio"},
    "store": WIRE | {"temporalio"},
    "activities": WIRE | DRIVERS,
    "workflows": WIRE | DRIVERS | {"os", "random", "time", "secrets", "threading", "subprocess", "store"},
    "sandbox": {"temporalio", "sqlmodel", "sqlalchemy"},
}
"""Folder → what it never imports, of others."""


def imports(file: Path) -> Iterator[tuple[int, str]]:
    """Each imported module with its line; `from a import b` counts as `a` and as `a.b`."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno} imports relatively; name the package"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def files(folder: str) -> list[Path]:
    path = ROOT / folder
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


def covers(allowed: set[str] | frozenset[str], module: str) -> bool:
    return any(module == name or module.startswith(name + ".") for name in allowed)


def offences(folder: str) -> Iterator[str]:
    for file in files(folder):
        name = file.relative_to(ROOT).as_posix()
        allowed = MAY_IMPORT[folder] | CLIENT_SIDE.get(name, set())
        for line, module in imports(file):
            ours = module.split(".")[0] in OURS
            if (ours and not covers(allowed, module)) or covers(NEVER.get(folder, frozenset()), module):
                yield f"{name}:{line} imports {module}"


@pytest.mark.parametrize("folder", sorted(MAY_IMPORT))
def test_folder_imports_only_what_the_map_allows(folder: str) -> None:
    wrong = list(offences(folder))
    assert not wrong, "\n".join(wrong)


def test_no_vendor_imports_another() -> None:
    folders = (path.name for path in (ROOT / "connectors").iterdir() if path.is_dir())
    vendors = set(folders) - {"http", "__pycache__"}
    for vendor in vendors:
        others = {f"connectors.{other}" for other in vendors - {vendor}}
        for file in (ROOT / "connectors" / vendor).rglob("*.py"):
            assert not [module for _, module in imports(file) if covers(others, module)], file


def test_shared_parts_of_connectors_know_no_vendor() -> None:
    shared = [*(ROOT / "connectors").glob("*.py"), *(ROOT / "connectors" / "http").rglob("*.py")]
    vendors = {f"connectors.{path.name}" for path in (ROOT / "connectors").iterdir() if path.is_dir()}
    for file in shared:
        found = [module for _, module in imports(file) if covers(vendors - {"connectors.http"}, module)]
        assert not found, f"{file} imports {found}"


def test_workflows_reach_only_names_of_activities_and_pure_parts() -> None:
    """What activities import is loaded with every workflow: neither vendors, wire nor database."""
    heavy = WIRE | DRIVERS | {"store.sql", "cryptography", "fastapi", "rich"}
    wrong = [
        f"{file.relative_to(ROOT)}:{line} imports {module}"
        for folder in ("domain", "activities", "workflows")
        for file in files(folder)
        for line, module in imports(file)
        if covers(heavy, module)
    ]
    assert not wrong, "\n".join(wrong)


def test_init_files_are_empty() -> None:
    full = [
        str(file.relative_to(ROOT))
        for folder in OURS - {"tests"}
        for file in (ROOT / folder).rglob("__init__.py")
        if file.read_text(encoding="utf-8").strip()
    ]
    assert not full, f"these would load more than their importer asked for: {full}"


def test_no_name_of_ours_is_one_of_the_standard_library() -> None:
    assert not OURS & sys.stdlib_module_names


def test_the_test_sees_an_offence(tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text("import random\nfrom store.sql import tables\n", encoding="utf-8")
    assert [module for _, module in imports(bad)] == ["random", "store.sql.tables"]
    assert covers(NEVER["workflows"], "random")
    assert not covers(MAY_IMPORT["activities"], "store.sql.tables")
