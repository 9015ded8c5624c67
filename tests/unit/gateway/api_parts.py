"""What the API's tests are made of: the example firm behind tokens, systems that answer as told."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
from fastapi import FastAPI

from connectors.errors import NotFound
from connectors.ports import SystemPort
from domain.access import RIGHTS, Right
from domain.books import ErpCustomer, InvoiceFacts, PartyFacts, PartyQuery
from domain.money import Money
from domain.selling import Contract, Customer, Deal
from firm.access_section import AccessSection, OidcSection
from firm.access_tokens import Token, TokenFile, digest
from firm.load import load
from firm.policies import snapshot
from firm.sections import Access
from gateway.access import Authenticator
from gateway.access_oidc import OidcVerifier
from gateway.api import Api
from gateway.api_systems import Systems
from gateway.app import build_gateway
from store.ports import Store
from tests.unit.gateway.gateway_parts import DEAL, GatewayTestFirm, RecordingTemporal, settings

TREE = Path(__file__).resolve().parents[3]
FIRM = load(TREE / "examples" / "firm")
POLICY = snapshot(FIRM)
ISSUER, AUDIENCE, JWKS = "https://login.example/acme", "fairlead-api", "https://login.example/acme/keys"
PEOPLE = {f"{right}@acme.example": Access(roles=(right,)) for right in RIGHTS}


def secret_of(name: str) -> str:
    """The token called `name`: known to the tests, of the length real ones have."""
    return f"fairlead_{name.ljust(43, '0')}"


def bearer(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret_of(name)}"}


def token(name: str, right: Right, at: datetime, **changes: Any) -> Token:
    facts = {
        "name": name,
        "person": f"{right}@acme.example",
        "roles": (right,),
        "sha256": digest(secret_of(name)),
        "created_at": at - timedelta(days=10),
        "expires_at": at + timedelta(days=80),
    }
    return Token.model_validate(facts | changes)


@dataclass(frozen=True)
class GuardedFirm:
    """A firm with a token file and a provider."""

    path: Path
    people: dict[str, Access] = field(default_factory=lambda: dict(PEOPLE))
    access: AccessSection | None = field(
        default_factory=lambda: AccessSection(
            tokens="file:tokens.json",
            oidc=OidcSection(
                issuer=ISSUER,
                audience=AUDIENCE,
                jwks_url=JWKS,
                roles={f"fl-{right}": right for right in RIGHTS},
            ),
        )
    )

    def access_file(self) -> Path:
        return self.path


def with_tokens(path: Path, at: datetime) -> GuardedFirm:
    """A firm in which everybody with a right has a token; and there are an expired and a revoked one."""
    tokens = [token(right, right, at) for right in RIGHTS]
    tokens.append(token("expired", "admin", at, expires_at=at))
    tokens.append(token("revoked", "admin", at, revoked_at=at))
    tokens.append(token("left", "admin", at, person="gone@acme.example"))
    TokenFile(path).change(lambda known: tokens)
    return GuardedFirm(path)


class ToldSystem:
    """A system that answers what the test says: facts, a deal, an error, or nothing for ever."""

    def __init__(self) -> None:
        self.facts = PartyFacts(as_of=datetime.fromisoformat("2026-11-23T12:00:00Z"))
        self.deals: dict[str, Deal] = {}
        self.documents: list[InvoiceFacts] = []
        self.error: Exception | None = None
        self.silent = False
        self.questions: list[Any] = []
        self.at_once = self.most_at_once = 0

    async def party_facts(self, query: PartyQuery) -> PartyFacts:
        await self._asked(query)
        return self.facts

    async def read_deal(self, deal_id: str) -> Deal:
        await self._asked(deal_id)
        found = next((deal for id, deal in self.deals.items() if id.startswith(deal_id)), None)
        if found is None:
            raise NotFound(f"no deal {deal_id}", system="salesforce")
        return found

    async def project_invoices(self, project_external_id: str) -> list[InvoiceFacts]:
        await self._asked(project_external_id)
        return self.documents

    async def aclose(self) -> None:
        return None

    async def _asked(self, question: Any) -> None:
        self.questions.append(question)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(0)
            if self.error is not None:
                raise self.error
            if self.silent:
                await asyncio.Event().wait()
        finally:
            self.at_once -= 1


@dataclass
class RunningApi:
    """Everything a test of the API looks at."""

    app: FastAPI
    http: httpx.AsyncClient
    store: Store
    temporal: RecordingTemporal
    systems: dict[str, ToldSystem]

    @property
    def erp(self) -> ToldSystem:
        return self.systems["netsuite"]

    @property
    def crm(self) -> ToldSystem:
        return self.systems["salesforce"]


@asynccontextmanager
async def running_api(
    store: Store,
    home: Path,
    now: Callable[[], datetime],
    guarded: GuardedFirm | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    limit: float = 20.0,
) -> AsyncIterator[RunningApi]:
    """A gateway with its API: open, or `guarded` with the provider behind `transport`."""
    told = {name: ToldSystem() for name in FIRM.systems}
    temporal = RecordingTemporal()
    oidc = None
    if guarded is not None and guarded.access is not None and guarded.access.oidc is not None:
        oidc = OidcVerifier(guarded.access.oidc, transport, now)
    app = build_gateway(
        settings(home),
        GatewayTestFirm(id=FIRM.id),
        store,
        temporal.connect,
        start=temporal.start,
        wake=temporal.wake,
        now=now,
        access=Authenticator(guarded, oidc, now) if guarded is not None else None,
        synchronous=Api(
            POLICY,
            list(FIRM.cards.values()),
            Systems(lambda name: cast(SystemPort, told[name]), {"netsuite": 1}),
        ),
    )
    app.state.api_limit = limit
    asgi = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=asgi, base_url="http://gateway.test") as http:
        yield RunningApi(app, http, store, temporal, told)
        await app.state.gateway.background.aclose()
        await app.state.access.aclose()


def erp_customer(external_id: str = "301", **changes: Any) -> ErpCustomer:
    facts: dict[str, Any] = {
        "external_id": external_id,
        "number": f"C{external_id}",
        "name": "Nordwind AG",
        "tax_ids": ("DE136695976",),
        "terms": "Net 30",
        "credit_limit": Money.of("200000", "EUR"),
        "balance": Money.of("0", "EUR"),
    }
    return ErpCustomer.model_validate(facts | changes)


def question(**changes: Any) -> dict[str, Any]:
    """A customer without a fault, to be billed by DE01."""
    customer = {
        "external_id": "0015g0000000001AAA",
        "name": "Nordwind AG",
        "tax_id": "DE136695976",
        "address": {"city": "Hamburg", "country": "DE"},
        "currency": "EUR",
        "payment_terms": "Net 30",
    }
    body: dict[str, Any] = {
        "customer": customer,
        "entity": "DE01",
        "contract_value": {"amount": "50000.00", "currency": "EUR"},
    }
    return body | changes


def signed_deal(id: str = DEAL, **changes: Any) -> Deal:
    facts: dict[str, Any] = {
        "id": f"deal:salesforce:{id}",
        "external_id": id,
        "name": "Rollout",
        "won": True,
        "customer": Customer(id="customer:salesforce:1", external_id="1", name="Nordwind AG"),
        "contract": Contract(id="c", external_id="c", number="C-1", signed_on=date(2026, 11, 1)),
        "version": "2026-11-20T12:00:00Z",
    }
    return Deal.model_validate(facts | changes)
