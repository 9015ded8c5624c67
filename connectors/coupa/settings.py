"""What a firm's file says about its Coupa instance. Secrets arrive here resolved, never as defaults."""

import re
from typing import Literal, Self

from pydantic import Field, model_validator

from domain.account_roles import AccountRole
from domain.base import Edge

SCOPES = (
    *("core.requisition.read", "core.requisition.write"),
    *("core.purchase_order.read", "core.purchase_order.write"),
    *("core.supplier.read", "core.user.read", "core.accounting.read", "core.common.read"),
)
_PLACES = ("{entity}", "{account}", "{project}")
_SEGMENT = re.compile(r"segment-([1-9]|1\d|20)")
_FIELD = r"^[a-z0-9][a-z0-9_-]{0,79}$"


class CoupaSettings(Edge):
    """One `[systems.<name>]` section with `vendor = "coupa"`.

    Where the vendor's documents leave a point open (token path, filter on custom fields, how a requisition
    is taken back) the value is here, with the sandbox instance's as default.
    """

    base_url: str
    """Such as `https://acme.coupahost.com`."""
    app_url: str = ""
    """Address of the screens for links, where it differs from `base_url`."""
    client_id: str
    client_secret: str = Field(repr=False, min_length=1)
    token_path: str = "/oauth2/token"  # noqa: S105  an address, not a secret
    scopes: tuple[str, ...] = SCOPES
    """What the OpenID Connect client may do; it must have been granted each."""
    token_settle_seconds: int = Field(default=5, ge=0, le=300)
    """So long after it was issued a token may still be refused, as the vendor warns."""

    requester: str
    """Login of the user who asks when a command names nobody."""
    ship_to: dict[str, str]
    """Legal entity code -> name of the address its orders are shipped to."""
    charts: dict[str, str]
    """Legal entity code -> name of its chart of accounts (`account-type`)."""
    accounts: dict[AccountRole, str]
    """Account role -> natural account number, for what requisitions are coded to."""
    segments: dict[str, str] = {
        "segment-1": "{entity}",
        "segment-2": "{account}",
        "segment-3": "{project}",
    }
    """Account segment -> what stands in it. One segment is `{project}` alone: orders are found by it."""
    hour_unit: str = "HR"
    """Code of the unit of measure in which hours are ordered."""
    commodity: str = "Contract Labor"
    """Name of the commodity of the lines; empty for none."""

    key_field: str = Field(default="fairlead-key", pattern=_FIELD)
    """Custom text field of requisitions that holds our effect key."""
    undo_key_field: str = Field(default="fairlead-undo-key", pattern=_FIELD)
    """Custom text field of requisitions and orders that holds the key of their withdrawal."""
    reason_field: str = Field(default="fairlead-reason", pattern=_FIELD)
    """Custom text field of requisitions and orders that says why they were taken back."""
    line_field: str = Field(default="fairlead-line", pattern=_FIELD)
    """Custom text field of requisition and order lines that holds our reference of the line."""
    custom_field_filter: str = Field(default="custom_fields[{field}]", pattern=r".*\{field\}.*")
    """How a query names a custom field; `{field}` stands for its name."""
    withdraw_by: Literal["save_for_later", "person"] = "save_for_later"
    """How a requisition is taken out of approval: by the API's action, or only by a person in the screens."""

    timeout_seconds: float = Field(default=30.0, gt=0, le=600)
    in_flight: int = Field(default=5, ge=0)
    """Cap of calls at once from this process; 0 for none."""
    page_size: int = Field(default=50, ge=1, le=50)

    @property
    def project_segment(self) -> str:
        """Name of the segment that holds the project alone."""
        return next(name for name, form in self.segments.items() if form == "{project}")

    @model_validator(mode="after")
    def _sound(self) -> Self:
        for name, form in self.segments.items():
            if not _SEGMENT.fullmatch(name):
                raise ValueError(f"segments.{name} is no segment; name it segment-1 to segment-20")
            left = form
            for place in _PLACES:
                left = left.replace(place, "")
            if "{" in left or "}" in left:
                raise ValueError(f"segments.{name} = {form!r} may use {', '.join(_PLACES)} only")
        if list(self.segments.values()).count("{project}") != 1:
            raise ValueError('segments needs exactly one that is "{project}"; orders are found by it')
        if missing := sorted(set(self.charts) ^ set(self.ship_to)):
            raise ValueError(f"{missing[0]} stands in one of charts and ship_to; name each entity in both")
        if len(set(self.charts.values())) != len(self.charts):
            raise ValueError("two entities share a chart of accounts; an order's entity is read from it")
        return self
