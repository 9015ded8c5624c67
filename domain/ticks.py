"""Inputs of the ticks that schedules start."""

from domain.base import Canonical


class IntakeTick(Canonical):
    """Wakes the time posting of one PSA."""

    firm: str
    system: str


class ReleasedInvoicesTick(Canonical):
    """Polls a PSA for the invoices it released by its own authority."""

    system: str
    task_queue: str
    overlap_seconds: int = 300
    give_up_after: float = 600.0
    """Seconds after which this poll is left to the next one."""


class PurchaseOrdersTick(Canonical):
    """Polls a procurement system for changed orders of all projects."""

    firm: str
    system: str
    task_queue: str
    overlap_seconds: int = 300
    give_up_after: float = 600.0
    """Seconds after which this poll is left to the next one."""


class DealPollTick(Canonical):
    system: str
    task_queue: str
    overlap_seconds: int = 300
    give_up_after: float = 600.0
    """Seconds after which this poll is left to the next one."""
