"""A small NetSuite account in process, with a firm of its own: no other system, no seed data."""

import time
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from sandbox.core import effects, wire
from sandbox.core.database import Database
from sandbox.core.dispatch import SystemApp
from sandbox.core.emulator import Context
from sandbox.core.faults import FaultEngine
from sandbox.core.requests import RequestLog
from sandbox.core.tokens import Tokens
from sandbox.core.webhooks import Webhooks
from sandbox.netsuite.emulator import NetSuiteEmulator
from sandbox.seed.dates import in_month, month_end
from sandbox.seed.firm import (
    AccountingPeriod,
    Address,
    Customer,
    Entity,
    Firm,
    FirmSize,
    PaymentTerm,
    Product,
)
from sandbox.settings import SandboxSettings

ORIGIN = "http://erp.test"
BASE_URL = f"{ORIGIN}/netsuite"
RECORD = "/services/rest/record/v1"
CERTIFICATE = "sandbox-certificate"
CLIENT = "fairlead-sandbox"
STRICT = {"X-NetSuite-PropertyNameValidation": "error"}
TAX_ID = "DE136695976"


PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    """One RSA key for the whole run: making one is slow, and so is loading one."""
    return rsa.generate_private_key(65537, 2048)


@cache
def curve_key() -> ec.EllipticCurvePrivateKey:
    """One P-256 key for the whole run, for ES256: the quick way where the algorithm does not matter."""
    return ec.generate_private_key(ec.SECP256R1())


def private_pem(key: PrivateKey | None = None) -> str:
    """The private key as an integration holds it; the P-256 one by default."""
    held = key or curve_key()
    return held.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def write_public_key(home: Path, key: PrivateKey) -> Path:
    """The public half where the account's certificate mapping expects it."""
    path = home / "netsuite-public.pem"
    path.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return path


def firm() -> Firm:
    """Two entities, one customer known to finance, one known twice, one not known."""
    address = Address("Hauptstr. 1", "Berlin", "BE", "10115", "DE")
    entities = (
        Entity("US01", "Fairlead Consulting Inc.", "US", "US", "USD", "sales", "12-3456789", address, "", ""),
        Entity("DE01", "Fairlead Beratung GmbH", "DE", "DE", "EUR", "vat", "DE129273398", address, "", ""),
    )
    # Far beyond any day on which this runs: what names no day of its own is dated today.
    periods = tuple(
        AccountingPeriod(f"{start:%Y-%m}", start, month_end(start, 1), start < date(2026, 11, 1))
        for start in (in_month(date(2026, 1, 1), month) for month in range(240))
    )
    return Firm(
        size=FirmSize(as_of=date(2026, 11, 23)),
        name="Fairlead",
        today=date(2026, 11, 23),
        entities=entities,
        practices=(),
        products=(Product("CONS", "Consulting", "", "Time and Materials"),),
        payment_terms=(PaymentTerm("Net 30", 30), PaymentTerm("Net 60", 60)),
        periods=periods,
        customers=(
            _customer("c1", "Alpha Werke", TAX_ID, address, in_erp=True),
            _customer("c2", "Beta Werke", "DE811569869", address, in_erp=True, erp_duplicate=True),
            _customer("c3", "Gamma Werke", "DE115235681", address),
        ),
        suppliers=(),
        workers=(),
        rate_roles=(),
        deals=(),
    )


def _customer(key: str, name: str, tax_id: str, address: Address, **known: Any) -> Customer:
    contact = ("info@example.com", "Ada", "Roth", "Energy", "")
    return Customer(key, name, f"{name} AG", "DE", "DE", "EUR", tax_id, address, "Net 30", *contact, **known)


class Account:
    """The account as a client of its API sees it, and as its owner does."""

    def __init__(self, home: Path, concurrency: int = 5, key: PrivateKey | None = None) -> None:
        self.settings = SandboxSettings(
            home=home,
            netsuite_public_key=write_public_key(home, key or curve_key()),
            netsuite_concurrency=concurrency,
        )
        self.database = Database(self.settings.database)
        self.store = self.database.store("netsuite")
        self.tokens = Tokens(self.database)
        self.faults = FaultEngine(("netsuite",))
        self.log = RequestLog()
        context = Context(self.settings, self.store, self.tokens, Webhooks(self.database, self.faults))
        self.emulator = NetSuiteEmulator(context)
        if self.store.count("currency") == 0:
            with self.database.transaction(), self.database.writing_as("seed"):
                self.emulator.seed(firm(), self.store)
        self.app = SystemApp(self.emulator, self.store, self.faults, self.log, 0)
        self.transport = httpx.ASGITransport(app=self.app)
        self.tokens.accept("netsuite", "test-token", "test", 3600)
        self.client = httpx.AsyncClient(
            transport=self.transport, base_url=BASE_URL, headers={"Authorization": "Bearer test-token"}
        )

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        **params: str,
    ) -> httpx.Response:
        """One request with exact JSON."""
        content = None if body is None else wire.encode(body)
        return await self.client.request(
            method, path, content=content, headers=headers, params=params or None
        )

    async def suiteql(self, query: str, *params: Any, **paging: str) -> httpx.Response:
        """One SuiteQL query."""
        body = {"q": query, "params": list(params)}
        return await self.call(
            "POST", "/services/rest/query/v1/suiteql", body, {"Prefer": "transient"}, **paging
        )

    async def rows(self, query: str, *params: Any) -> list[dict[str, str]]:
        """Rows of a query without their links."""
        answer = await self.suiteql(query, *params)
        assert answer.status_code == 200, answer.text
        return [{name: v for name, v in row.items() if name != "links"} for row in answer.json()["items"]]

    def effects(self, **filters: str) -> list[dict[str, Any]]:
        """Effects that landed."""
        return effects.grouped(self.database, {"origin": "api", **filters})

    def by_hand(self, record_type: str, record_id: str, fields: Mapping[str, Any]) -> None:
        """A person edits a record."""
        with self.database.transaction(), self.database.writing_as("ui"):
            self.emulator.edit(record_type, record_id, fields)

    def id_of(self, record_type: str, field: str, value: str) -> str:
        """Internal id of the first record whose field has this value."""
        return next(row.id for row in self.store.rows(record_type) if row.get(field) == value)

    def job(self, **changes: Any) -> dict[str, Any]:
        """Body of a valid project of the first customer."""
        body = {
            "companyName": "Rollout",
            "parent": {"id": self.id_of("customer", "companyName", "Alpha Werke")},
            "subsidiary": {"externalId": "sub-DE01"},
            "currency": {"id": self.id_of("currency", "symbol", "EUR")},
            "startDate": "2026-12-01",
            "projectedEndDate": "2027-03-31",
        }
        return body | changes

    def requests(self) -> list[str]:
        """Method and path of every request so far, sign-in left out."""
        shown = self.log.shown("netsuite", 5000)
        return [f"{each['method']} {each['path']}" for each in shown if "oauth2" not in each["path"]]

    async def close(self) -> None:
        """Close client and file."""
        await self.client.aclose()
        self.database.close()


def assertion(key: Any = None, algorithm: str = "PS256", kid: str = CERTIFICATE, **claims: Any) -> str:
    """A client assertion; `claims` replace the right ones."""
    now = int(time.time())
    right = {"iss": CLIENT, "scope": ["rest_webservices"], "iat": now, "exp": now + 300}
    right["aud"] = f"{BASE_URL}/services/rest/auth/oauth2/v1/token"
    return jwt.encode({**right, **claims}, key or rsa_key(), algorithm=algorithm, headers={"kid": kid})
