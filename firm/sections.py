"""The sections of `fairlead.toml` as models: what may stand in a firm's file, and in which form.

What one value must be is said here; what values must be together is said in `firm/checks.py`.
A message raised here is written as `what is wrong; what to do`.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs, urlsplit

from pydantic import Field, field_validator

from domain.base import Edge
from domain.corrections import correctable, pattern
from domain.money import Exact
from domain.readiness import OwnerGroup
from firm.access_section import AccessSection
from firm.billing_sections import AlertsSection, BillingSection, FxSection
from firm.codec import CodecSection
from firm.procurement_section import ProcurementSection
from firm.secrets import SecretReference, checked, is_secret_key
from firm.subscribers import Subscriber
from firm.values import Code, Country, Currency, Duration, Mail, Name, TimeZone, WebAddress

Vendor = Literal["salesforce", "kantata", "netsuite", "tryton", "coupa", "workday"]
AccessRole = Literal[
    "viewer",
    "operator",
    "approver",
    "auditor",
    "admin",
    "credit_manager",
    "controller",
    "tax_lead",
    "pricing_lead",
    "practice_lead",
    "billing_lead",
]
"""What a person may do: five rights of access, and the business roles that approve skips of gates."""


class FirmSection(Edge):
    """`[firm]`. `id` becomes part of every workflow id: never change it."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    name: Name
    environment: str = Field(default="dev", pattern=r"^[a-z][a-z0-9-]{0,19}$")


class Entity(Edge):
    """`[[entities]]`: a legal entity that may sign and bill."""

    code: Code
    name: Name
    country: Country
    currency: Currency
    currencies: tuple[Currency, ...] = ()
    """Currencies it may contract in; empty means its own only."""
    region: Code
    """Names the gate profile `regions/<region>.toml`."""
    time_zone: TimeZone
    state: str = Field(default="", pattern=r"^[A-Z0-9]{0,3}$")
    """ISO 3166-2 part after the country, where its tax depends on it: CA, MH."""
    tax_id: str = ""
    """Registration number in its country: VAT number, GSTIN, EIN."""
    tax_registrations: tuple[Country, ...] = ()
    """Other countries in which it is registered for tax."""
    erp: str | None = None
    """System with its books, where it is not the firm's."""


class System(Edge):
    """`[systems.<name>]`: one account with one vendor."""

    vendor: Vendor
    base_url: WebAddress
    task_queue: str | None = Field(default=None, pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")
    commit_limit: Duration
    """How long after it was sent a write may still appear: so long a lost answer is waited for."""
    max_in_flight: int | None = Field(default=None, ge=1, le=1000)
    """Calls of ours at once."""
    concurrency_limit: int | None = Field(default=None, ge=1, le=1000)
    """What the account allows at once, for all who call it."""
    requests_per_second: Exact | None = Field(default=None, gt=0)
    """Rate for the whole task queue; only where the vendor publishes one."""
    auth: dict[str, str] = {}
    """How we prove who we are, passed to the connector; what is secret is a reference."""
    settings: dict[str, Any] = {}
    """Settings of the vendor's connector, which checks them itself."""

    @field_validator("commit_limit")
    @classmethod
    def _above_zero(cls, limit: timedelta) -> timedelta:
        if limit <= timedelta(0):
            raise ValueError('is not above zero; say how long a write may take to appear, such as "15m"')
        return limit

    @field_validator("auth")
    @classmethod
    def _only_references(cls, auth: dict[str, str]) -> dict[str, str]:
        for key, value in auth.items():
            if is_secret_key(key):
                try:
                    checked(value)
                except ValueError as error:
                    what, _, cure = str(error).partition("; ")
                    raise ValueError(f"{key} {what}; {cure}") from None
        return auth

    @field_validator("settings")
    @classmethod
    def _no_secrets(cls, settings: dict[str, Any]) -> dict[str, Any]:
        for key in settings:
            if is_secret_key(key):
                raise ValueError(f"{key} is a secret; move it to auth as a reference, env:NAME or file:PATH")
        return settings


class EntityRoles(Edge):
    """`[roles.entities.<code>]`: systems of one legal entity that differ from the firm's."""

    crm: str | None = None
    psa: str | None = None
    erp: str | None = None
    hr: str | None = None
    procurement: str | None = None


class Roles(EntityRoles):
    """`[roles]`: which system plays which part."""

    crm: str
    psa: str
    erp: str
    entities: dict[str, EntityRoles] = {}


class Owner(Edge):
    """`[owners.<group>]`: who answers for a group's exceptions, and who is told when time has run out."""

    name: Name
    email: Mail
    escalates_to: Mail


class Access(Edge):
    """`[people."<mail address>"]`."""

    roles: tuple[AccessRole, ...] = Field(min_length=1)


class Limits(Edge):
    """`[limits]`, per currency: the amount above which another person must agree."""

    approval: dict[Currency, Annotated[Exact, Field(ge=0)]] = {}
    """Of an invoice, before it is posted."""
    write_down: dict[Currency, Annotated[Exact, Field(ge=0)]] = {}
    """Of a write-down or write-up of one entry."""


class Sla(Edge):
    """`[sla]`, in hours."""

    exception_hours: int = Field(default=24, ge=1, le=24 * 90)
    escalation_hours: int = Field(default=24, ge=1, le=24 * 90)


class TimingSection(Edge):
    """`[timing]`, in seconds: see `domain.policy.Timing`."""

    read_timeout: Decimal = Field(default=Decimal(60), gt=0, le=3600)
    write_timeout: Decimal = Field(default=Decimal(120), gt=0, le=3600)
    heartbeat_timeout: Decimal = Field(default=Decimal(5), ge=1, le=600)
    own_timeout: Decimal = Field(default=Decimal(30), gt=0, le=600)


class Activation(Edge):
    """`[activation]`."""

    signed_when: Literal["won_and_signature_date"] = "won_and_signature_date"
    """A deal is signed when its stage is won and its contract has the customer's signature date."""
    staffing_approver: Mail | None = None
    templates: dict[str, Name] = {}
    """Project template of the PSA per region, `default` for the rest."""
    second_person_fields: tuple[str, ...] = ()
    """Corrections that another person must second, beside those of money."""
    poll: bool = True
    """Whether the CRM is asked for signed deals, beside the events it sends."""
    poll_every: Duration = timedelta(minutes=1)
    poll_overlap: Duration = timedelta(minutes=5)

    @field_validator("second_person_fields")
    @classmethod
    def _correctable(cls, paths: tuple[str, ...]) -> tuple[str, ...]:
        known = {row.path for row in correctable()}
        for path in paths:
            if pattern(path) not in known:
                raise ValueError(f"{path!r} cannot be corrected; name one of {', '.join(sorted(known))}")
        return paths


class ResourcesSection(Edge):
    """`[resources]`: people of HR and the PSA that staffs them; see `ResourcesPolicy` in the domain."""

    poll_every: Duration = timedelta(hours=1)
    """How often HR is asked for changes; 0 for never."""
    overlap: Duration = timedelta(minutes=10)
    horizon_days: int = Field(default=84, ge=7, le=370)
    new_people: Literal["invite", "difference"] = "invite"
    """Who is new is invited to the PSA, or told to the owner as a difference."""
    hr_project: str = ""
    hours_after_days: int = Field(default=5, ge=0, le=60)


class Webhook(Edge):
    """`[webhooks.<source>]`: who may post events to `/hooks/<source>`, and how they prove it."""

    scheme: Literal["standard-webhooks", "hmac-timestamp", "salesforce-outbound-message"]
    secret: SecretReference
    next_secret: SecretReference | None = None
    """Valid beside `secret` while one is exchanged for the other."""
    org_id: str = ""
    """Salesforce organization that outbound messages must come from."""
    owner: OwnerGroup = OwnerGroup.ENTERPRISE_ARCHITECTURE
    events: dict[str, str] = {}
    """Name at the source -> type in the catalogue; empty allows every catalogued type by its own name."""


class StoreSection(Edge):
    """`[store]`. Without `url` the store is the SQLite file in Fairlead's home."""

    url: str | None = None

    @field_validator("url")
    @classmethod
    def _no_password(cls, url: str | None) -> str | None:
        if url is None or url.partition(":")[0] in ("env", "file", "keyring"):
            return None if url is None else checked(url)
        if "://" not in url:
            raise ValueError(
                "is not a database address; write one such as sqlite:////var/lib/fairlead/store.db"
            )
        parts = urlsplit(url)
        if parts.password or {"password", "sslpassword"} & parse_qs(parts.query).keys():
            raise ValueError("holds a password; keep the whole address outside and refer to it, as env:NAME")
        return url


class RateCards(Edge):
    """`[rate_cards]`: CSV files, relative to the firm's file."""

    files: tuple[str, ...] = ()


class FirmFile(Edge):
    """The whole of `fairlead.toml`."""

    firm: FirmSection
    entities: tuple[Entity, ...] = Field(min_length=1)
    systems: dict[Code, System] = Field(min_length=1)
    roles: Roles
    owners: dict[OwnerGroup, Owner]
    people: dict[Mail, Access] = {}
    access: AccessSection | None = None
    limits: Limits = Limits()
    billing: BillingSection = BillingSection()
    fx: FxSection = FxSection()
    alerts: AlertsSection = AlertsSection()
    sla: Sla = Sla()
    timing: TimingSection = TimingSection()
    activation: Activation = Activation()
    resources: ResourcesSection = ResourcesSection()
    procurement: ProcurementSection = ProcurementSection()
    webhooks: dict[Code, Webhook] = {}
    subscribers: dict[Code, Subscriber] = {}
    store: StoreSection = StoreSection()
    codec: CodecSection = CodecSection()
    rate_cards: RateCards = RateCards()
