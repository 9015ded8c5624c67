"""What the commands share: settings, firm, store, Temporal client and connectors, each opened once, late.

Nothing here is loaded before a command needs it, so that `fairlead --help` answers at once.
"""

import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from cli.exit_codes import ExitCode, Stop, refused, unreachable, usage
from cli.output import Output

if TYPE_CHECKING:
    from temporalio.client import Client

    from connectors.ports import CrmPort, SystemPort
    from domain.access import Caller
    from firm.model import Firm
    from runtime.settings import Settings
    from store.ports import Store


@dataclass(frozen=True, slots=True)
class Options:
    """The options every command has."""

    home: Path | None = None
    firm: Path | None = None
    address: str | None = None
    profile: str | None = None
    json: bool = False
    actor: str | None = None
    token_file: Path | None = None
    debug: bool = False


class Session:
    """One run of one command. `async with` closes whatever was opened."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.out = Output(as_json=options.json)
        self._stack = AsyncExitStack()
        self._store: Store | None = None
        self._client: Client | None = None
        self._ports: dict[str, SystemPort] = {}

    async def __aenter__(self) -> "Session":
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self._stack.aclose()

    @cached_property
    def settings(self) -> "Settings":
        """Options, then the environment, then defaults. Raises `Stop` naming a variable that is wrong."""
        from pydantic import ValidationError

        from runtime.settings import Settings

        options = self.options
        try:
            return Settings.from_environment(
                home=options.home,
                firm_file=options.firm,
                temporal_address=options.address,
                temporal_profile=options.profile,
            )
        except ValidationError as error:
            fault = error.errors(include_url=False)[0]
            variable = f"FAIRLEAD_{str(fault['loc'][0]).upper()}" if fault["loc"] else "FAIRLEAD_*"
            raise usage(f"{variable} = {fault['input']!r}: {fault['msg'].lower()}.", "Correct it.") from None

    @cached_property
    def firm(self) -> "Firm":
        """The firm's file, checked but for its secrets. Raises `FirmFileError` with every mistake."""
        from firm.load import load
        from local import secrets_setup

        secrets_setup.adopt(self.settings.home)
        return load(self.settings.firm_file)

    @cached_property
    def caller(self) -> "Caller | None":
        """Whose token was given; None for a firm without `[access]`. Raises `Stop` where it does not hold."""
        if self.firm.access is None:
            return None
        from cli.access import identified

        return identified(self)

    def admit(self) -> None:
        """Nobody without a role sees anything of a firm with `[access]`. Raises `Stop`."""
        if self.caller is not None and not self.caller.rights:
            from domain.access import Function, needed

            raise refused(
                f"The token of {self.caller.person} opens nothing: "
                f"it takes the role {needed(Function.READ_PROCESSES)}."
            )

    async def store(self) -> "Store":
        """Fairlead's own database. Raises `Stop` when it is not there or not current, or not for us."""
        self.admit()
        return await self.unguarded_store()

    async def unguarded_store(self) -> "Store":
        """The same for what has to come before anybody can have a token."""
        if self._store is None:
            from store.ports import StoreError
            from store.sql.engine import open_store

            try:
                opened = open_store(self.firm.store_url() or self.settings.store_url)
                self._stack.push_async_callback(opened.aclose)
                await opened.ready()
            except StoreError as error:
                text = f"{_sentence(error)}."
                raise unreachable(text, "" if "`fairlead" in text else "Run `fairlead up`.") from error
            self._store = opened
        return self._store

    async def client(self) -> "Client":
        """Temporal. Raises `runtime.connect.NoTemporal`, and `Stop` for who may not see it."""
        self.admit()
        if self._client is None:
            from runtime.connect import connect

            self._client = await connect(self.settings, keys=self.firm.codec_keys())
        return self._client

    async def system(self, name: str) -> "SystemPort":
        """The connector of a system of the firm's file. Raises `Stop` for a sandbox that never ran."""
        self.admit()
        if name not in self._ports:
            from composition import build_connector

            self.require_credentials()
            port = build_connector(self.firm, name)
            self._stack.push_async_callback(port.aclose)
            self._ports[name] = port
        return self._ports[name]

    async def crms(self) -> "list[CrmPort]":
        """The connectors of the systems in which deals are signed."""
        from typing import cast

        from composition import roles_of

        names = [name for name in self.firm.systems if "crm" in roles_of(self.firm, name)]
        return [cast("CrmPort", await self.system(name)) for name in names]

    def require_credentials(self) -> None:
        """Those of the sandbox are made when it first starts: until then they are no mistake of the file.

        Raises `Stop` when this firm's sandbox was never started; anything else is found where it is used.
        """
        from local.firm_files import uses_sandbox
        from local.secrets_setup import FOLDER

        home, port = self.settings.home, self.settings.sandbox_port
        if not (home / FOLDER).is_dir() and uses_sandbox(self.firm, port) and self._lacks_secrets():
            raise unreachable(
                f"{self.settings.firm_file} uses the sandbox, which was never started for {home}.",
                "Start the local firm with `fairlead up`.",
            )

    def _lacks_secrets(self) -> bool:
        from firm.secrets import SecretError

        try:
            for _, reference in self.firm.secret_references():
                self.firm.secret(reference)
        except SecretError:
            return True
        return False

    def export(self) -> None:
        """Hand these settings and the stored credentials to code that reads the environment itself."""
        from local import secrets_setup

        secrets_setup.adopt(self.settings.home)
        os.environ.update(self.settings.environment())


def _sentence(error: Exception) -> str:
    text = str(error).strip()
    return text[:1].upper() + text[1:]


class Foreground(Exception):
    """What is to run once this command's own loop has ended."""

    def __init__(self, main: Callable[[], int], *, as_json: bool) -> None:
        super().__init__("a service takes over")
        self.main = main
        self.as_json = as_json

    def run(self) -> int:
        if self.as_json:
            os.environ["FAIRLEAD_LOG_FORMAT"] = "json"
        code = self.main()
        # The service has said why on its own; it cannot start because something is missing.
        return int(ExitCode.UNREACHABLE) if code == 1 else code


Work = Callable[[Session], Awaitable[int | None]]
"""A command: it returns its exit code, or nothing for 0."""


async def perform(options: Options, work: Work) -> int:
    """Run a command with its session and turn what is expected to go wrong into `Stop`."""
    from cli.errors import explained

    async with Session(options) as session:
        try:
            return int(await work(session) or 0)
        except (Stop, Foreground):
            raise
        except Exception as error:
            stop = explained(error, session)
            if stop is None:
                raise
            raise stop from error
