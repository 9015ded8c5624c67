"""The demo: a signed deal becomes a project, and its work becomes invoices, with trouble on the way.

What is shown is what happens: a firm of its own is started, events come by webhook, people decide by
decision rows, the sandbox loses an answer, workers are killed. At the end the systems are asked what
was done to them, and that is compared with what Fairlead's journal says was meant.
"""

import time
from collections.abc import Callable
from contextlib import closing

from drill.demo_billing import Billing
from drill.demo_books import Cash
from drill.demo_credit import Crediting
from drill.demo_outcome import DemoFailed, Outcome
from drill.demo_proof import Proof
from drill.demo_purchasing import Purchasing
from drill.demo_scenes import Scenes, Show, Tell
from drill.demo_signing import Signing
from drill.demo_work import Working
from drill.lane import Lane, lane
from local.launch import SERVICES
from local.tryton_firm import SYSTEM as TRYTON
from runtime.settings import Settings

__all__ = ["DemoFailed", "run"]

LIMITS = {"limits": {"approval": '{ USD = "60000", EUR = "60000", INR = "5000000" }'}}
"""Of the firm's file: a month's work is above it, a milestone below."""


async def run(
    *, tell: Tell, show: Show, say_service: Callable[[str], None], erp: str = "", keep: bool = False
) -> Outcome:
    """Play the story in a firm of its own, with the sandbox's ERP or with Tryton. `keep` leaves the firm up.

    Raises `DemoFailed`, and `NoTryton` where Tryton is asked for and not prepared.
    """
    began = time.monotonic()
    tryton = erp == TRYTON
    async with lane(
        services=SERVICES, keep=keep, firm_values=LIMITS, tryton=tryton, say=say_service
    ) as stage:
        if not tryton:
            return await _play(Scenes(stage, tell, show, began), None)
        with closing(Cash(stage, tell, show, began)) as cash:
            return await _play(cash, cash)


async def _play(scenes: Scenes, cash: Cash | None) -> Outcome:
    """All acts. `cash` enters a payment where the ledger is a real one."""
    signed = await scenes.act(Signing).play()
    await scenes.act(Purchasing).play(signed)
    contract = await scenes.act(Working).play(signed)
    billing = scenes.act(Billing)
    milestone = await billing.milestone(signed, contract)
    work = await billing.time(signed, contract)
    await scenes.act(Crediting).play(work, contract)
    if cash:
        await cash.pay(milestone, signed)
    outcome = await scenes.act(Proof).play(signed, contract, cash)
    outcome.addresses = addresses(scenes.stage, signed.process)
    return outcome


def addresses(stage: Lane, process: str) -> dict[str, str]:
    """Where to look while the firm is up."""
    settings: Settings = stage.settings
    web = f"http://127.0.0.1:{settings.ui_port}"
    found = {
        "web_ui": web,
        "process": f"{web}/namespaces/{settings.namespace}/workflows/{process.replace('/', '%2F')}",
        "gateway": settings.gateway_url,
        "sandbox": settings.sandbox_url,
        "home": str(settings.home),
    }
    erp = stage.setup.firm.systems[stage.erp]
    return found if stage.erp_is_sandbox else found | {"erp": erp.base_url}
