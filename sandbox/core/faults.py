"""Arming faults and deciding, deterministically, which request each one strikes.

    engine.arm({"kind": "reset", "system": "netsuite", "only": "writes", "rate": 0.2, "seed": 7})
    engine.arm({"kind": "hold_after_apply", "match": "activation/42/project", "count": 1, "marker": "/tmp/m"})

An armed fault looks at each matching request in order of arrival and draws once from its own
`Random(seed)`: the same seed and the same order of requests give the same strikes. One breaking
fault at most strikes a request (the first armed that fires); content and handler faults may join it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as member
from decimal import Decimal
from random import Random
from typing import Any

from sandbox.core.call import Call
from sandbox.core.emulator import Route
from sandbox.core.fault_kinds import KINDS, KindOfFault, Stage


class BadFault(ValueError):
    """A fault that cannot be armed; the message says why."""


@dataclass(slots=True)
class Fault:
    """One armed fault. `seconds` None means: until the client goes away."""

    id: str
    kind: str
    system: str | None = None
    methods: frozenset[str] | None = None
    path: re.Pattern[str] | None = None
    match: str | None = None
    only: str = "all"
    rate: float = 1.0
    seed: int = 0
    count: int | None = None
    seconds: float | None = None
    marker: str | None = None
    field: str | None = None
    rows: int = 1
    fired: int = 0
    chance: Random = member(default_factory=Random)

    @property
    def behaviour(self) -> KindOfFault:
        """When and on what this kind strikes."""
        return KINDS[self.kind]

    def concerns(self, call: Call, route: Route, writes: bool) -> bool:
        """Whether a request is one this fault may strike (before the draw)."""
        if self.system not in (None, call.system) or (self.methods and call.method not in self.methods):
            return False
        if {"reads": writes, "writes": not writes}.get(self.only, False):
            return False
        on = self.behaviour.on
        if {"reads": writes, "writes": not writes, "postings": not route.posting}.get(on, False):
            return False
        if self.path is not None and not self.path.search(call.path):
            return False
        return self.match is None or self.match in call.searchable

    def strikes(self) -> bool:
        """Draw; counts a firing."""
        if self.count is not None and self.fired >= self.count:
            return False
        if self.rate < 1 and self.chance.random() >= self.rate:
            return False
        self.fired += 1
        return True

    def shown(self) -> dict[str, Any]:
        """The fault as `GET /_faults` shows it."""
        names = (
            "id",
            "kind",
            "system",
            "match",
            "only",
            "rate",
            "seed",
            "count",
            "seconds",
            "marker",
            "field",
        )
        shown: dict[str, Any] = {
            name: getattr(self, name) for name in names if getattr(self, name) is not None
        }
        if self.methods is not None:
            shown["methods"] = sorted(self.methods)
        if self.path is not None:
            shown["path"] = self.path.pattern
        if self.kind == "page_shift":
            shown["rows"] = self.rows
        return {**shown, "fired": self.fired}


class FaultEngine:
    """All armed faults, in order of arming."""

    def __init__(self, systems: tuple[str, ...]) -> None:
        self.systems = systems
        self._faults: dict[str, Fault] = {}
        self._number = 0

    def arm(self, spec: Mapping[str, Any]) -> Fault:
        """Arm one fault. Raises BadFault with the reason and the known kinds."""
        fault = parse(spec, self.systems)
        self._number += 1
        fault.id = str(self._number)
        self._faults[fault.id] = fault
        return fault

    def armed(self) -> list[Fault]:
        """Every armed fault, spent ones included."""
        return list(self._faults.values())

    def disarm(self, fault_id: str | None = None) -> bool:
        """Remove one fault, or all. False when there is no such fault."""
        if fault_id is None:
            self._faults.clear()
            return True
        return self._faults.pop(fault_id, None) is not None

    def strike(self, stages: tuple[Stage, ...], call: Call, route: Route, writes: bool) -> Fault | None:
        """The first fault of these stages that strikes this request."""
        if route.kind == "token":
            return None
        for fault in self._faults.values():
            if fault.behaviour.stage in stages and fault.concerns(call, route, writes) and fault.strikes():
                return fault
        return None

    def strike_kind(self, kind: str, call: Call, route: Route, writes: bool) -> Fault | None:
        """Like `strike`, for one kind."""
        for fault in self._faults.values():
            if fault.kind == kind and fault.concerns(call, route, writes) and fault.strikes():
                return fault
        return None

    def strike_event(self, kind: str, system: str, body: str) -> Fault | None:
        """The webhook fault of a kind that strikes an outgoing event."""
        for fault in self._faults.values():
            meant = fault.kind == kind and fault.system in (None, system)
            if meant and (fault.match is None or fault.match in body) and fault.strikes():
                return fault
        return None


def parse(spec: Mapping[str, Any], systems: tuple[str, ...]) -> Fault:
    """The fault a JSON object describes, not yet armed. Raises BadFault."""
    if not isinstance(spec, Mapping):
        raise BadFault('a fault is a JSON object such as {"kind": "throttle"}')
    unknown = sorted(set(spec) - set(_FIELDS))
    if unknown:
        raise BadFault(f"unknown field {unknown[0]!r}; known: {', '.join(_FIELDS)}")
    kind = spec.get("kind")
    if kind not in KINDS:
        raise BadFault(f"unknown kind {kind!r}")
    values = {name: _checked(name, spec[name]) for name in _FIELDS if spec.get(name) is not None}
    if values.get("system") is not None and values["system"] not in systems:
        raise BadFault(f"unknown system {values['system']!r}; known: {', '.join(systems)}")
    values.setdefault("seconds", KINDS[kind].seconds)
    values.setdefault("count", KINDS[kind].count)
    fault = Fault(id="", **values)
    fault.chance = Random(fault.seed)  # noqa: S311  a repeatable draw, not a secret
    return fault


_FIELDS: dict[str, tuple[type, ...]] = {
    "kind": (str,),
    "system": (str,),
    "methods": (list,),
    "path": (str,),
    "match": (str,),
    "only": (str,),
    "rate": (int, float),
    "seed": (int,),
    "count": (int,),
    "seconds": (int, float),
    "marker": (str,),
    "field": (str,),
    "rows": (int,),
}


def _checked(name: str, given: Any) -> Any:
    value: Any = given
    if name in ("rate", "seconds") and type(given) in (int, float, Decimal):
        value = float(given)
    fits = isinstance(value, _FIELDS[name]) and not isinstance(value, bool)
    if not fits:
        raise BadFault(
            f"{name} must be {' or '.join(kind.__name__ for kind in _FIELDS[name])}, not {given!r}"
        )
    if name == "methods":
        return frozenset(str(method).upper() for method in value)
    if name == "only" and value not in ("all", "reads", "writes"):
        raise BadFault(f"only must be reads, writes or all, not {value!r}")
    if name == "rate" and not 0 <= value <= 1:
        raise BadFault(f"rate must lie between 0 and 1, not {value}")
    if name in ("count", "seconds") and value < 0:
        raise BadFault(f"{name} must not be negative, not {value}")
    if name == "path":
        try:
            return re.compile(value)
        except re.error as error:
            raise BadFault(f"path is not a regular expression: {error}") from None
    return value
