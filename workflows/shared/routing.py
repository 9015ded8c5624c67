"""Who owns a failure: a table from the role of the system and the class of the failure."""

from temporalio.exceptions import ActivityError, ApplicationError, CancelledError, TimeoutError

from domain.base import Value
from domain.policy import Role
from domain.readiness import OwnerGroup

_BY_CLASS = {
    "Unauthenticated": OwnerGroup.PLATFORM_ENGINEERING,
    "Exhausted": OwnerGroup.PLATFORM_ENGINEERING,
    "Defect": OwnerGroup.PLATFORM_ENGINEERING,
}
_BY_ROLE: dict[Role, OwnerGroup] = {
    "crm": OwnerGroup.ENTERPRISE_ARCHITECTURE,
    "psa": OwnerGroup.DELIVERY_OPERATIONS,
    "erp": OwnerGroup.FINANCE_SYSTEMS,
    "hr": OwnerGroup.DELIVERY_OPERATIONS,
    "procurement": OwnerGroup.FINANCE_SYSTEMS,
}


class Failure(Value):
    """A failed step in words, with what its owner needs."""

    kind: str
    message: str
    facts: dict[str, str] = {}

    def owner(self, role: Role | None) -> OwnerGroup:
        """The group that can cure this failure of a system of `role`."""
        if self.kind in _BY_CLASS or role is None:
            return _BY_CLASS.get(self.kind, OwnerGroup.PLATFORM_ENGINEERING)
        return _BY_ROLE[role]


def failure_of(error: BaseException) -> Failure:
    """The root cause of what an activity raised; a local activity's failure comes unwrapped."""
    cause = error.__cause__ if isinstance(error, ActivityError) and error.__cause__ else error
    if isinstance(cause, ApplicationError):
        facts = cause.details[0] if cause.details and isinstance(cause.details[0], dict) else {}
        return Failure(
            kind=cause.type or "Defect",
            message=cause.message,
            facts={str(name): str(value) for name, value in facts.items()},
        )
    if isinstance(cause, TimeoutError):
        return Failure(kind="Exhausted", message=f"no answer in time: {cause.message}")
    return Failure(kind="Defect", message=str(cause) or type(cause).__name__)


def is_cancelled(error: BaseException) -> bool:
    """Whether an activity ended because we cancelled it."""
    return isinstance(error, CancelledError) or (
        isinstance(error, ActivityError) and isinstance(error.__cause__, CancelledError)
    )
