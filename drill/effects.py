"""What the systems say was done to them, and how it differs from what should have been done."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import httpx


@dataclass(frozen=True, order=True)
class Effect:
    """One intended effect as a system saw it; equal effects of two runs are equal here."""

    system: str
    object: str
    operation: str
    key: str


Effects = Mapping[Effect, int]
"""How often each effect landed."""


async def listed(sandbox: httpx.AsyncClient) -> list[dict[str, str]]:
    """Every effect that landed in the sandbox, by `GET /_effects`: what, where, which key, how often."""
    answer = await sandbox.get("/_effects")
    answer.raise_for_status()
    return [
        {
            "system": row["system"],
            "object": row["object"],
            "operation": row["operation"],
            "record": row["natural_key"],
            "id": ", ".join(row["ids"]),
            "effect_key": row["effect_key"] or f"no key: {row['natural_key']}",
            "count": str(row["count"]),
        }
        for row in answer.json()["effects"]
    ]


async def landed(sandbox: httpx.AsyncClient, deal: str | None = None) -> Counter[Effect]:
    """Every effect that landed; if `deal` is given, its own and those of customers."""
    found: Counter[Effect] = Counter()
    for row in await listed(sandbox):
        key = row["effect_key"]
        if deal is None or f"/{deal}/" in key or key.startswith("customer/"):
            found[Effect(row["system"], row["object"], row["operation"], key)] += int(row["count"])
    return found


@dataclass(frozen=True)
class Difference:
    lost: tuple[Effect, ...]
    doubled: tuple[Effect, ...]
    """Landed more often than once, or not at all in the fault-free run."""

    @property
    def none(self) -> bool:
        return not self.lost and not self.doubled


def difference(expected: Effects, found: Effects) -> Difference:
    """What `found` lost or doubled against the fault-free `expected`."""
    lost = [effect for effect, count in expected.items() if found.get(effect, 0) < count]
    doubled = [effect for effect, count in found.items() if count > expected.get(effect, 0)]
    return Difference(lost=tuple(sorted(lost)), doubled=tuple(sorted(doubled)))
