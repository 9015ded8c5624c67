"""Alerts on SQL (`store.alert_ports.Alerts`)."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from domain import alert_state
from domain.alert_facts import StuckEvents
from domain.alert_state import Alert, AlertChanges, AlertRule, Condition
from domain.invoice_state import BillingEventRow, InvoiceRow, InvoiceStage
from store.ports import AuditNote, ProcessRow, StoreError
from store.sql import alert_facts
from store.sql.alert_tables import AlertLookRecord, AlertRecord
from store.sql.chain import note
from store.sql.database import Database
from store.sql.tables import table

ALERTS = table(AlertRecord)
LOOKS = table(AlertLookRecord)

_BY_ID = select(ALERTS.c.body).where(ALERTS.c.id == bindparam("of"))
_OPEN = (
    select(ALERTS.c.body)
    .where(ALERTS.c.rule == bindparam("of"), ALERTS.c.cleared_at.is_(None))
    .order_by(ALERTS.c.object)
    .with_for_update()
)
_LAST_NUMBER = select(func.max(ALERTS.c.number)).where(
    ALERTS.c.rule == bindparam("of"), ALERTS.c.object == bindparam("about")
)
_INSERT = insert(ALERTS)
_REPLACE = update(ALERTS).where(ALERTS.c.id == bindparam("of"))
_LAST_LOOK = select(LOOKS.c.at).where(LOOKS.c.rule == bindparam("of")).with_for_update()
_FIRST_LOOK = insert(LOOKS)
_LOOK = update(LOOKS).where(LOOKS.c.rule == bindparam("of"))


class SqlAlerts:
    """One open alert for each condition."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def keep(
        self, rule: AlertRule, found: Sequence[Condition], *, at: datetime, escalate_after: timedelta
    ) -> AlertChanges:
        conditions = _checked(rule, found)
        return await self._db.write(
            lambda connection: _keep(connection, rule, conditions, at, escalate_after, self._db.now())
        )

    async def get(self, id: str) -> Alert | None:
        def work(connection: Connection) -> Alert | None:
            found = connection.execute(_BY_ID, {"of": id}).first()
            return _alert(found) if found else None

        return await self._db.read(work)

    async def list(
        self,
        *,
        open_only: bool = True,
        rule: AlertRule | None = None,
        owner: str | None = None,
        limit: int = 200,
    ) -> Sequence[Alert]:
        query = select(ALERTS.c.body)
        query = query.order_by(ALERTS.c.cleared_at.is_not(None), ALERTS.c.since, ALERTS.c.id).limit(limit)
        if open_only:
            query = query.where(ALERTS.c.cleared_at.is_(None))
        if rule is not None:
            query = query.where(ALERTS.c.rule == rule.value)
        if owner is not None:
            query = query.where(ALERTS.c.owner == owner)
        return await self._db.read(lambda connection: [_alert(row) for row in connection.execute(query)])

    async def looked(self) -> dict[AlertRule, datetime]:
        def work(connection: Connection) -> dict[AlertRule, datetime]:
            known = {rule.value: rule for rule in AlertRule}
            return {known[row.rule]: row.at for row in connection.execute(select(LOOKS)) if row.rule in known}

        return await self._db.read(work)

    async def open_events(self, due_by: date) -> Sequence[BillingEventRow]:
        return await self._db.read(lambda connection: alert_facts.open_events(connection, due_by))

    async def quiet_invoices(self, stages: Sequence[InvoiceStage], since: datetime) -> Sequence[InvoiceRow]:
        return await self._db.read(lambda connection: alert_facts.quiet_invoices(connection, stages, since))

    async def quiet_processes(self, kind: str, since: datetime) -> Sequence[ProcessRow]:
        return await self._db.read(lambda connection: alert_facts.quiet_processes(connection, kind, since))

    async def stuck_events(self, since: datetime) -> Sequence[StuckEvents]:
        return await self._db.read(lambda connection: alert_facts.stuck_events(connection, since))


def _checked(rule: AlertRule, found: Sequence[Condition]) -> dict[str, Condition]:
    strange = next((condition for condition in found if condition.rule is not rule), None)
    if strange is not None:
        raise StoreError(f"rule {rule.value} cannot keep a condition of rule {strange.rule.value}")
    try:
        return alert_state.by_object(found)
    except ValueError as error:
        raise StoreError(str(error)) from error


def _keep(
    connection: Connection,
    rule: AlertRule,
    conditions: dict[str, Condition],
    at: datetime,
    limit: timedelta,
    now: datetime,
) -> AlertChanges:
    if not _look(connection, rule, at):
        return AlertChanges(late=True)
    standing = [_alert(row) for row in connection.execute(_OPEN, {"of": rule.value})]
    moved, escalated, cleared = [], [], []
    for alert in standing:
        condition = conditions.get(alert.object)
        if condition is None:
            cleared.append(alert_state.cleared(alert, at))
            continue
        moved.append(alert_state.seen(alert, condition, at, limit))
        escalated += [moved[-1]] if moved[-1].escalations > alert.escalations else []
    there = {alert.object for alert in standing}
    raised = [
        alert_state.raised(condition, _next_number(connection, rule, object), at)
        for object, condition in sorted(conditions.items())
        if object not in there
    ]
    _write(connection, raised, [*moved, *cleared])
    for alerts, outcome in ((raised, "raised"), (escalated, "escalated"), (cleared, "cleared")):
        for alert in alerts:
            note(connection, f"alert:{alert.id}", now, _said(alert, outcome))
    return AlertChanges(
        raised=tuple(raised),
        escalated=tuple(escalated),
        cleared=tuple(cleared),
        standing=len(moved) + len(raised),
    )


def _look(connection: Connection, rule: AlertRule, at: datetime) -> bool:
    """Keep that the rule was looked at; false when a later look was before this one."""
    last = connection.execute(_LAST_LOOK, {"of": rule.value}).scalar()
    if last is None:
        connection.execute(_FIRST_LOOK, {"rule": rule.value, "at": at})
    elif last > at:
        return False
    else:
        connection.execute(_LOOK, {"of": rule.value, "at": at})
    return True


def _next_number(connection: Connection, rule: AlertRule, object: str) -> int:
    last = connection.execute(_LAST_NUMBER, {"of": rule.value, "about": object}).scalar()
    return int(last or 0) + 1


def _write(connection: Connection, new: Sequence[Alert], changed: Sequence[Alert]) -> None:
    if new:
        connection.execute(_INSERT, [{"id": alert.id, **_values(alert)} for alert in new])
    if changed:
        connection.execute(_REPLACE, [{"of": alert.id, **_values(alert)} for alert in changed])


def _values(alert: Alert) -> dict[str, Any]:
    names = ("object", "number", "since", "cleared_at")
    values = {name: getattr(alert, name) for name in names}
    return {
        **values,
        "rule": alert.rule.value,
        "owner": alert.owner.value,
        "body": alert.model_dump_json(),
    }


def _said(alert: Alert, outcome: str) -> AuditNote:
    """One entry for each raising, clearing and escalation; the amount moving is none."""
    amount = f", {alert.worth}" if not alert.worth.is_nothing else ""
    times = f"/{alert.escalations}" if outcome == "escalated" else ""
    return AuditNote(
        what=f"alert {outcome}: {alert.headline}{amount}",
        why=alert.detail,
        object=alert.object,
        key=f"{alert.id}{times}",
        outcome=outcome,
    )


def _alert(found: Row[Any]) -> Alert:
    return Alert.model_validate_json(found.body)
