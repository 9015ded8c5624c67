"""What a drill attacks, and what came of it: the same for every process."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

POINTS = ("before_call", "applied_unanswered", "after_answer", "after_record")
"""Where a worker dies: before the call; applied but unanswered; answered but not recorded; recorded."""
PAIRS = (("before_call", "after_answer"), ("applied_unanswered", "after_record"))
"""Both points of a pair can be reached by one write: after an unanswered one it is found, not sent again."""

FAULTS: tuple[dict[str, object], ...] = (
    {"kind": "throttle", "rate": 0.15, "count": 4},
    {"kind": "throttle_retry_after", "rate": 0.15, "count": 3, "seconds": 1},
    {"kind": "server_error", "rate": 0.15, "count": 4},
    {"kind": "unavailable", "rate": 0.15, "count": 4},
    {"kind": "error_after_apply", "rate": 0.15, "count": 3},
    {"kind": "reset", "rate": 0.15, "count": 3, "only": "writes"},
    {"kind": "reset_before", "rate": 0.15, "count": 3},
    {"kind": "timeout_applied", "rate": 0.15, "count": 2, "only": "writes", "seconds": 4},
    {"kind": "timeout_not_applied", "rate": 0.15, "count": 2, "only": "writes", "seconds": 4},
    {"kind": "late", "rate": 0.2, "count": 4, "seconds": 0.5},
    {"kind": "stale_read", "rate": 0.3, "count": 6, "seconds": 0.8},
    {"kind": "token_expired", "rate": 0.3, "count": 2},
    {"kind": "partial_batch", "rate": 0.5, "count": 2},
    {"kind": "record_locked", "rate": 0.2, "count": 3},
    {"kind": "page_shift", "rate": 0.3, "count": 2},
    {"kind": "unknown_field", "rate": 0.3, "count": 5},
    {"kind": "missing_field", "rate": 0.1, "count": 2, "only": "reads"},
    {"kind": "new_enum", "rate": 0.1, "count": 2, "only": "reads"},
    {"kind": "concurrency", "rate": 0.15, "count": 3, "system": "netsuite"},
)
"""Every kind that can strike. `reject` has a part of its own; webhooks are not used here."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What is drilled. The same seed gives the same plan."""

    seed: int = 1
    lanes: int = 4
    deals_under_faults: int = 5
    quick: bool = False
    """A seeded part: few writes at every point, few refusals."""
    planted_bug: str = ""
    say: Say = lambda line: None

    def faults(self, *more: dict[str, object]) -> list[dict[str, object]]:
        """The faults to arm, each with a seed of its own; in a quick drill each kind once."""
        shortened: dict[str, object] = {"count": 1, "rate": 0.5} if self.quick else {}
        return [
            {**fault, **shortened, "seed": self.seed * 1000 + number}
            for number, fault in enumerate((*FAULTS, *more))
        ]


@dataclass
class Report:
    """What was attacked and what came of it."""

    seed: int
    process: str
    crash_points: int = 0
    crash_points_hit: int = 0
    worker_kills: int = 0
    faults_injected: Counter[str] = field(default_factory=Counter)
    refusals: int = 0
    effects: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    """Other ways in which an end differs from the fault-free one, or from what must always hold."""
    decisions: int = 0
    """Exceptions that a person (played by the drill) had to decide."""
    documents: int = 0
    """Invoices and credit notes held against the rules, in our store, in the ERP and in its ledger."""

    @property
    def passed(self) -> bool:
        missed = self.crash_points_hit < self.crash_points
        return not (self.lost or self.doubled or self.differences or missed)

    def as_json(self) -> dict[str, object]:
        return {
            "process": self.process,
            "seed": self.seed,
            "crash_points": self.crash_points,
            "crash_points_hit": self.crash_points_hit,
            "worker_kills": self.worker_kills,
            "faults_injected": sum(self.faults_injected.values()),
            "faults_by_kind": dict(sorted(self.faults_injected.items())),
            "refusals": self.refusals,
            "decisions": self.decisions,
            "documents": self.documents,
            "effects": self.effects,
            "effects_lost": len(self.lost),
            "effects_doubled": len(self.doubled),
            "lost": self.lost,
            "doubled": self.doubled,
            "differences": self.differences,
            "passed": self.passed,
        }
