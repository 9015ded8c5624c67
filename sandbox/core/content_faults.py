"""Faults in what an answer says: an extra field, an absent field, an unexpected enumeration value."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sandbox.core import wire
from sandbox.core.call import Answer
from sandbox.core.emulator import Emulator
from sandbox.core.faults import Fault

Draw = Callable[[str], Fault | None]


def apply(answer: Answer, emulator: Emulator, draw: Draw) -> Answer:
    """The answer as the armed content faults spoil it. Only answers that carry records are touched."""
    if answer.status >= 300 or not isinstance(answer.body, dict | list):
        return answer
    if next(iter(emulator.records_in(answer.body)), None) is None:
        return answer
    for kind in ("unknown_field", "missing_field", "new_enum"):
        fault = draw(kind)
        if fault is not None:
            answer.body = wire.decode(wire.encode(answer.body))  # a copy: answers may share stored values
            _spoil(fault, emulator, emulator.records_in(answer.body))
    return answer


def _spoil(fault: Fault, emulator: Emulator, records: Iterable[dict[str, Any]]) -> None:
    for record in records:
        if fault.kind == "unknown_field":
            record[fault.field or emulator.unknown_field] = "unexpected"
        elif fault.kind == "missing_field":
            name = _chosen(fault.field, emulator.missing_fields, record)
            record.pop(name, None)
        else:
            name = _chosen(fault.field, emulator.enum_fields, record)
            if name in record:
                record[name] = "Unheard Of"


def _chosen(given: str | None, preferred: Sequence[str], record: dict[str, Any]) -> str:
    return given or next((name for name in preferred if name in record), "")
