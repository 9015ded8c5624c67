"""Days off: `AddTimeOff`, `ChangeTimeOff`, and those the account holds.

Of several entries of one day Kantata makes one, so that a day is added only where none stands. Each row of a
bulk create carries `<effect key>#<day>`, as in `bulk`; whether a bulk create is all-or-nothing is not said,
so `add` first reads which days are there and sends the missing ones. An entry that is taken back is deleted,
and is found by being gone.

Source: Kantata OX API, time off entries.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

from connectors.errors import Ambiguous, NotFound, Rejected
from connectors.kantata import mapping
from connectors.kantata.account import Account
from connectors.kantata.models import Row, TimeOffEntry
from domain.commands import Record
from domain.people_commands import effort_text
from domain.psa_people import TimeOff
from domain.psa_people_commands import AddTimeOff, ChangeTimeOff

MOST_DAYS = 200
MOST_PEOPLE = 200


class DaysOff:
    """Both commands, and the list."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._settings = account.settings

    async def listed(self, people: Sequence[str], first: date, last: date) -> Sequence[TimeOff]:
        """Days off of up to 200 people. Raises `ValueError` for more."""
        if len(people) > MOST_PEOPLE:
            raise ValueError(f"{len(people)} people at once; ask for {MOST_PEOPLE} at most")
        if not people:
            return []
        rows = await self._rows(people, first, last, "read days off")
        return [
            TimeOff(
                external_id=row.id,
                person_external_id=row.user_id or "",
                day=row.requested_date,
                hours=row.hours,
                ours=any(
                    ref.service_name == self._settings.service_name for ref in row.external_references or ()
                ),
            )
            for row in rows
        ]

    def _is_ours(self, row: TimeOffEntry) -> bool:
        held = self._account.reference(row, self._settings.service_name, "read days off")
        return held is not None

    # ---- adding

    async def find_added(self, command: AddTimeOff, key: str) -> Record | None:
        there = await self._there(command, key, "find unavailable days")
        wanted = {day.day.isoformat() for day in command.days}
        # A part of the set is not the set: what is missing is sent by the next attempt.
        return None if wanted - there.keys() else _added(command, there)

    async def add(self, command: AddTimeOff, key: str) -> Record:
        operation = "add unavailable days"
        if len(command.days) > MOST_DAYS:
            words = f"{len(command.days)} days; {MOST_DAYS} at most in one call"
            raise self._account.error(Rejected, operation, words, rule="bulk.size")
        there = await self._there(command, key, operation)
        missing = [day for day in command.days if day.day.isoformat() not in there]
        request_id = ""
        if missing:
            person = self._account.record_id(command.person_external_id, "a user", operation)
            bodies = mapping.days_off(command.with_changes(days=missing), self._settings, key, person)
            try:
                made, request_id = await self._account.write(
                    TimeOffEntry,
                    "POST",
                    "/time_off_entries",
                    {"time_off_entries": bodies},
                    key=key,
                    include="external_references",
                    operation=operation,
                )
            except Rejected as refusal:
                if len(await self._there(command, key, operation)) > len(there):
                    words = f"some days are there although: {refusal.message}"
                    raise self._account.error(Ambiguous, operation, words, rule="bulk.partial") from None
                raise
            there = {**there, **self._of(made, key, operation)}
        if len(there) < len(command.days):
            words = f"{len(there)} of {len(command.days)} days landed; the next attempt completes them"
            raise self._account.error(Ambiguous, operation, words, rule="bulk.partial", request_id=request_id)
        return _added(command, there, request_id)

    async def _there(self, command: AddTimeOff, key: str, operation: str) -> Mapping[str, TimeOffEntry]:
        days = [day.day for day in command.days]
        rows = await self._rows([command.person_external_id], min(days), max(days), operation)
        return self._of(rows, key, operation)

    def _of(self, rows: Sequence[TimeOffEntry], key: str, operation: str) -> dict[str, TimeOffEntry]:
        """Entries that carry the key, by day."""
        found = {}
        for row in rows:
            held = self._account.reference(row, self._settings.service_name, operation)
            if held is not None and held.service_model_ref == f"{key}#{row.requested_date}":
                found[row.requested_date.isoformat()] = row
        return found

    async def _rows(
        self, people: Sequence[str], first: date, last: date, operation: str
    ) -> Sequence[TimeOffEntry]:
        # Whether the bounds are inclusive is not documented: a day more on either side, then ours.
        params: dict[str, str | int] = {
            "user_ids": ",".join(people),
            "start_date": (first - timedelta(days=1)).isoformat(),
            "end_date": (last + timedelta(days=1)).isoformat(),
            "include": "user,external_references",
        }
        found = await self._account.search(TimeOffEntry, "time_off_entries", params, operation=operation)
        return [row for row in found if first <= row.requested_date <= last]

    # ---- changing

    async def find_change(self, command: ChangeTimeOff, key: str) -> Record | None:
        operation = "find change of an unavailable day"
        try:
            row = await self._account.show(
                TimeOffEntry,
                "time_off_entries",
                command.time_off_external_id,
                include="external_references",
                operation=operation,
            )
        except NotFound:
            return _changed(command.time_off_external_id, Decimal(0))
        name = mapping.change_reference(self._settings.service_name, command, key)["service_name"]
        held = self._account.reference(row, name, operation)
        mine = held is not None and held.service_model_ref == key
        return _changed(row.id, row.hours) if mine else None

    async def change(self, command: ChangeTimeOff, key: str) -> Record:
        operation = "change unavailable day"
        number = self._account.record_id(command.time_off_external_id, "a day off", operation)
        if command.hours == 0:
            return await self._remove(command, number, key)
        body = {
            "hours": command.hours,
            "external_reference": mapping.change_reference(self._settings.service_name, command, key),
        }
        rows, request_id = await self._account.write(
            TimeOffEntry,
            "PUT",
            f"/time_off_entries/{number}",
            {"time_off_entry": body},
            key=key,
            include="external_references",
            operation=operation,
        )
        return _changed(rows[0].id, rows[0].hours, request_id)

    async def _remove(self, command: ChangeTimeOff, number: int, key: str) -> Record:
        try:
            answer = await self._account.http.call(
                "DELETE",
                f"/time_off_entries/{number}",
                operation="take back unavailable day",
                write=True,
                headers={"X-Correlation-Id": key},
            )
        except NotFound:
            return _changed(command.time_off_external_id, Decimal(0))  # gone already: what was wanted is so
        return _changed(command.time_off_external_id, Decimal(0), answer.request_id)


def _added(command: AddTimeOff, there: Mapping[str, TimeOffEntry], request_id: str = "") -> Record:
    hours = sum((row.hours for row in there.values()), Decimal(0))
    return Record(
        external_id=_first(there),
        fields={"effort": effort_text(hours, "h"), "day_count": str(len(there))},
        request_id=request_id,
    )


def _first(there: Mapping[str, Row]) -> str:
    """The earliest day's entry stands for all of them."""
    return there[min(there)].id


def _changed(id: str, hours: Decimal, request_id: str = "") -> Record:
    return Record(external_id=id, fields={"effort": effort_text(hours, "h")}, request_id=request_id)
