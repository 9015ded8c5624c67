"""First act: one signed deal becomes a project in every system, with trouble on the way."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from domain.activation_process import ACTIVATION, ActivationResult, ActivationView
from domain.identity import process_key
from domain.money import Money
from drill.demo_outcome import DemoFailed
from drill.demo_scenes import (
    OPERATOR,
    OPERATOR_ROLE,
    SECOND,
    SECOND_ROLE,
    STAFFING_ROLE,
    Scenes,
)
from drill.lane import STAFFING

FLAGSHIP = "Polaris"
"""First word of the seed's managed-services deal."""
TIME_ZONE = ZoneInfo("Europe/Berlin")
"""Of the entity that has the deal."""
BEGAN_DAYS_AGO = 27
"""People have worked, and no month of the subscription, which is billed in arrears, has ended."""


@dataclass(frozen=True)
class Signed:
    """What the first act leaves to the second."""

    deal: str
    name: str
    account: str
    process: str
    project: str
    started_on: date
    today: date
    handed_over: tuple[str, ...]


class Signing(Scenes):
    """From the negotiation to the open project."""

    async def play(self) -> Signed:
        """All scenes. Raises `DemoFailed`."""
        deal = await self._negotiate()
        await self._lay_traps()
        await self._sign()
        await self._mend_the_red_gate()
        await self._staff()
        result = await self._active()
        return Signed(
            deal=self._deal,
            name=str(deal["Name"]),
            account=self._account,
            process=self._process,
            project=result.project,
            started_on=self._today - timedelta(days=BEGAN_DAYS_AGO),
            today=self._today,
            handed_over=tuple(result.handed_over),
        )

    async def _negotiate(self) -> dict[str, Any]:
        """The flagship deal as it was before it was signed, its customer without a tax id."""
        rows = await self.records("salesforce/Opportunity")
        deal = next(row for row in rows if str(row["Name"]).startswith(FLAGSHIP))
        self._deal, self._account = str(deal["Id"]), str(deal["AccountId"])
        self._today = datetime.now(TIME_ZONE).date()
        account = await self.sandbox("GET", f"/_control/salesforce/Account/{self._account}")
        self._tax_id = str(account["Tax_Id__c"])
        await self._move(deal)
        await self.edit("Opportunity", self._deal, StageName="Negotiation/Review")
        await self.edit("Account", self._account, Tax_Id__c=None)
        amount = str(Money.of(str(deal["Amount"]), str(deal["CurrencyIsoCode"])))
        sold = "milestones, time and materials, a subscription, a subcontractor"
        self.say("Salesforce", f"deal {deal['Name']!r}, {amount}: {sold}")
        return deal

    async def _move(self, deal: dict[str, Any]) -> None:
        """All its days, so that work has begun and can be billed on whatever day this is played."""
        begins = self._today - timedelta(days=BEGAN_DAYS_AGO)
        by = begins - date.fromisoformat(deal["Start_Date__c"])
        contract = f"/_control/salesforce/Contract/{deal['ContractId']}"
        await self.edit("Contract", deal["ContractId"], StartDate=begins.isoformat())
        # A term is so many months: where it was moved to it may be a day shorter.
        ends = date.fromisoformat((await self.sandbox("GET", contract))["EndDate"])
        days = _moved(deal, by, ends, "Start_Date__c", "End_Date__c")
        await self.edit("Opportunity", self._deal, **days)
        for line in await self.records("salesforce/OpportunityLineItem"):
            if line["OpportunityId"] == self._deal:
                days = _moved(line, by, ends, "Start_Date__c", "End_Date__c", "ServiceDate")
                await self.edit("OpportunityLineItem", line["Id"], **days)

    async def _lay_traps(self) -> None:
        """Trouble for later: a lost answer, a worker killed in a write, a busy system, doubled webhooks."""
        stage, key = self.stage, self._process
        await stage.arm_fault(kind="webhook_duplicate", system="salesforce", count=2)
        await stage.arm_fault(kind="reset", match=f"{key}/psa.project/", only="writes", count=1)
        await stage.arm_fault(kind="throttle", system="kantata", only="writes", count=1)
        if stage.erp_is_sandbox:
            await stage.arm_fault(kind="concurrency", system=stage.erp, only="reads", count=1)
            await stage.arm_held_answer(1, f"{key}/erp.project/")
        else:
            stage.arm_crash("after_answer", f"{key}/erp.project/1")

    async def _sign(self) -> None:
        await self.edit("Opportunity", self._deal, StageName="Closed Won")
        self.say("Salesforce", "the deal is signed; the webhook is delivered more than once")
        view = await self._until(lambda view: view.stage == "gates before creation" and bool(view.attention))
        self.say("Fairlead", f"one process: {self._process}")
        for item in view.attention:
            self.say("Gate", f"{item.headline.lower()}: {item.detail} (owner {item.person})")

    async def _mend_the_red_gate(self) -> None:
        """Corrected in place by two persons, while nothing has been created anywhere."""
        view = await self.view(self._process, ActivationView)
        item = next(i for i in view.attention if any(f.field == "customer.tax_id" for f in i.findings))
        first, _ = await self.decide(
            self._process, "correct", OPERATOR, OPERATOR_ROLE, target=item.id,
            payload={"customer.tax_id": self._tax_id}, reason="confirmed by the customer",
        )  # fmt: skip
        self.say("Operator", f"{OPERATOR} corrects customer.tax_id; a second person has to agree")
        await self.decide(self._process, "second", SECOND, SECOND_ROLE, target=first)
        self.say("Controller", f"{SECOND} agrees; all gates are green")

    async def _staff(self) -> None:
        view = await self._until(lambda view: view.stage == "awaiting staffing")
        if (await self.stage.faults_fired()).get("reset"):
            self.say(
                "Kantata", "the answer to the creation of the project was lost: looked up by its key, found"
            )
        if self.stage.kills:
            self.say("Fault drill", "the worker was killed in the middle of a write; it went on")
        self.say("Staffing", f"asked for {', '.join(view.staffing_asked)}")
        await self.decide(self._process, "approve_staffing", STAFFING, STAFFING_ROLE)
        self.say("Staffing", f"{STAFFING} approves")

    async def _active(self) -> ActivationResult:
        result = await self.result(self._process, ActivationResult)
        if result.state != "active":
            raise DemoFailed(f"the activation ended {result.state}: {result.reason}")
        self.show(await self.view(self._process, ActivationView))
        self.say(
            "Fairlead", f"project {result.project} is open in every system; billing and procurement live on"
        )
        return result

    async def _until(self, reached: Any) -> ActivationView:
        return await self.until(self._process, ActivationView, reached)

    @property
    def _process(self) -> str:
        return process_key(ACTIVATION, self.stage.firm, self._deal)


def _moved(record: dict[str, Any], by: timedelta, last: date, *fields: str) -> dict[str, str]:
    """The days in `fields` of `record`, each later by `by`, `last` at the latest; empty ones stay so."""
    days = {name: min(date.fromisoformat(record[name]) + by, last) for name in fields if record.get(name)}
    return {name: day.isoformat() for name, day in days.items()}
