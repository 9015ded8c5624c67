"""Opening the store: one object that implements every port of `store.ports` on one database."""

from store.alert_ports import Alerts
from store.billing_ports import Billing
from store.outbox_ports import Outbox
from store.people_ports import People
from store.ports import (
    Attention,
    AuditLog,
    CrossReferences,
    Cursors,
    Decisions,
    EffectJournal,
    Inbox,
    ProcessStore,
    StoreError,
)
from store.sql import migrate
from store.sql.address import Address, address
from store.sql.alerts import SqlAlerts
from store.sql.attention import SqlAttention
from store.sql.audit import SqlAuditLog
from store.sql.billing import SqlBilling
from store.sql.cursors import SqlCursors
from store.sql.database import Clock, Database, utc_now
from store.sql.decisions import SqlDecisions
from store.sql.inbox import SqlInbox
from store.sql.journal import SqlEffectJournal
from store.sql.outbox import SqlOutbox
from store.sql.people import SqlPeople
from store.sql.processes import SqlProcessStore
from store.sql.references import SqlCrossReferences
from store.sql.standing import SqlStanding
from store.standing_ports import Standing

BUSY_TIMEOUT = 10.0
"""Seconds to wait for another process to finish writing."""


class SqlStore:
    """Fairlead's own database (`store.ports.Store`). Safe to open in several processes at once."""

    processes: ProcessStore
    effects: EffectJournal
    audit: AuditLog
    inbox: Inbox
    decisions: Decisions
    attention: Attention
    references: CrossReferences
    cursors: Cursors
    billing: Billing
    alerts: Alerts
    outbox: Outbox
    people: People
    standing: Standing

    def __init__(self, database: Database) -> None:
        self._database = database
        self.processes = SqlProcessStore(database)
        self.effects = SqlEffectJournal(database)
        self.audit = SqlAuditLog(database)
        self.inbox = SqlInbox(database)
        self.decisions = SqlDecisions(database)
        self.attention = SqlAttention(database)
        self.references = SqlCrossReferences(database)
        self.cursors = SqlCursors(database)
        self.billing = SqlBilling(database)
        self.alerts = SqlAlerts(database)
        self.outbox = SqlOutbox(database)
        self.people = SqlPeople(database)
        self.standing = SqlStanding(database)

    async def ready(self) -> None:
        """Raises `StoreError` with the cure when the database is unreachable or its schema is not current."""
        revision = await self._database.read(migrate.revision)
        problem = migrate.problem(revision)
        if problem:
            raise StoreError(f"the store ({self._database.where}) {problem}")

    async def aclose(self) -> None:
        await self._database.aclose()


def open_store(
    url: str, *, create: bool = False, busy_timeout: float = BUSY_TIMEOUT, clock: Clock = utc_now
) -> SqlStore:
    """Open the store at `url`; with `create`, make it and bring its schema up to date first.

    Nothing is read yet (see `ready`), but a SQLite file that is missing is refused here with
    `StoreError`, as is a URL that cannot be used. `busy_timeout` is in seconds.
    """
    where = address(url)
    if create:
        migrate.upgrade(url, busy_timeout=busy_timeout)
    _require_file(where)
    return SqlStore(Database(where, busy_timeout=busy_timeout, clock=clock))


def _require_file(where: Address) -> None:
    if where.path is not None and not where.path.is_file():
        raise StoreError(f"the store ({where}) does not exist; run `fairlead up` to create it")
