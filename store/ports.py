"""What activities, gateway and CLI may ask of Fairlead's own database.

All of it is async; an implementation runs its blocking parts on threads of its own, so that no event
loop of a worker stalls. Every method is idempotent under repetition with the same arguments, because
Temporal repeats activities. Times are aware UTC. Amounts are canonical text.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, Protocol

from pydantic import AwareDatetime

from domain.attention import AttentionItem, Decision
from domain.base import Canonical
from domain.outbound import OutboxNote

if TYPE_CHECKING:
    from store.alert_ports import Alerts  # which need the rows and errors here
    from store.billing_ports import Billing
    from store.outbox_ports import Outbox
    from store.people_ports import People
    from store.standing_ports import Standing

ProcessState = Literal["running", "done", "cancelled", "failed"]


class ProcessRow(Canonical):
    """Once-only of a process: its key, generation and state outlive Temporal's retention."""

    key: str
    """Business identity, equal to the workflow id."""
    kind: str
    generation: int = 1
    state: ProcessState = "running"
    run_id: str = ""
    stage: str = ""
    customer: str = ""
    entity: str = ""
    project: str = ""
    owner: str = ""
    title: str = ""
    policy_hash: str = ""
    policy_json: str = ""
    result_json: str = ""
    started_at: AwareDatetime
    updated_at: AwareDatetime
    ended_at: AwareDatetime | None = None


class StoreError(Exception):
    """The store refuses: the text says what and why."""


class StoreUnavailable(StoreError):
    """The database cannot do it now (out of reach, locked, contended): the same call may succeed later."""


class StaleReference(StoreError):
    """A referenced row is missing (restored backup): drain again, never take it as empty."""


class KeyTaken(StoreError):
    """The effect key is confirmed with other content: an error, never an overwrite."""


class AuditNote(Canonical):
    """One audit entry to be written with a change; a repeat with the same key and outcome writes none."""

    actor: str = "fairlead"
    what: str
    why: str = ""
    outcome: str = ""
    key: str = ""
    object: str = ""
    before: str = ""
    after: str = ""


class ProcessStore(Protocol):
    """Opening and closing write their audit entries in the same transaction."""

    async def open(
        self,
        key: str,
        kind: str,
        run_id: str,
        title: str = "",
        *,
        requested_by: str = "",
        policy_hash: str = "",
        policy_json: str = "",
    ) -> ProcessRow:
        """The row of `key`, created at generation 1 if there is none.

        A row `cancelled` is reopened with the generation raised by one, once per run id (a repeat with
        the same run id changes nothing); `running` and `done` are returned as they are (for `running`
        the run id is updated); `failed` is reopened in the same generation. A running row keeps the
        policies given.
        """

    async def update(self, key: str, *, audit: AuditNote | None = None, **facts: str) -> None:
        """Set `stage, customer, entity, project, owner, title` by name, and write what is to be audited."""

    async def close(
        self,
        key: str,
        generation: int,
        state: ProcessState,
        result_json: str = "",
        *,
        summary: str = "",
        tells: Sequence[OutboxNote] = (),
        **facts: str,
    ) -> None:
        """Set the end state and last facts, and note what is told of it.

        Raises `StoreError` when the generation is not the row's.
        """

    async def get(self, key: str) -> ProcessRow | None: ...

    async def list(
        self, kind: str | None = None, state: ProcessState | None = None, limit: int = 200
    ) -> Sequence[ProcessRow]: ...


EffectState = Literal["intent", "confirmed", "rejected", "ambiguous", "undone"]


class EffectRow(Canonical):
    """One external write: `intent -> confirmed | rejected | ambiguous -> undone`."""

    key: str
    process: str
    step: str
    system: str
    noun: str
    state: EffectState
    command_hash: str
    revision: int = 1
    """Raised when a rejected intent is replaced by a corrected payload."""
    external_id: str = ""
    number: str = ""
    url: str = ""
    request_id: str = ""
    sent_at: AwareDatetime
    """When the last attempt that may have been sent began: the commit limit counts from here."""
    settled_at: AwareDatetime | None = None
    note: str = ""
    fresh: bool = False
    """Only in the answer of `begin`: the intent was written by this very call, so nothing was sent before."""


class EffectIntent(Canonical):
    """What is about to be written, and why."""

    key: str
    process: str
    step: str
    system: str
    noun: str
    command_hash: str
    actor: str = ""
    reason: str = ""
    """Why: the source event or decision."""
    summary: str = ""
    """What, in business words, for audit and timeline."""


class Reference(Canonical):
    """The canonical id, and the kind of object, that a confirmed effect made in its system."""

    canonical_id: str
    object: str


class EffectJournal(Protocol):
    """Each method writes its audit entry in the same transaction, once per effect key and outcome."""

    async def begin(self, intent: EffectIntent) -> EffectRow:
        """Write the intent, or return what stands under the key.

        New key: a row `intent` with `fresh=True`. Same key and hash: the row as it stands.
        `rejected` with another hash: replaced as a new revision (`fresh=True`).
        `intent`/`ambiguous` with another hash: returned as it stands, with `note` saying so; the
        caller looks up first. `confirmed` with another hash: raises `KeyTaken`. `undone`: returned as
        it stands (the caller needs a new generation).
        """

    async def resend(self, key: str) -> EffectRow:
        """Look-up found nothing: back to `intent` with `sent_at` now and `fresh=True`."""

    async def confirm(
        self,
        key: str,
        *,
        external_id: str,
        number: str = "",
        url: str = "",
        request_id: str = "",
        found: bool = False,
        reference: Reference | None = None,
        tells: Sequence[OutboxNote] = (),
    ) -> EffectRow:
        """`confirmed`, with the cross-reference and what is told of it; `found` = by look-up after a lost
        answer."""

    async def reject(self, key: str, *, note: str, request_id: str = "") -> EffectRow:
        """`rejected`: the system refused for good; nothing was written."""

    async def doubt(self, key: str, *, note: str) -> EffectRow:
        """`ambiguous`: the answer was lost."""

    async def undo(self, key: str, *, by_key: str, note: str = "") -> EffectRow:
        """`undone` by the confirmed effect `by_key` (or "" when it never happened)."""

    async def get(self, key: str) -> EffectRow | None: ...

    async def list(self, process: str) -> Sequence[EffectRow]:
        """Effects of a process in order of their first intent."""


class AuditEntry(Canonical):
    """Who, what, why, from which event; `hash` chains it to the one before in its process."""

    process: str
    number: int
    at: AwareDatetime
    actor: str
    what: str
    why: str = ""
    system: str = ""
    object: str = ""
    external_id: str = ""
    key: str = ""
    outcome: str = ""
    before: str = ""
    after: str = ""
    previous_hash: str = ""
    hash: str = ""


class AuditFault(Canonical):
    """The first edit, removal or swap found in a chain."""

    process: str
    number: int
    problem: str


class AuditLog(Protocol):
    async def add(
        self,
        process: str,
        *,
        actor: str,
        what: str,
        why: str = "",
        outcome: str = "",
        key: str = "",
        object: str = "",
        before: str = "",
        after: str = "",
    ) -> AuditEntry:
        """Append; a repeat with the same non-empty (process, key, outcome) returns the first entry."""

    async def list(self, process: str) -> Sequence[AuditEntry]: ...

    async def verify(self, process: str | None = None) -> tuple[int, Sequence[AuditFault]]:
        """Entries checked, and what is wrong (edit, removal, swap, truncation against the kept heads)."""


InboxState = Literal["received", "dispatched", "applied", "waiting", "poison"]


class InboxRow(Canonical):
    """An inbound event, kept before it is answered."""

    id: str
    """`<source>:<event id>`."""
    source: str
    event_id: str
    type: str
    subject: str
    """External id of the object, such as the deal."""
    version: AwareDatetime
    """The source's stamp of the object: an older one after a newer one is dropped."""
    body: dict[str, Any]
    state: InboxState = "received"
    process: str = ""
    attempts: int = 0
    note: str = ""
    received_at: AwareDatetime
    next_at: AwareDatetime | None = None


class Inbox(Protocol):
    async def put(self, row: InboxRow) -> bool:
        """Keep `row`; false when (source, event id) is already there (nothing changes)."""

    async def due(self, now: datetime, limit: int = 100) -> Sequence[InboxRow]:
        """Rows `received`, `dispatched` unapplied or `waiting` whose `next_at` has passed, oldest first."""

    async def mark(
        self,
        id: str,
        state: InboxState,
        *,
        process: str = "",
        note: str = "",
        retry_in: timedelta | None = None,
    ) -> None:
        """Set the state, count an attempt, and set when it is due again (`None` = never)."""

    async def newest_version(self, source: str, subject: str, type: str) -> datetime | None:
        """Newest version of the subject's events of this type that was applied."""

    async def get(self, id: str) -> InboxRow | None: ...

    async def list(
        self,
        *,
        type: str | None = None,
        state: InboxState | None = None,
        since: datetime | None = None,
        limit: int = 200,
    ) -> Sequence[InboxRow]: ...

    async def replay(self, ids: Sequence[str]) -> int:
        """Put rows back to `received`, due at once; returns how many."""


class Decisions(Protocol):
    async def add(self, decision: Decision) -> None:
        """Keep a decision. A repeat of the same id and content changes nothing; other content raises."""

    async def claim(self, id: str, process: str) -> Decision:
        """The decision, marked spent by `process` and audited; again for the same process returns it again.

        Raises `StoreError` for an unknown, altered (hash) or otherwise spent decision, or one that is
        meant for another process.
        """

    async def get(self, id: str) -> Decision | None: ...


class Attention(Protocol):
    """The projection of exceptions."""

    async def put(self, item: AttentionItem, *, tells: Sequence[OutboxNote] = ()) -> None:
        """Insert or replace by id (the workflow is the truth), audit each state once, note what is told."""

    async def get(self, id: str) -> AttentionItem | None: ...

    async def list(
        self,
        *,
        state: str | None = "open",
        owner: str | None = None,
        process: str | None = None,
        limit: int = 200,
    ) -> Sequence[AttentionItem]:
        """`state="open"` means everything unresolved; `None` means all. Oldest due first."""


class CrossReferences(Protocol):
    """Canonical id <-> (system, object, external id), unique both ways."""

    async def put(self, canonical_id: str, system: str, object: str, external_id: str) -> None:
        """Raises `StoreError` when either side is already paired with something else."""

    async def of(self, canonical_id: str) -> Sequence[tuple[str, str, str]]: ...

    async def canonical(self, system: str, object: str, external_id: str) -> str | None: ...


class Cursors(Protocol):
    """High-water marks of polling."""

    async def get(self, name: str) -> datetime | None: ...

    async def put(self, name: str, mark: datetime) -> None:
        """Never moves backwards."""


class Store(Protocol):
    """Fairlead's own database."""

    processes: ProcessStore
    effects: EffectJournal
    audit: AuditLog
    inbox: Inbox
    decisions: Decisions
    attention: Attention
    references: CrossReferences
    cursors: Cursors
    billing: "Billing"
    alerts: "Alerts"
    outbox: "Outbox"
    people: "People"
    standing: "Standing"

    async def ready(self) -> None:
        """Raises `StoreError` with the cure when the database is unreachable or its schema is not current."""

    async def aclose(self) -> None: ...
