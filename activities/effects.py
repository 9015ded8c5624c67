"""Exactly once: the only way an external write happens.

    begin (journal: intent) -> apply -> confirm (journal: confirmed)

A write whose outcome is unknown (lost answer, or a new attempt that meets an unconfirmed intent because
its worker died) waits out the rest of the system's commit limit, is looked up by its key, and only then
repeated. The same key with other content is a conflict, never an overwrite.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Protocol

from activities.boundary import Clock, utc_now
from connectors.errors import Ambiguous, Conflict, ConnectorError, Transient
from connectors.ports import SystemPort
from domain.base import Value
from domain.commands import Command, Record
from domain.identity import content_hash
from domain.outbound import OutboxNote
from store.ports import EffectIntent, EffectRow, KeyTaken, Reference, Store


class CrashPoints(Protocol):
    """Where a drill kills the process on purpose."""

    def __call__(self, point: str, key: str) -> None: ...


def no_crash(point: str, key: str) -> None:
    """Production: nothing happens."""


Tells = Callable[[Record], Sequence[OutboxNote]]
"""What others are told of a record that was made: noted with its confirmation."""


def _nothing(record: Record) -> Sequence[OutboxNote]:
    return ()


class EffectContext(Value):
    """Whose effect it is and why: what journal, audit and timeline say of it."""

    process: str
    step: str
    actor: str = "fairlead"
    reason: str = ""


class EffectRunner:
    """Runs commands against one system, each exactly once under its key.

    Args:
        commit_limit: how long after sending a write may still appear in this system.
        find_before_create: switched off only by a drill that proves that the drill can fail.
    """

    def __init__(
        self,
        port: SystemPort,
        store: Store,
        *,
        commit_limit: timedelta,
        crash_point: CrashPoints = no_crash,
        find_before_create: bool = True,
        clock: Clock = utc_now,
    ) -> None:
        self._port = port
        self._store = store
        self._commit_limit = commit_limit
        self._crash_point = crash_point
        self._find_before_create = find_before_create
        self._clock = clock

    async def write(
        self,
        command: Command,
        key: str,
        context: EffectContext,
        *,
        shared: bool = False,
        made: Reference | None = None,
        tells: Tells = _nothing,
    ) -> Record:
        """Make `command` true under `key`, once; a confirmed one is answered from the journal.

        `shared` is for a record that several processes need (a customer): what the first of them made
        stands, whatever the others would have written. `made` is the canonical id of what is created.
        `tells` is what others are told of it, once.

        Raises the classes of `connectors.errors`; `Ambiguous` carries the seconds to wait before the
        look-up in `retry_after`.
        """
        if shared:
            first = await self._store.effects.get(key)
            if first is not None and first.state == "confirmed":
                return _record(first)
            # The journal keeps a shared effect under the process that first asked for it.
            context = context.with_changes(process=first.process) if first is not None else context
        row = await self._begin(command, key, context, shared=shared)
        if row.state == "confirmed":
            return _record(row)
        if row.state == "undone":
            raise Conflict(
                f"{command.noun} {key} was undone; it can only be made again by a new activation",
                system=self._port.system,
                operation=command.noun,
                rule="effect.undone",
            )
        if not row.fresh:
            found = await self._recover(row, command, key, context, shared=shared, made=made, tells=tells)
            if found is not None:
                return found
        return await self._apply(command, key, made, tells)

    async def undo(
        self,
        command: Command,
        key: str,
        reverse: Callable[[str], Command],
        context: EffectContext,
        *,
        tells: Tells = _nothing,
    ) -> Record | None:
        """Undo what `command` under `key` did by the command `reverse(external id)` makes.

        "Never happened" is a finding, not an assumption: an intent without outcome is looked up after
        the commit limit. `tells` of the record that is undone. Returns None when there was nothing to undo.
        """
        row = await self._store.effects.get(key)
        if row is None or row.state in ("rejected", "undone"):
            return None
        if row.state != "confirmed":
            found = await self._settle(row, command, key, compare=False)
            if found is None:
                await self._store.effects.undo(key, by_key="", note="looked up: it never happened")
                return None
            row = await self._store.effects.confirm(
                key, external_id=found.external_id, number=found.number, url=found.url, found=True
            )
        return await self.reverse(row, reverse, context, tells=tells)

    async def reverse(
        self,
        row: EffectRow,
        reverse: Callable[[str], Command],
        context: EffectContext,
        *,
        tells: Tells = _nothing,
    ) -> Record:
        """Take back the confirmed effect `row`, whoever made it, by what `reverse(external id)` makes."""
        undo_key = f"{row.key}/undo"
        told = tells(_record(row))
        record = await self.write(reverse(row.external_id), undo_key, context, tells=lambda _: told)
        await self._store.effects.undo(row.key, by_key=undo_key)
        return record

    async def outcome(self, command: Command, key: str) -> Record | None:
        """What `command` under `key` left behind, without writing; None when it never happened.

        Looks up after the commit limit where the journal does not know. From then on the journal does.
        """
        row = await self._store.effects.get(key)
        if row is None or row.state in ("rejected", "undone"):
            return None
        if row.state == "confirmed":
            return _record(row)
        found = await self._settle(row, command, key, compare=False)
        if found is None:
            await self._store.effects.reject(key, note="looked up: it never happened")
            return None
        return await self._record_confirmed(key, found, None, _nothing, found=True)

    async def _begin(self, command: Command, key: str, context: EffectContext, *, shared: bool) -> EffectRow:
        try:
            row = await self._store.effects.begin(
                EffectIntent(
                    key=key,
                    process=context.process,
                    step=context.step,
                    system=self._port.system,
                    noun=command.noun,
                    command_hash=_hash(command),
                    actor=context.actor,
                    reason=context.reason,
                    summary=f"{command.noun} in {self._port.system}",
                )
            )
        except KeyTaken as error:
            if shared and await self._is_ours(key):
                raise Transient(
                    f"another process began {command.noun} {key} at the same moment; joining it ({error})",
                    system=self._port.system,
                    operation=command.noun,
                ) from error
            raise self._other_content(command, str(error)) from error
        if row.state == "rejected" and not row.fresh:
            return await self._store.effects.resend(key)
        return row

    async def _is_ours(self, key: str) -> bool:
        """Whether what stands under `key` was written to this system."""
        row = await self._store.effects.get(key)
        return row is not None and row.system == self._port.system

    async def _recover(
        self,
        row: EffectRow,
        command: Command,
        key: str,
        context: EffectContext,
        *,
        shared: bool,
        made: Reference | None,
        tells: Tells,
    ) -> Record | None:
        """Settle a former attempt that left no outcome. None: it left nothing, `command` is to be sent.

        The former attempt may have sent other content (a correction came in between). What it left
        behind is confirmed as it is, so that it can be undone, and never passed off as `command`.
        """
        same = row.command_hash == _hash(command)
        found = await self._settle(row, command, key, compare=same)
        if found is not None:
            told = tells if same else _nothing
            record = await self._record_confirmed(key, found, made, told, found=True)
            if not same and not shared:
                raise self._other_content(command, f"{key} landed as {found.external_id} with other content")
            return record
        if same:
            await self._store.effects.resend(key)
        else:
            await self._store.effects.reject(
                key, note="looked up: it never happened; the content was changed"
            )
            await self._begin(command, key, context, shared=shared)
        return None

    async def _settle(
        self, row: EffectRow, command: Command, key: str, *, compare: bool = True
    ) -> Record | None:
        """What a doubtful write left behind, once the commit limit has passed."""
        if not self._find_before_create:
            return None
        left = self._commit_limit - (self._clock() - row.sent_at)
        if left > timedelta(0):
            raise Ambiguous(
                f"{command.noun} in {self._port.system}: the outcome of the last attempt is unknown; "
                "looking it up when the system must have committed",
                system=self._port.system,
                operation=command.noun,
                retry_after=left.total_seconds(),
            )
        found = await self._port.find(command, key)
        if found is not None and compare:
            self._compare(command, found)
        return found

    async def _apply(self, command: Command, key: str, made: Reference | None, tells: Tells) -> Record:
        self._crash_point("before_call", key)
        try:
            record = await self._port.apply(command, key)
        except Ambiguous as error:
            await self._store.effects.doubt(key, note=error.message)
            if error.retry_after is None:
                error.retry_after = self._commit_limit.total_seconds()
            raise
        except ConnectorError as error:
            await self._store.effects.reject(
                key, note=f"{error.kind}: {error.message}", request_id=error.request_id
            )
            raise
        self._crash_point("after_answer", key)
        try:
            self._compare(command, record)
        except Conflict as error:
            # It landed, but not as sent: what is there is looked up again after its owner has seen it.
            await self._store.effects.doubt(key, note=error.message)
            raise
        return await self._record_confirmed(key, record, made, tells)

    async def _record_confirmed(
        self, key: str, record: Record, made: Reference | None, tells: Tells, *, found: bool = False
    ) -> Record:
        await self._store.effects.confirm(
            key,
            external_id=record.external_id,
            number=record.number,
            url=record.url,
            request_id=record.request_id,
            found=found,
            reference=made,
            tells=tells(record),
        )
        self._crash_point("after_record", key)
        return record

    def _compare(self, command: Command, record: Record) -> None:
        differences = record.differences(command)
        if differences:
            spoken = "; ".join(
                f"{name}: sent {sent!r}, found {found!r}" for name, (sent, found) in differences.items()
            )
            raise self._other_content(
                command,
                f"{command.noun} {record.external_id} in {self._port.system} is not what was sent ({spoken})",
                field=next(iter(differences)),
                request_id=record.request_id,
            )

    def _other_content(
        self, command: Command, text: str, *, field: str = "", request_id: str = ""
    ) -> Conflict:
        return Conflict(
            text,
            system=self._port.system,
            operation=command.noun,
            field=field,
            rule="effect.other_content",
            request_id=request_id,
        )


def _hash(command: Command) -> str:
    """Content of `command`. Without defaults: a field that an upgrade adds leaves old content as it is."""
    return content_hash(command.model_dump_json(exclude_defaults=True))


def _record(row: EffectRow) -> Record:
    return Record(external_id=row.external_id, number=row.number, url=row.url, request_id=row.request_id)
