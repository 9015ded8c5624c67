"""`fairlead report activation`: how long it takes from the signed deal to the active project, and where."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cli.context import Session
    from domain.activation_times import Passage
    from store.ports import EffectRow, ProcessRow

DEFINITION = (
    "Hours from the beginning of an activation, when the signed deal's event or a person started it, to the"
    " active project. Stages: until the first record is written; until the last of what is created is"
    " confirmed; until opening begins; until active. Median, and 90th percentile by nearest rank."
)
_MANY = 10_000
_OPENING = ("erp.open", "psa.open", "crm.active")


async def document(session: "Session") -> dict[str, Any]:
    """Of all activations the store knows."""
    from domain.activation_process import ACTIVATION
    from domain.activation_times import STAGES, duration, whole

    store, now = await session.store(), datetime.now(UTC)
    rows = await store.processes.list(kind=ACTIVATION, limit=_MANY)
    done = [row for row in rows if row.state == "done"]
    passages = [_passage(row, await store.effects.list(row.key)) for row in done]
    by_stage = [passage.hours() for passage in passages]
    return {
        "report": "activation",
        "definition": DEFINITION,
        "source": "Fairlead's own records of its processes and writes",
        "as_of": now,
        "active": duration([hours for one in passages if (hours := whole(one)) is not None]),
        "stages": [
            {"stage": stage, "hours": duration([hours[stage] for hours in by_stage if stage in hours])}
            for stage in STAGES
        ],
        "cancelled": sum(row.state == "cancelled" for row in rows),
        "open": [await _open(session, row, now) for row in rows if row.state == "running"],
    }


def _passage(row: "ProcessRow", effects: "Sequence[EffectRow]") -> "Passage":
    from domain.activation_times import Passage

    made = [one for one in effects if one.step not in _OPENING and not one.key.endswith("/undo")]
    opening = [one.sent_at for one in effects if one.step in _OPENING]
    settled = [one.settled_at for one in made if one.settled_at is not None]
    return Passage(
        began=row.started_at,
        created_from=min((one.sent_at for one in made), default=None),
        created_to=max(settled, default=None),
        opened_from=min(opening, default=None),
        ended=row.ended_at,
    )


async def _open(session: "Session", row: "ProcessRow", now: datetime) -> dict[str, Any]:
    """One that is not active yet, and with whom it is stuck where somebody has to act."""
    items = await (await session.store()).attention.list(process=row.key)
    return {
        "process": row.key,
        "title": row.title,
        "project": row.project,
        "stage": row.stage,
        "hours": round((now - row.started_at).total_seconds() / 3600, 3),
        "stuck_with": sorted({item.person for item in items}),
        "why": [item.headline for item in items],
    }
