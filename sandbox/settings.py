"""What one sandbox run is set up with: address, home, firm size, the seeded tenant's credentials."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path


@dataclass(frozen=True, slots=True)
class WebhookTarget:
    """A receiver of outgoing events. `url` may hold `{system}`; `system` "*" means every system."""

    url: str
    secret: str = ""
    system: str = "*"
    scheme: str = "standard-webhooks"


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """All a sandbox needs to know. Credentials are those of an invented tenant, never of a real one.

    Public keys are paths of PEM files; without one, the flow that needs it is refused with a clear error.
    """

    home: Path
    host: str = "127.0.0.1"
    port: int = 8500
    seed: int = 1
    deals: int = 60
    customers: int = 40
    workers: int = 120
    as_of: date | None = None
    """The day that the seeded dates are relative to; none means the day on which the state is seeded."""
    latency_ms: int = 0
    quiet: bool = False
    webhooks: tuple[WebhookTarget, ...] = field(default=())

    salesforce_client_id: str = "fairlead-sandbox"
    salesforce_secret: str = "sandbox-salesforce-secret-0000000000"  # noqa: S105
    salesforce_username: str = "integration@fairlead-sandbox.example"
    salesforce_jwt_public_key: Path | None = None
    salesforce_daily_requests: int = 1_000_000

    kantata_token: str = "sandbox-kantata-token-000000000000000"  # noqa: S105

    netsuite_account: str = "TSTDRV1"
    netsuite_client_id: str = "fairlead-sandbox"
    netsuite_certificate_id: str = "sandbox-certificate"
    netsuite_public_key: Path | None = None
    netsuite_concurrency: int = 5

    coupa_client_id: str = "fairlead-sandbox"
    coupa_secret: str = "sandbox-coupa-secret-00000000000000000"  # noqa: S105
    coupa_calls_per_second: int = 25
    """With `coupa_burst` calls more at once; 0 for no limit."""
    coupa_burst: int = 20
    coupa_token_delay: int = 0
    """Seconds until a new token is accepted; the real instance asks for about 5."""

    workday_tenant: str = "fairlead_dpt1"
    workday_client_id: str = "fairlead-sandbox"
    workday_secret: str = "sandbox-workday-secret-0000000000000"  # noqa: S105
    workday_refresh_token: str = "sandbox-workday-refresh-000000000000"  # noqa: S105
    workday_username: str = "ISU_Fairlead"
    workday_public_key: Path | None = None

    @property
    def database(self) -> Path:
        """The SQLite file that holds the whole state."""
        return self.home / "sandbox.sqlite"


def from_environment(environ: Mapping[str, str]) -> dict[str, object]:
    """Settings given by environment variables, as keyword arguments for `SandboxSettings`."""
    texts = {
        "SANDBOX_SALESFORCE_CLIENT_ID": "salesforce_client_id",
        "SANDBOX_SALESFORCE_SECRET": "salesforce_secret",
        "SANDBOX_KANTATA_TOKEN": "kantata_token",
        "SANDBOX_NETSUITE_ACCOUNT": "netsuite_account",
        "SANDBOX_NETSUITE_CLIENT_ID": "netsuite_client_id",
        "SANDBOX_NETSUITE_CERTIFICATE_ID": "netsuite_certificate_id",
        "SANDBOX_COUPA_CLIENT_ID": "coupa_client_id",
        "SANDBOX_COUPA_SECRET": "coupa_secret",
        "SANDBOX_WORKDAY_TENANT": "workday_tenant",
        "SANDBOX_WORKDAY_CLIENT_ID": "workday_client_id",
        "SANDBOX_WORKDAY_SECRET": "workday_secret",
        "SANDBOX_WORKDAY_REFRESH_TOKEN": "workday_refresh_token",
    }
    paths = {
        "SANDBOX_SALESFORCE_JWT_PUBLIC_KEY": "salesforce_jwt_public_key",
        "SANDBOX_NETSUITE_PUBLIC_KEY": "netsuite_public_key",
        "SANDBOX_WORKDAY_PUBLIC_KEY": "workday_public_key",
    }
    found: dict[str, object] = {name: environ[key] for key, name in texts.items() if environ.get(key)}
    found |= {name: Path(environ[key]) for key, name in paths.items() if environ.get(key)}
    return found
