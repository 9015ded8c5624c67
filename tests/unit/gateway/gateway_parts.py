"""What the gateway's tests are made of: a firm with three sources, a recording Temporal, signed requests."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from temporalio.client import Client

from domain.attention import EventRef
from domain.identity import process_key
from domain.readiness import OwnerGroup
from gateway.registration import Scheme
from runtime.connect import NoTemporal
from runtime.settings import Settings
from store.ports import InboxRow

KEY = b"a test's own signing key, 32 byte"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
OLD_KEY = b"the key before the rotation, yes"
PLAIN_SECRET = "plain-shared-secret-of-the-psa-0001"
PATH_SECRET = "path/secret+of-salesforce-000000001"
ORG = "00DWX0000009zXyEAI"
FIRM = "acme"
PSAS = ("kantata", "kantata-us")
PEOPLE = (("workday", "kantata"), ("workday-us", "kantata"))
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DEAL = "006WX0000012AbCYAU"


@dataclass(frozen=True)
class Section:
    """A `[webhooks.<source>]` of the firm's file."""

    scheme: Scheme
    secret: str
    org_id: str = ""
    owner: OwnerGroup = OwnerGroup.ENTERPRISE_ARCHITECTURE
    events: Mapping[str, str] = field(default_factory=dict)
    next_secret: str | None = None


@dataclass(frozen=True)
class GatewayTestFirm:
    """A firm with a source per scheme, and one whose secret is not there."""

    id: str = FIRM
    webhooks: Mapping[str, Section] = field(
        default_factory=lambda: {
            "crm": Section("standard-webhooks", "env:CRM"),
            "staffing": Section(
                "hmac-timestamp", "env:STAFFING", events={"request.decided": "staffing.decided"}
            ),
            "salesforce": Section("salesforce-outbound-message", "env:SALESFORCE", ORG),
            "broken": Section("standard-webhooks", "env:MISSING"),
        }
    )
    subscribers: Mapping[str, Any] = field(default_factory=dict)
    secrets: dict[str, str] = field(
        default_factory=lambda: {
            "env:CRM": SECRET,
            "env:STAFFING": PLAIN_SECRET,
            "env:SALESFORCE": PATH_SECRET,
        }
    )

    def secret(self, reference: str) -> str:
        if reference not in self.secrets:
            raise LookupError(f"{reference} is not set")
        return self.secrets[reference]


class Clock:
    """A clock that a test moves."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def forward(self, by: timedelta) -> None:
        self.at += by


class RecordingTemporal:
    """Instead of a Temporal server: records starts and signals, and can be away."""

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.starts: list[dict[str, Any]] = []
        self.signals: list[tuple[str, str, EventRef]] = []
        self.wakes: list[tuple[str, str]] = []
        self.away = False
        self.signal_error: Exception | None = None
        self.start_error: Exception | None = None
        self.connects = 0
        self.service_client = SimpleNamespace(check_health=self._health)

    async def connect(self) -> Client:
        self.connects += 1
        if self.away:
            raise NoTemporal("No Temporal server answers at 127.0.0.1:1")
        return cast(Client, self)

    async def start(
        self,
        client: Client,
        settings: Settings,
        *,
        firm: str,
        deal: str,
        requested_by: str,
        event: EventRef | None = None,
    ) -> Any:
        if self.start_error is not None:
            raise self.start_error
        workflow_id = process_key("activation", firm, deal)
        joined = any(start["workflow_id"] == workflow_id for start in self.starts)
        self.started.set()
        self.starts.append({"workflow_id": workflow_id, "requested_by": requested_by, "event": event})
        return SimpleNamespace(workflow_id=workflow_id, run_id="run", joined=joined)

    async def wake(self, client: Client, settings: Settings, *, firm: str, system: str, by: str) -> object:
        if self.start_error is not None:
            raise self.start_error
        self.wakes.append((process_key("time", firm, system), by))
        return None

    async def sync(
        self, client: Client, settings: Settings, *, firm: str, hr: str, psa: str, by: str
    ) -> object:
        if self.start_error is not None:
            raise self.start_error
        self.wakes.append((process_key("resources", firm, hr), by))
        return None

    def get_workflow_handle(self, workflow_id: str) -> Any:
        async def signal(name: str, reference: EventRef) -> None:
            if self.signal_error is not None:
                raise self.signal_error
            self.signals.append((workflow_id, name, reference))

        return SimpleNamespace(signal=signal)

    async def _health(self) -> bool:
        return not self.away


def settings(home: Path) -> Settings:
    return Settings(home=home, firm_file=home / "fairlead.toml", store_url="sqlite://")


def event(
    type: str = "deal.signed", id: str = "evt-1", subject: str = DEAL, at: datetime = NOW, **data: Any
) -> dict[str, Any]:
    """A CloudEvent as a producer sends it."""
    version = at.isoformat()
    fields = {
        "deal.signed": "deal",
        "deal.changed": "deal",
        "time.approved": "project",
        "people.changed": "system",
    }
    own = {fields.get(type, "request"): subject}
    return {
        "specversion": "1.0",
        "id": id,
        "source": "/crm/test",
        "type": type,
        "subject": subject,
        "time": version,
        "data": {**own, "version": version, **data},
    }


def decided(id: str = "evt-s", project: str = "DE01-7K3QXW", at: datetime = NOW) -> dict[str, Any]:
    return event("staffing.decided", id, "REQ-1", at, project=project, decision="approved")


def encoded(body: Any) -> bytes:
    return json.dumps(body).encode()


def signed(
    body: bytes, *, id: str = "evt-1", at: datetime = NOW, key: bytes = KEY, signature: str | None = None
) -> dict[str, str]:
    """Headers of Standard Webhooks, computed here from the specification's own words."""
    stamp = str(int(at.timestamp()))
    content = b".".join([id.encode(), stamp.encode(), body])
    digest = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{digest}" if signature is None else signature,
    }


def inbox_row(body: Mapping[str, Any], source: str = "crm", at: datetime = NOW, **changes: Any) -> InboxRow:
    """The row intake would have written for `body`."""
    values: dict[str, Any] = {
        "id": f"{source}:{body['id']}",
        "source": source,
        "event_id": body["id"],
        "type": body["type"],
        "subject": body.get("subject", ""),
        "version": body["data"].get("version", at),
        "body": dict(body),
        "received_at": at,
    }
    return InboxRow.model_validate(values | changes)


def notification(id: str, record: str = DEAL, kind: str = "Opportunity", **fields: str) -> str:
    inside = "".join(f"<sf:{name}>{value}</sf:{name}>" for name, value in fields.items())
    return (
        f"<Notification><Id>{id}</Id><sObject xsi:type='sf:{kind}' "
        "xmlns:sf='urn:sobject.enterprise.soap.sforce.com'>"
        f"<sf:Id>{record}</sf:Id>{inside}</sObject></Notification>"
    )


def outbound_message(*notifications: str, organization: str = ORG) -> bytes:
    """A SOAP envelope as Salesforce posts it."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>'
        '<notifications xmlns="http://soap.sforce.com/2005/09/outbound">'
        f"<OrganizationId>{organization}</OrganizationId><ActionId>04kWX0000004CBAYA2</ActionId>"
        '<SessionId xsi:nil="true"/><EnterpriseUrl>https://example.invalid/c</EnterpriseUrl>'
        "<PartnerUrl>https://example.invalid/u</PartnerUrl>"
        f"{''.join(notifications)}</notifications></soapenv:Body></soapenv:Envelope>"
    ).encode()
