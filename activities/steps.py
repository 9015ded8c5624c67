"""What a step of a process tells an activity: whose step it is, and under which keys it writes."""

from activities.effects import EffectContext
from domain.base import Canonical
from domain.identity import effect_key


class Step(Canonical):
    """Base of the inputs of writing activities."""

    process: str
    """Workflow id of the process."""
    firm: str
    generation: int = 1
    actor: str = "fairlead"
    reason: str = ""
    """Source event or decision that caused the process."""

    def key(self, step: str) -> str:
        """Effect key of `step` in this generation of the process."""
        return effect_key(self.process, step, self.generation)

    def context(self, step: str) -> EffectContext:
        return EffectContext(process=self.process, step=step, actor=self.actor, reason=self.reason)
