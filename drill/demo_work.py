"""Second act: people work on the project, submit their time, and what is approved comes in."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from domain.billable import Billable
from domain.project_contract import ProjectContract
from domain.selling import BillingMethod, ContractLine
from drill.demo_outcome import DemoFailed
from drill.demo_scenes import OPERATOR, Scenes
from drill.demo_signing import Signed
from drill.lane import STAFFING
from workflows.shared.start import wake_time_posting

HOURS_A_DAY = Decimal(8)
TEAM = 4
_SATURDAY = 5
PSA = "kantata"


class Working(Scenes):
    """From the first hour to billable work."""

    async def play(self, signed: Signed) -> ProjectContract:
        """All scenes; the contract that is billed. Raises `DemoFailed`."""
        self._signed = signed
        contract = await self._kept_contract()
        await self._work(contract)
        await self._take_in(contract)
        return contract

    async def _kept_contract(self) -> ProjectContract:
        """The contract once billing has taken it up."""
        project = self._signed.project
        return await self.eventually(
            lambda: self.stage.store.billing.contract(project), lambda: f"{project} has no contract to bill"
        )

    async def _work(self, contract: ProjectContract) -> None:
        """The team writes its days on the plan's task until the line's cap is passed; then approval."""
        line = _capped_line(contract)
        users = await self.records(f"{PSA}/users")
        able = [user["full_name"] for user in users if str(user["headline"]).endswith(str(line.role))]
        task = await self._task_of(line, contract)
        days = worked_days(line, able[:TEAM], self._signed.started_on, self._signed.today)
        for person, day in days:
            work = {"user": person, "story": task, "date": day.isoformat(), "hours": str(HOURS_A_DAY)}
            await self.sandbox("POST", f"/_control/{PSA}/worked_time", json={**work, "notes": line.name})
        people = len({person for person, _ in days})
        self.say("Kantata", f"{people} people write {len(days)} days on {line.name!r} and submit them")
        approval = {"workspace": int(contract.psa_project), "approver": STAFFING}
        await self.sandbox("POST", f"/_control/{PSA}/approvals", json=approval)
        self.say("Kantata", f"{STAFFING} approves them")

    async def _task_of(self, line: ContractLine, contract: ProjectContract) -> int:
        """Id of the task that was planned for `line`."""
        tasks = await self.records(f"{PSA}/stories")
        mine = [one for one in tasks if str(one["workspace_id"]) == contract.psa_project]
        return int(next(one["id"] for one in mine if line.name in str(one["title"])))

    async def _take_in(self, contract: ProjectContract) -> None:
        """The process that takes in approved time is woken, as a schedule or an event would."""
        stage = self.stage
        await wake_time_posting(
            stage.client, stage.settings, firm=stage.firm, system=PSA, by=OPERATOR, again=True
        )
        approved = [one for one in await self._written(contract) if one["approved"]]
        entries = await self.eventually(
            lambda: self._came_in(contract, len(approved)), lambda: "approved time does not come in"
        )
        self.say("Fairlead", f"{len(entries)} approved entries came in, each once")

    async def _came_in(self, contract: ProjectContract, count: int) -> Sequence[Billable] | None:
        billing, today = self.stage.store.billing, self._signed.today
        entries = await billing.open_entries(contract.project, up_to=today)
        return entries if len(entries) >= count else None

    async def _written(self, contract: ProjectContract) -> list[dict[str, Any]]:
        entries = await self.records(f"{PSA}/time_entries")
        return [one for one in entries if str(one["workspace_id"]) == contract.psa_project]


def _capped_line(contract: ProjectContract) -> ContractLine:
    by_time = [line for line in contract.lines if line.billing_method is BillingMethod.TIME_AND_MATERIALS]
    return next(line for line in by_time if line.cap is not None)


def worked_days(line: ContractLine, team: list[str], began: date, today: date) -> list[tuple[str, date]]:
    """Who worked on which days before today: together a little more than the cap of `line` pays.

    Raises `DemoFailed` where there are not enough people, days or terms for that.
    """
    if line.cap is None or line.unit_price is None:
        raise DemoFailed(f"line {line.number} {line.name} has no cap or no price")
    wanted = int(line.cap.amount / (line.unit_price * HOURS_A_DAY)) + 2
    days = [began + timedelta(days=n) for n in range((today - began).days)]
    worked = [(person, day) for day in days if day.weekday() < _SATURDAY for person in team]
    if len(worked) < wanted:
        raise DemoFailed(f"{len(team)} people have {len(worked)} days on {line.name}; its cap pays {wanted}")
    return worked[:wanted]
