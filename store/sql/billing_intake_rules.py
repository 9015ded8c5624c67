"""What becomes of an entry that comes again. Pure.

The same content is the same entry. Other content replaces what is kept only when its source says it is
newer and no live invoice has it; otherwise the first stands and the second is refused with the reason.
"""

from dataclasses import dataclass, field

from domain.billable import Billable
from store.sql.billing_rows import Review

_WORTH = (
    *("kind", "project", "line", "resource", "role", "grade", "work_date", "quantity", "amount", "billable"),
)
"""What decides the price of an entry: an adjustment was made for this and for nothing else."""


@dataclass
class Standing:
    """An entry as it is kept, or as it will be at the end of the page."""

    said: Billable
    review: Review = field(default_factory=Review)
    invoice: str = ""


def is_newer(kept: Billable, came: Billable) -> bool:
    """Whether the source itself says that `came` is later than `kept`."""
    return kept.version is not None and came.version is not None and came.version > kept.version


def refusal(standing: Standing, came: Billable) -> str:
    """Why `came`, which has other content, may not replace what stands; "" when it may."""
    if standing.invoice:
        return (
            f"it changed after invoice {standing.invoice} covered it; reverse it at its source and enter it"
            " anew, or credit the invoice and release it"
        )
    if came.version is None or standing.said.version is None:
        return "it has other content and no version that says which is newer; reverse it and enter it anew"
    if came.version < standing.said.version:
        return f"it is older than what is kept, of {standing.said.version.isoformat()}"
    if came.version == standing.said.version:
        return "the same version came with other content; correct it at its source, so that its version rises"
    return ""


def carried_over(standing: Standing, came: Billable) -> tuple[Review, bool]:
    """The review of what stands, as it holds for the newer `came`; and whether an adjustment fell.

    A hold and a parking stay until a person lifts them. An adjustment falls when what it was made for is
    worth something else now. A corrected line or text stays where the source did not change its own.
    """
    old, review = standing.said, standing.review
    changes: dict[str, object] = {}
    if (old.project, old.line) != (came.project, came.line):
        changes |= {"project": None, "line": None, "entity": None}
    if old.narrative != came.narrative:
        changes["narrative"] = None
    fell = review.adjustment is not None and any(getattr(old, f) != getattr(came, f) for f in _WORTH)
    if fell:
        changes["adjustment"] = None
    return review.model_copy(update=changes), fell
