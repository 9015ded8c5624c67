"""What the floor replays: the vendor calls of one of Fairlead's own activations, as data.

A script is recorded (`recording.py`) and not written by hand, so the floor cannot drift away from what
Fairlead does. What must differ from run to run is named in it: the deal in effect keys, the short form of
those keys, the project's number, and the ids that the systems give to new records.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from domain.identity import project_number, short_key

Path = tuple[str | int, ...]


class _Recorded(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Call(_Recorded):
    """One HTTP request to one system, as Fairlead sent it."""

    method: str
    target: str
    """Path and query below the sandbox's address."""
    headers: dict[str, str] = {}
    """Those of this call beside those of the system (see `Scripts`)."""
    body: str = ""
    status: int
    uses: tuple[str, ...] = ()
    """Values in target or body that are others in each run."""
    takes: tuple[tuple[str, Path], ...] = ()
    """Ids that later calls use: as recorded, and where the answer holds them."""


class Step(_Recorded):
    """The calls of one vendor activity."""

    activity: str
    system: str
    calls: tuple[Call, ...] = ()


class Script(_Recorded):
    """One activation: groups of steps one after the other, those of a group side by side."""

    deal: str
    signature: str
    """Deals of one signature make the same calls."""
    firm: str
    entity: str
    keys: tuple[str, ...]
    """Effect keys of the run."""
    steps: tuple[Step, ...] = ()
    groups: tuple[tuple[int, ...], ...] = ()
    waits_before: int | None = None
    """The group that comes after the staffing decision; none where nobody is asked."""

    @property
    def calls(self) -> int:
        return sum(len(step.calls) for step in self.steps)

    @property
    def parked_calls(self) -> int:
        """Calls made until the activation waits for staffing."""
        done = self.groups[: self.waits_before]
        return sum(len(self.steps[number].calls) for group in done for number in group)


class Scripts(_Recorded):
    """All that the floor's workers need."""

    scripts: tuple[Script, ...]
    sandbox_url: str
    headers: dict[str, dict[str, str]]
    """System to the headers of its calls, signed in."""


def changing(script_deal: str, firm: str, entity: str, keys: tuple[str, ...], run: str) -> dict[str, str]:
    """Recorded text to the text of `run`, for all that is known before the first call."""
    values = {f"/{script_deal}/": f"/{run}/", f"%2F{script_deal}%2F": f"%2F{run}%2F"}
    values[project_number(entity, script_deal, 1)] = project_number(entity, run, 1)
    for key in keys:
        values[short_key(key)] = short_key(key.replace(f"/{script_deal}/", f"/{run}/"))
    return values


def filled(text: str, call: Call, values: Mapping[str, str]) -> str:
    """`text` of `call` with what is another in this run."""
    for recorded in call.uses:
        text = text.replace(recorded, values[recorded])
    return text


def found_at(answer: Any, path: Path) -> str:
    """The id at `path` of a decoded answer. Raises `LookupError` when the answer has another shape."""
    for part in path:
        answer = answer[part]
    return str(answer)
