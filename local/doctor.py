"""What stands between this machine and a working firm: each check with what was found and the cure.

Nothing is printed or changed here; the caller shows the list.
"""

import asyncio
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from pydantic import ValidationError
from temporalio.client import Client
from temporalio.service import RPCError

from local import secrets_setup
from local.launch import Launch
from local.readiness import not_ready
from local.temporal_server import NoTemporalBinary, find_binary
from runtime.connect import NoTemporal, connect
from runtime.settings import Settings
from runtime.visibility import missing_or_wrong

if TYPE_CHECKING:
    from firm.model import Firm

_OLDEST_PYTHON: Final = (3, 11)
_LEAST_FREE: Final = 1024**3
"""Bytes. Temporal's file and the store grow by some 60 KB for each process that runs."""
_START: Final = "start it with `fairlead up`"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor. `cure` is empty when `ok`."""

    name: str
    ok: bool
    detail: str
    cure: str = ""


async def examine(settings: Settings) -> list[Check]:
    """All checks, in the order in which they are worth mending. None of them raises."""
    checks = [python_version(), temporal_binary(settings), disk_space(settings.home)]
    checks += await _temporal(settings)
    checks += await _firm(settings)
    checks.append(await gateway(settings))
    return checks


def python_version(version: tuple[int, int] = sys.version_info[:2]) -> Check:
    found = ".".join(map(str, version))
    if version >= _OLDEST_PYTHON:
        return Check("Python", True, found)
    return Check("Python", False, found, "install Python 3.11 or newer and make the environment again")


def temporal_binary(settings: Settings) -> Check:
    """The program of the local server; not needed when another server is named."""
    try:
        return Check("Temporal program", True, str(find_binary()))
    except NoTemporalBinary as error:
        named = bool(settings.temporal_address or settings.temporal_profile)
        detail = "none, and none is needed: a server is named" if named else "none"
        return Check("Temporal program", named, detail, "" if named else str(error))


def disk_space(home: Path) -> Check:
    """Free space where the firm's state lies, or will lie."""
    folder = next(path for path in (home, *home.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    detail = f"{free / 1024**3:.1f} GiB free at {folder}"
    if free >= _LEAST_FREE:
        return Check("disk space", True, detail)
    return Check("disk space", False, detail, "free at least 1 GiB, or move the state with FAIRLEAD_HOME")


def store(url: str) -> Check:
    """Whether our database answers and has the schema this version needs."""
    from store.ports import StoreError
    from store.sql import migrate
    from store.sql.address import address

    try:
        standing = migrate.current(url)
        where = address(url)
    except StoreError as error:
        what, _, cure = str(error).rpartition("; ")
        return Check("store", False, what, cure)
    problem = migrate.problem(standing)
    if problem:
        what, _, cure = problem.rpartition("; ")
        return Check("store", False, f"the store ({where}) {what}", cure)
    return Check("store", True, f"{where}, schema {standing}")


async def gateway(settings: Settings) -> Check:
    launch = Launch(settings)
    reason = await not_ready(launch, "gateway", 0)
    return Check("gateway", not reason, reason or launch.address("gateway"), reason and _START)


async def _temporal(settings: Settings) -> list[Check]:
    try:
        client = await connect(settings)
    except NoTemporal as error:
        unknown = Check("search attributes", False, "unknown without Temporal", _START)
        return [Check("Temporal", False, str(error), _START), unknown]
    where = f"{client.service_client.config.target_host}, namespace {client.namespace}"
    return [Check("Temporal", True, where), await search_attributes(client)]


async def search_attributes(client: Client) -> Check:
    """A missing or mistyped one would hold every process for ever."""
    from workflows.shared.search_attributes import ATTRIBUTES

    try:
        problems = await missing_or_wrong(client, ATTRIBUTES)
    except RPCError as error:
        return Check("search attributes", False, error.message, "check the permissions of this client")
    if problems:
        cure = "run `fairlead up`, or `fairlead search-attributes register` on a shared server"
        return Check("search attributes", False, "; ".join(problems), cure)
    return Check("search attributes", True, f"all {len(ATTRIBUTES)} registered")


async def _firm(settings: Settings) -> list[Check]:
    """The firm's file, and what it points to: secrets, connectors, store, the systems' hosts."""
    from firm.load import load
    from firm.problems import FirmFileError

    try:
        firm = await asyncio.to_thread(load, settings.firm_file)
    except FirmFileError as error:
        wrong = Check("firm file", False, str(error), f"mend {settings.firm_file}")
        return [wrong, await asyncio.to_thread(store, settings.store_url)]
    checks = [Check("firm file", True, str(settings.firm_file))]
    environ = dict(os.environ) | secrets_setup.firm_variables(settings.home)
    checks.append(await asyncio.to_thread(credentials, firm, environ))
    secrets_known = checks[-1].ok
    checks.append(await asyncio.to_thread(access, firm, environ))
    if secrets_known:
        checks.append(await asyncio.to_thread(connectors, firm, environ))
        url = firm.store_url(environ) or settings.store_url
        checks.append(await asyncio.to_thread(store, url))
    return checks + list(await asyncio.gather(*(host(n, s.base_url) for n, s in firm.systems.items())))


def credentials(firm: "Firm", environ: Mapping[str, str]) -> Check:
    """Whether each reference to a secret leads to one. What it leads to is never shown."""
    from firm.secrets import SecretError

    references = list(firm.secret_references())
    problems = []
    for key, reference in references:
        try:
            firm.secret(reference, environ)
        except SecretError as error:
            problems.append(f"{key}: {error}")
    if problems:
        cure = "set what is named; for the sandbox `fairlead up` makes it"
        return Check("secrets", False, "; ".join(problems), cure)
    return Check("secrets", True, f"all {len(references)} references lead to a secret")


def access(firm: "Firm", environ: Mapping[str, str]) -> Check:
    """Whether callers have to prove who they are, and by what. Open access is no mistake on a laptop."""
    from firm.access_tokens import TokenFile, TokenFileError
    from firm.secrets import SecretError

    section = firm.access
    if section is None:
        return Check("access", True, "open: whoever reaches the gateway or runs `fairlead` may do everything")
    ways = [f"tokens of {section.oidc.issuer}"] if section.oidc else []
    try:
        path = firm.access_file(environ)
        if path is not None:
            now = datetime.now(UTC)
            valid = sum(token.valid(now) for token in TokenFile(path).tokens())
            ways.append(f"{valid} valid tokens in {path}")
    except (SecretError, TokenFileError) as error:
        return Check("access", False, f"closed to everybody: {error}", "mend the token file")
    return Check("access", True, "by " + " and ".join(ways))


def connectors(firm: "Firm", environ: Mapping[str, str]) -> Check:
    """Whether each connector accepts its settings. Nothing is sent to a system."""
    from composition import VENDORS
    from firm.problems import problems_from

    problems = []
    for name, system in firm.systems.items():
        try:
            VENDORS[system.vendor].settings.model_validate(firm.connector_settings(name, environ))
        except ValidationError as error:
            problems += problems_from(error, str(firm.file), ("systems", name, "settings"))
    if problems:
        return Check("connectors", False, "; ".join(map(str, problems)), f"mend {firm.file}")
    return Check("connectors", True, f"settings of {', '.join(firm.systems)} are accepted")


async def host(name: str, base_url: str) -> Check:
    """Whether the system's host takes connections. Not whether our credentials are right."""
    address = urlsplit(base_url)
    port = address.port or (80 if address.scheme == "http" else 443)
    title, where = f"system {name}", f"{address.hostname}:{port}"
    try:
        async with asyncio.timeout(3):
            _, writer = await asyncio.open_connection(address.hostname, port)
    except (OSError, TimeoutError) as error:
        cure = f"check the network and base_url of [systems.{name}]; the sandbox starts with `fairlead up`"
        return Check(title, False, f"{where} cannot be reached ({type(error).__name__})", cure)
    writer.close()
    return Check(title, True, f"{where} answers")
