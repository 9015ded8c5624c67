"""All parts of one running sandbox together: state, emulators, faults, log, webhooks."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from sandbox.core import clock, wire
from sandbox.core.call import Refused
from sandbox.core.database import Database
from sandbox.core.emulator import Context, Emulator
from sandbox.core.faults import FaultEngine
from sandbox.core.records import Record
from sandbox.core.requests import RequestLog
from sandbox.core.tokens import Tokens
from sandbox.core.webhooks import Webhooks
from sandbox.seed.firm import Firm, FirmSize, build_firm
from sandbox.settings import SandboxSettings, WebhookTarget

Build = Callable[[Context], Emulator]


class World:
    """Opens the state file, builds the emulators, and seeds them once."""

    def __init__(self, settings: SandboxSettings, builders: Mapping[str, Build]) -> None:
        self.settings = settings
        self.database = Database(settings.database)
        self.faults = FaultEngine(tuple(builders))
        self.log = RequestLog()
        self.tokens = Tokens(self.database)
        self.webhooks = Webhooks(self.database, self.faults)
        self.emulators: dict[str, Emulator] = {}
        for name, build in builders.items():
            context = Context(settings, self.database.store(name), self.tokens, self.webhooks)
            self.emulators[name] = build(context)
        self._restore()

    def seeded_with(self) -> dict[str, Any]:
        """The size and seed of the firm in the state file."""
        size: dict[str, Any] = wire.decode(self.database.meta("seeded") or "{}")
        return size

    def reset(self, options: Mapping[str, Any]) -> None:
        """Back to the seeded state: no faults, effects or requests. Raises ValueError for bad options."""
        sizes = {"seed": self.settings.seed, "deals": self.settings.deals}
        sizes |= {"customers": self.settings.customers, "workers": self.settings.workers}
        unknown = sorted(set(options) - set(sizes)) if isinstance(options, Mapping) else ["the body"]
        if unknown:
            raise ValueError(f"{unknown[0]} is no option of a reset; known: {', '.join(sizes)}")
        for name, value in options.items():
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise ValueError(f"{name} must be a whole number, not {value!r}")
        size = FirmSize(**{**sizes, **options}, as_of=self._today())
        self.faults.disarm()
        self.log.clear()
        subscriptions = self.database.meta("subscriptions")
        with self.database.transaction():
            self.database.wipe()
            if subscriptions:
                self.database.set_meta("subscriptions", subscriptions)
            self._seed(size)

    def by_hand(
        self, emulator: Emulator, object_name: str, record_id: str | None, fields: Mapping[str, Any]
    ) -> Record:
        """A person creates or edits a record in the vendor's screens. Raises KeyError, ValueError."""
        with self.database.transaction(), self.database.writing_as("ui"):
            try:
                if record_id is None:
                    return emulator.add(object_name, fields)
                return emulator.edit(object_name, record_id, fields)
            except Refused as refused:
                raise ValueError(refused.answer.payload().decode()) from None

    def subscribe(self, target: WebhookTarget) -> None:
        """Tell a receiver about events, after a restart too. Raises BadSubscription."""
        self.webhooks.subscribe(target)
        known = wire.decode(self.database.meta("subscriptions") or "[]")
        known.append([target.url, target.secret, target.system, target.scheme])
        self.database.set_meta("subscriptions", wire.encode(known).decode())

    def unsubscribe_all(self) -> None:
        """Tell nobody any more, after a restart either (but for who is given at the start)."""
        self.webhooks.unsubscribe_all()
        self.database.set_meta("subscriptions", "[]")

    def close(self) -> None:
        """Close the state file."""
        self.database.close()

    def _restore(self) -> None:
        if self.database.meta("seeded") is None:
            settings = self.settings
            counts = (settings.seed, settings.deals, settings.customers, settings.workers)
            size = FirmSize(*counts, as_of=self._today())
            with self.database.transaction():
                self._seed(size)
        for url, secret, system, scheme in wire.decode(self.database.meta("subscriptions") or "[]"):
            self.webhooks.subscribe(WebhookTarget(url, secret, system, scheme))
        for target in self.settings.webhooks:
            self.webhooks.subscribe(target)

    def _today(self) -> date:
        return self.settings.as_of or clock.utc(clock.now()).date()

    def _seed(self, size: FirmSize) -> None:
        firm: Firm = build_firm(size)
        with self.database.writing_as("seed"):
            for emulator in self.emulators.values():
                emulator.seed(firm, emulator.store)
        self.tokens.reload()
        self.database.set_meta("seeded", wire.encode(size.shown()).decode())
