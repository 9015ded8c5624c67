"""The demo: one signed deal becomes a project in every system, with trouble on the way.

What is shown is what happens: a firm of its own is started, events come by webhook, people decide by
decision rows, the sandbox loses an answer, workers are killed. At the end the systems are asked what
was done to them, and that is compared with what Fairlead's journal says was meant.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from temporalio.client import WorkflowHandle
from temporalio.service import RPCError

from domain.activation_process import ACTIVATION, ActivationResult, ActivationView
from domain.attention import DecisionAction
from domain.identity import process_key
from domain.money import Money
from drill.effects import difference, landed
from drill.lane import STAFFING, Lane, lane
from local.launch import SERVICES
from runtime.decisions import decide
from runtime.settings import Settings

FLAGSHIP = "Polaris"
"""First word of the seed's managed-services deal."""
PATIENCE = 90.0
OPERATOR, OPERATOR_ROLE = "tomas.lindqvist@fairlead.example", "operator"
SECOND, SECOND_ROLE = "controller@fairlead.example", "controller"
STAFFING_ROLE = "practice_lead"


class DemoFailed(RuntimeError):
    """The story did not go as it should; the text says where it stood."""


@dataclass(frozen=True)
class Line:
    """One line of the story: who, what, and seconds since the start."""

    at: float
    who: str
    what: str


@dataclass
class Outcome:
    """What the demo shows at its end."""

    project: str = ""
    deal: str = ""
    deal_name: str = ""
    records: list[dict[str, str]] = field(default_factory=list)
    handed_over: list[str] = field(default_factory=list)
    effects: int = 0
    effects_lost: int = 0
    effects_doubled: int = 0
    faults_injected: int = 0
    worker_kills: int = 0
    crash_points_hit: int = 0
    webhook_deliveries: int = 0
    seconds: float = 0.0
    addresses: dict[str, str] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        return bool(self.project) and not self.effects_lost and not self.effects_doubled

    def as_json(self) -> dict[str, object]:
        return {
            "project": self.project,
            "deal": self.deal,
            "deal_name": self.deal_name,
            "systems": self.records,
            "handed_over": self.handed_over,
            "effects": self.effects,
            "effects_lost": self.effects_lost,
            "effects_doubled": self.effects_doubled,
            "faults_injected": self.faults_injected,
            "worker_kills": self.worker_kills,
            "crash_points_hit": self.crash_points_hit,
            "webhook_deliveries": self.webhook_deliveries,
            "seconds": round(self.seconds, 1),
            "addresses": self.addresses,
            "passed": self.passed,
        }


Tell = Callable[[Line], None]
Show = Callable[[ActivationView], None]


class Story:
    """The demo in a running lane, scene by scene."""

    def __init__(self, stage: Lane, tell: Tell, show: Show, began: float) -> None:
        self._stage = stage
        self._tell = tell
        self._show = show
        self._began = began
        self._deal = ""
        self._account = ""

    async def play(self) -> Outcome:
        """All scenes. Raises `DemoFailed`."""
        deal = await self._negotiate()
        await self._lay_traps()
        await self._sign()
        await self._mend_the_red_gate()
        await self._staff()
        result = await self._active()
        return await self._proof(deal, result)

    # -- scenes -----------------------------------------------------------------------------------

    async def _negotiate(self) -> dict[str, Any]:
        """The flagship deal as it was before it was signed, its customer without a tax id."""
        rows = (await self._sandbox("GET", "/_control/salesforce/Opportunity"))["records"]
        deal = next(row for row in rows if str(row["Name"]).startswith(FLAGSHIP))
        self._deal, self._account = deal["Id"], deal["AccountId"]
        account = await self._sandbox("GET", f"/_control/salesforce/Account/{self._account}")
        self._tax_id = str(account["Tax_Id__c"])
        await self._edit("Opportunity", self._deal, StageName="Negotiation/Review")
        await self._edit("Account", self._account, Tax_Id__c=None)
        amount = str(Money.of(str(deal["Amount"]), str(deal["CurrencyIsoCode"])))
        sold = "milestones, time and materials, a subscription, a subcontractor"
        self._say("Salesforce", f"deal {deal['Name']!r}, {amount}: {sold}")
        return dict(deal)

    async def _lay_traps(self) -> None:
        """Trouble for later: a lost answer, a held answer, a crash, a busy system, doubled webhooks."""
        stage, key = self._stage, f"{ACTIVATION}/{self._stage.firm}/{self._deal}"
        await stage.arm_fault(kind="webhook_duplicate", count=2)
        await stage.arm_fault(kind="reset", match=f"{key}/psa.project/", only="writes", count=1)
        await stage.arm_fault(kind="throttle", system="kantata", only="writes", count=1)
        await stage.arm_fault(kind="concurrency", system="netsuite", only="reads", count=1)
        await stage.arm_held_answer(1, f"{key}/erp.project/")
        stage.arm_crash("after_answer", f"{key}/erp.billing_schedule/1")

    async def _sign(self) -> None:
        await self._edit("Opportunity", self._deal, StageName="Closed Won")
        self._say("Salesforce", "the deal is signed; the webhook is delivered more than once")
        view = await self._until(lambda view: view.stage == "gates before creation" and bool(view.attention))
        self._say("Fairlead", f"one process: {self._process}")
        for item in view.attention:
            self._say("Gate", f"{item.headline.lower()}: {item.detail} (owner {item.person})")

    async def _mend_the_red_gate(self) -> None:
        """Corrected in place by two persons, while nothing has been created anywhere."""
        view = await self._view()
        item = next(i for i in view.attention if any(f.field == "customer.tax_id" for f in i.findings))
        first = await self._decide(
            "correct", OPERATOR, OPERATOR_ROLE, target=item.id, payload={"customer.tax_id": self._tax_id},
            reason="confirmed by the customer",
        )  # fmt: skip
        self._say("Operator", f"{OPERATOR} corrects customer.tax_id; a second person has to agree")
        await self._decide("second", SECOND, SECOND_ROLE, target=first)
        self._say("Controller", f"{SECOND} agrees; all gates are green")

    async def _staff(self) -> None:
        view = await self._until(lambda view: view.stage == "awaiting staffing")
        fired = await self._stage.faults_fired()
        if fired.get("reset"):
            self._say(
                "Kantata", "the answer to the creation of the project was lost: looked up by its key, found"
            )
        if self._stage.kills:
            self._say(
                "Fault drill", f"{self._stage.kills} workers killed in the middle of a write; it went on"
            )
        self._say("Staffing", f"asked for {', '.join(view.staffing_asked)}")
        await self._decide("approve_staffing", STAFFING, STAFFING_ROLE)
        self._say("Staffing", f"{STAFFING} approves")

    async def _active(self) -> ActivationResult:
        async with asyncio.timeout(PATIENCE):
            result: ActivationResult = await self._handle.result()
        if self._stage.other_ends:
            raise DemoFailed(self._stage.other_ends[0])
        if result.state != "active":
            raise DemoFailed(f"the activation ended {result.state}: {result.reason}")
        self._show(await self._view())
        self._say(
            "Fairlead", f"project {result.project} is open in every system; billing and procurement live on"
        )
        return result

    async def _proof(self, deal: dict[str, Any], result: ActivationResult) -> Outcome:
        """What the systems say was done to them, against what the journal says was meant."""
        stage = self._stage
        rows = [*await stage.store.effects.list(self._process), *await self._customers()]
        meant = {row.key for row in rows if row.state == "confirmed"}
        found = await landed(stage.sandbox)
        mine = {e: n for e, n in found.items() if e.key in meant or f"/{self._deal}/" in e.key}
        gap = difference(dict.fromkeys(mine, 1), mine)
        lost = meant - {effect.key for effect in mine}
        fired = await stage.faults_fired()
        return Outcome(
            project=result.project,
            deal=self._deal,
            deal_name=str(deal["Name"]),
            records=await self._made({effect.key for effect in mine}),
            handed_over=list(result.handed_over),
            effects=len(mine),
            effects_lost=len(lost),
            effects_doubled=len(gap.doubled),
            faults_injected=sum(fired.values()),
            worker_kills=stage.kills,
            crash_points_hit=stage.hits(),
            webhook_deliveries=1 + fired.get("webhook_duplicate", 0),
            seconds=time.monotonic() - self._began,
            addresses=addresses(stage.settings, self._process),
        )

    # -- small things -----------------------------------------------------------------------------

    @property
    def _process(self) -> str:
        return process_key(ACTIVATION, self._stage.firm, self._deal)

    @property
    def _handle(self) -> WorkflowHandle[Any, ActivationResult]:
        return self._stage.client.get_workflow_handle(self._process, result_type=ActivationResult)

    async def _view(self) -> ActivationView:
        view: ActivationView = await self._handle.query(
            "status", result_type=ActivationView, rpc_timeout=timedelta(seconds=5)
        )
        return view

    async def _until(self, reached: Callable[[ActivationView], bool]) -> ActivationView:
        view: ActivationView | None = None
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    try:
                        view = await self._view()
                    except RPCError:  # not started yet, or its worker has just been killed
                        pass
                    else:
                        self._show(view)
                        if reached(view):
                            return view
                    await asyncio.sleep(0.2)
        except TimeoutError:
            standing = view.stage if view else "not started"
            raise DemoFailed(f"no progress for {PATIENCE:.0f} s; the process is {standing}") from None

    async def _decide(self, action: DecisionAction, actor: str, role: str, **fields: Any) -> str:
        decision, _ = await decide(
            self._stage.client, self._stage.store.decisions,
            action=action, process=self._process, actor=actor, role=role, **fields,
        )  # fmt: skip
        return decision.id

    async def _customers(self) -> list[Any]:
        """The shared customers of this deal, which the journal keeps under their own keys."""
        keys = [
            f"customer/{self._stage.firm}/{self._account}/{step}/1"
            for step in ("kantata.customer", "netsuite.customer")
        ]
        rows = [await self._stage.store.effects.get(key) for key in keys]
        return [row for row in rows if row is not None]

    async def _made(self, keys: set[str]) -> list[dict[str, str]]:
        """What the systems show under our effect keys, one row per write, system by system."""
        rows = (await self._sandbox("GET", "/_effects"))["effects"]
        return [
            {
                "system": row["system"],
                "object": row["object"],
                "operation": row["operation"],
                "record": row["natural_key"],
                "id": ", ".join(row["ids"]),
                "effect_key": row["effect_key"],
                "count": str(row["count"]),
            }
            for row in sorted(rows, key=lambda row: row["system"])
            if row["effect_key"] in keys
        ]

    async def _edit(self, object: str, id: str, **values: Any) -> None:
        await self._sandbox("POST", f"/_control/salesforce/{object}/{id}", json=values)

    async def _sandbox(self, method: str, path: str, **options: Any) -> Any:
        answer = await self._stage.sandbox.request(method, path, **options)
        answer.raise_for_status()
        return answer.json()

    def _say(self, who: str, what: str) -> None:
        self._tell(Line(time.monotonic() - self._began, who, what))


def addresses(settings: Settings, process: str) -> dict[str, str]:
    """Where to look while the firm is up."""
    web = f"http://127.0.0.1:{settings.ui_port}"
    return {
        "web_ui": web,
        "process": f"{web}/namespaces/{settings.namespace}/workflows/{process.replace('/', '%2F')}",
        "gateway": settings.gateway_url,
        "sandbox": settings.sandbox_url,
        "home": str(settings.home),
    }


async def run(*, tell: Tell, show: Show, say_service: Callable[[str], None], keep: bool = False) -> Outcome:
    """Play the story in a firm of its own. Raises `DemoFailed`. `keep` leaves the firm up."""
    began = time.monotonic()
    async with lane(services=SERVICES, keep=keep, say=say_service) as stage:
        return await Story(stage, tell, show, began).play()
