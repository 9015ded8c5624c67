"""Gathering what the rules of alerts look at: from our own store, and the firm's prices."""

from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import date, timedelta

from domain import alerts
from domain.activation_process import ACTIVATION
from domain.alert_calendar import missing_events
from domain.alert_facts import Moment, OpenEvent, OpenWork, ProjectRef, QuietProcess, StandingInvoice
from domain.alert_state import AlertRule, Condition, Worth
from domain.alert_worth import joined, worth_of, worth_of_amounts
from domain.billable import Billable
from domain.billing_calendar import billed_by
from domain.events import newest
from domain.identity import process_key
from domain.invoice_state import BillingEventRow, InvoiceRow
from domain.policy import PolicySnapshot
from domain.project_contract import ProjectContract
from domain.project_processes import BILLING
from domain.readiness import OwnerGroup
from domain.selling import RateCard
from store.ports import ProcessRow, Store

_PAGE = 1000
_PROJECTS = 200
_PROBLEMS = 10_000
"""Refused entries that are counted, the oldest first."""
_DAY = timedelta(days=1)


class AlertFacts:
    """One look of one rule at one instant. `beat` is called at each page: a look may take a while."""

    def __init__(
        self,
        store: Store,
        policies: PolicySnapshot,
        cards: Sequence[RateCard],
        moment: Moment,
        beat: Callable[[], None],
    ) -> None:
        self._store = store
        self._billing = store.billing
        self._policies = policies
        self._limits = policies.alerts
        self._cards = cards
        self._moment = moment
        self._beat = beat
        self._contracts: dict[str, ProjectContract | None] = {}

    async def find(self, rule: AlertRule) -> list[Condition]:
        """The conditions of `rule` as they are now, each with the people behind its owner group."""
        rules: dict[AlertRule, Callable[[], Awaitable[list[Condition]]]] = {
            AlertRule.UNBILLED_WORK: self._unbilled_work,
            AlertRule.DELAYED_INVOICE: self._delayed_invoices,
            AlertRule.MISSED_EVENT: self._missed_events,
            AlertRule.LATE_APPROVAL: self._late_approvals,
            AlertRule.REFUSED_WORK: self._refused_work,
            AlertRule.STALLED_ACTIVATION: self._stalled_activations,
            AlertRule.STUCK_EVENT: self._stuck_events,
        }
        return await rules[rule]()

    # -- work and what it is worth ----------------------------------------------------------------

    async def _unbilled_work(self) -> list[Condition]:
        days = self._days_before(self._limits.unbilled_days)
        projects: dict[str, str] = {}
        for day in sorted(set(days.values())):
            for line in await self._billing.unbilled(day):
                mine = line.cause != "not_billable" and self._before(line.entity) == day
                if mine:
                    projects.setdefault(line.project, line.entity)
        found = [await self._open_work(project, entity) for project, entity in sorted(projects.items())]
        return alerts.unbilled_work(found, self._moment)

    def _before(self, entity: str) -> date:
        return self._moment.before(self._limits.unbilled_days, entity)

    def _days_before(self, days: int) -> dict[str, date]:
        """Entity -> its last day that is more than `days` ago; "" for one the firm's file does not know."""
        codes = ("", *(entity.code for entity in self._policies.entities))
        return {code: self._moment.before(days, code) for code in codes}

    async def _open_work(self, project: str, entity: str) -> OpenWork:
        up_to = self._before(entity)
        work = OpenWork(of=await self._ref(project, entity), up_to=up_to, oldest=up_to)
        parts: list[Worth] = []
        async for page in self._open_pages(project, up_to):
            held = sum(1 for entry in page if entry.held and not entry.parked)
            parked = sum(1 for entry in page if entry.parked)
            work = work.with_changes(
                oldest=min([work.oldest, *(entry.work_date for entry in page)]),
                ready=work.ready + len(page) - held - parked,
                held=work.held + held,
                parked=work.parked + parked,
            )
            parts.append(await self._worth(page, project))
        return work.with_changes(worth=joined(parts))

    async def _open_pages(self, project: str, up_to: date) -> AsyncIterator[Sequence[Billable]]:
        """Open entries of lines that we bill: what a PSA or ERP bills stays open here for ever."""
        contract = await self._contract(project)
        ours = {line.number for line in billed_by(contract, "fairlead")} if contract else None
        if ours is not None and not ours:
            return
        after = ""
        while True:
            page = await self._billing.open_entries(project, up_to=up_to, after=after, limit=_PAGE)
            self._beat()
            yield [entry for entry in page if ours is None or entry.line in ours]
            if len(page) < _PAGE:
                return
            after = f"{page[-1].work_date}/{page[-1].key}"

    async def _worth(self, entries: Sequence[Billable], project: str) -> Worth:
        return worth_of(entries, await self._contract(project), self._cards)

    # -- billing events and invoices --------------------------------------------------------------

    async def _delayed_invoices(self) -> list[Condition]:
        days = self._limits.invoice_delay_days
        events = await self._store.alerts.open_events(max(self._days_before(days).values()))
        invoices = await self._store.alerts.quiet_invoices(
            alerts.STAGES_BEFORE_POSTING, self._moment.at - days * _DAY
        )
        return [
            *alerts.delayed_events(
                [await self._open_event(event) for event in events], self._limits, self._moment
            ),
            *alerts.standing_invoices(
                [await self._standing(row) for row in invoices], self._limits, self._moment
            ),
        ]

    async def _missed_events(self) -> list[Condition]:
        found: list[Condition] = []
        after = ""
        while True:
            page = await self._billing.projects(after=after, limit=_PROJECTS)
            for project in page:
                found += await self._missed_of(project)
            self._beat()
            if len(page) < _PROJECTS:
                return found
            after = page[-1]

    async def _missed_of(self, project: str) -> list[Condition]:
        contract = await self._contract(project)
        if contract is None:
            return []
        until = self._moment.before(self._limits.missed_event_days, contract.entity)
        kept = await self._billing.events(project)
        try:
            missing = missing_events(contract, until, kept)
        except ValueError as error:
            return [alerts.unknown_calendar(await self._ref(project), str(error))]
        if not missing or await self._billing_ended(project):
            return []
        return alerts.missed_events([await self._open_event(event) for event in missing], self._moment)

    async def _billing_ended(self, project: str) -> bool:
        """After the final account nothing more falls due, whatever the contract's calendar says."""
        row = await self._store.processes.get(process_key(BILLING, self._policies.firm, project))
        return row is not None and row.state == "done"

    async def _open_event(self, event: BillingEventRow) -> OpenEvent:
        contract = await self._contract(event.project)
        lines = contract.lines if contract else ()
        name = next((line.name for line in lines if line.number == event.line), "")
        worth = worth_of_amounts([event.amount])
        if event.kind == "time":
            pages = self._open_pages(event.project, event.service_to)
            worth = joined([await self._worth(page, event.project) async for page in pages])
        return OpenEvent(of=await self._ref(event.project), event=event, line=name, worth=worth)

    async def _standing(self, row: InvoiceRow) -> StandingInvoice:
        if row.priced is not None:
            worth = worth_of_amounts([row.priced.net])
        else:
            events = {event.key: event for event in await self._billing.events(row.project)}
            amounts = [events[key].amount for key in row.events if key in events]
            covered = await self._billing.entries_of(row.id)
            worth = joined([worth_of_amounts(amounts), await self._worth(covered, row.project)])
        return StandingInvoice(
            of=await self._ref(row.project, row.entity),
            invoice=row,
            changed_at=row.updated_at or self._moment.at,
            worth=worth,
        )

    # -- intake, activations, events --------------------------------------------------------------

    async def _late_approvals(self) -> list[Condition]:
        since = self._moment.at - self._limits.late_approval_window_days * _DAY
        groups: dict[str, list[Billable]] = defaultdict(list)
        for entry in await self._billing.approved_after(self._limits.late_approval_days, since):
            groups[entry.project].append(entry)
        found = []
        for project, entries in sorted(groups.items()):
            billable = [entry for entry in entries if entry.billable]
            of = await self._ref(project, entries[0].entity)
            found.append((of, entries, await self._worth(billable, project)))
        return alerts.late_approvals(found, self._limits)

    async def _refused_work(self) -> list[Condition]:
        problems = await self._billing.problems(limit=_PROBLEMS)
        return alerts.refused_work(problems, self._limits, self._moment)

    async def _stalled_activations(self) -> list[Condition]:
        days = min(self._limits.stalled_days, self._limits.quarter_end_stalled_days)
        rows = await self._store.alerts.quiet_processes(ACTIVATION, self._moment.at - days * _DAY)
        return alerts.stalled_activations(
            [await self._quiet(row) for row in rows], self._limits, self._moment
        )

    async def _quiet(self, row: ProcessRow) -> QuietProcess:
        items = await self._store.attention.list(process=row.key, limit=1)
        return QuietProcess(
            key=row.key,
            of=ProjectRef(project=row.project, entity=row.entity, customer=row.customer),
            title=row.title,
            stage=row.stage,
            owner=items[0].owner if items else OwnerGroup.DELIVERY_OPERATIONS,
            waits_for=items[0].headline if items else "",
            changed_at=row.updated_at,
        )

    async def _stuck_events(self) -> list[Condition]:
        since = self._moment.at - self._limits.waiting_event_days * _DAY
        groups = [
            group.with_changes(owner=_owner_of(group.type))
            for group in await self._store.alerts.stuck_events(since)
        ]
        return alerts.stuck_events(groups, self._limits, self._moment)

    # -- inside -----------------------------------------------------------------------------------

    async def _contract(self, project: str) -> ProjectContract | None:
        if project not in self._contracts:
            self._contracts[project] = await self._billing.contract(project) if project else None
        return self._contracts[project]

    async def _ref(self, project: str, entity: str = "") -> ProjectRef:
        return ProjectRef.to(project, await self._contract(project), entity)


def _owner_of(type: str) -> OwnerGroup:
    """Whose an event of this type is; of a type that nobody knows, enterprise architecture's."""
    try:
        return newest(type).owner
    except KeyError:
        return OwnerGroup.ENTERPRISE_ARCHITECTURE
