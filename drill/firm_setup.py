"""The firm of a lane as its file says, with the secrets of the lane's own home."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from composition import build_connector
from connectors.ports import ErpPort
from domain.policy import Role
from firm.model import Firm
from firm.policies import snapshot
from firm.sections import Webhook


@dataclass(frozen=True)
class FirmSetup:
    """What signs events as the firm's sources do, and looks into its systems from outside."""

    firm: Firm
    environ: Mapping[str, str]

    @property
    def id(self) -> str:
        return self.firm.id

    @property
    def webhooks(self) -> Mapping[str, Webhook]:
        return self.firm.webhooks

    def secret(self, reference: str) -> str:
        return self.firm.secret(reference, self.environ)

    def system(self, role: Role) -> str:
        """Name of the system that plays `role` for the whole firm."""
        return snapshot(self.firm).route(role).system

    def erp(self) -> ErpPort:
        """A client of the ERP. Close it."""
        return cast(ErpPort, build_connector(self.firm, self.system("erp"), self.environ))
