"""What one sandbox run is set up with: address, home, firm size, the seeded tenant's credentials."""

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    }
    paths = {
        "SANDBOX_SALESFORCE_JWT_PUBLIC_KEY": "salesforce_jwt_public_key",
        "SANDBOX_NETSUITE_PUBLIC_KEY": "netsuite_public_key",
    }
    found: dict[str, object] = {name: environ[key] for key, name in texts.items() if environ.get(key)}
    found |= {name: Path(environ[key]) for key, name in paths.items() if environ.get(key)}
    return found
