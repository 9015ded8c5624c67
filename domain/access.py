"""Who may do what: the rights of access, and the one table of the functions each of them opens.

Business roles (controller, tax lead ...) approve what the rules ask them for and open no function by
themselves: whoever uses one needs a right that decides as well.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Literal, get_args

from domain.base import Value

Right = Literal["viewer", "operator", "approver", "auditor", "admin"]
RIGHTS: tuple[Right, ...] = get_args(Right)


class Function(StrEnum):
    """What one may be allowed to do, at the gateway and on the command line."""

    DESCRIBE = "describe"
    """Read which addresses there are and their form."""
    READ_PROCESSES = "read_processes"
    READ_BILLING = "read_billing"
    """Amounts of contracts and invoices, live from the ERP too."""
    READ_METRICS = "read_metrics"
    VALIDATE_CUSTOMERS = "validate_customers"
    """Look a customer up in the ERP, credit standing included."""
    START_PROJECTS = "start_projects"
    DECIDE = "decide"
    """Settle exceptions, steer and stop processes."""
    SECOND = "second"
    """Agree as a second person."""
    DECODE_PAYLOADS = "decode_payloads"
    """Read what Temporal holds encrypted."""
    MANAGE_TOKENS = "manage_tokens"


ALLOWED: Mapping[Function, tuple[Right, ...]] = {
    Function.DESCRIBE: RIGHTS,
    Function.READ_PROCESSES: RIGHTS,
    Function.READ_BILLING: RIGHTS,
    Function.READ_METRICS: RIGHTS,
    Function.VALIDATE_CUSTOMERS: ("operator", "approver", "admin"),
    Function.START_PROJECTS: ("operator", "approver", "admin"),
    Function.DECIDE: ("operator", "approver", "admin"),
    Function.SECOND: ("approver", "admin"),
    Function.DECODE_PAYLOADS: ("operator", "approver", "auditor", "admin"),
    Function.MANAGE_TOKENS: ("admin",),
}
"""Rights that open each function; in the order in which they are tried for a decision's role."""


class Caller(Value):
    """Somebody whose proof was checked, or anybody where a firm leaves its access open."""

    person: str = ""
    """Mail address: the actor of decisions. Empty where access is open."""
    rights: tuple[Right, ...] = ()
    credential: str = ""
    """What the proof was: `token:<name>`, `oidc` or `open`. Never the proof itself."""

    def may(self, function: Function) -> bool:
        return may(self.rights, function)

    @property
    def actor(self) -> str:
        """Who asked, as audit entries and processes name it."""
        return self.person or "api"


OPEN = Caller(rights=RIGHTS, credential="open")
"""The caller of a firm without `[access]`: a laptop."""


def may(rights: Collection[str], function: Function) -> bool:
    """Whether one of `rights` opens `function`."""
    return any(right in rights for right in ALLOWED[function])


def needed(function: Function) -> str:
    """The rights that open `function`, in words: `operator, approver or admin`."""
    *others, last = ALLOWED[function]
    return f"{', '.join(others)} or {last}" if others else last
