"""The live checklist of a process: its steps in order with their state, as data and as Markdown."""

from collections.abc import Iterable, Sequence

from domain.activation_process import StepState, StepView
from domain.attention import AttentionItem

_NO_BREAK_SPACE = "\u00a0"


class Checklist:
    """Steps in the order they were declared."""

    def __init__(self) -> None:
        self._steps: dict[str, StepView] = {}
        self.stage: str = ""

    def declare(self, step: str, label: str, system: str = "") -> None:
        """Add a step that will be done; declaring it again changes nothing."""
        self._steps.setdefault(step, StepView(step=step, label=label, system=system))

    def set(self, step: str, state: StepState, detail: str = "") -> None:
        known = self._steps.get(step, StepView(step=step, label=step))
        self._steps[step] = known.model_copy(update={"state": state, "detail": detail})

    def label(self, step: str) -> str:
        return self._steps[step].label if step in self._steps else step

    def systems(self, step: str) -> tuple[str, ...]:
        system = self._steps[step].system if step in self._steps else ""
        return (system,) if system else ()

    @property
    def steps(self) -> tuple[StepView, ...]:
        return tuple(self._steps.values())

    def markdown(self, attention: Sequence[AttentionItem], gates: Iterable[Sequence[str]] = ()) -> str:
        """Exceptions, gates (rows of gate, state, findings) and steps, for the narrow pane of the Web UI."""
        parts = [f"**Stage:** {self.stage}", *(_exception(item) for item in attention)]
        gate_rows = list(gates)
        if gate_rows:
            parts.append(table(("Gate", "State", "Findings"), gate_rows))
        if self._steps:
            steps = [(step.label, step.system, step.state, step.detail) for step in self.steps]
            parts.append(table(("Step", "System", "State", "Detail"), steps))
        return "\n\n".join(parts)


def _exception(item: AttentionItem) -> str:
    """A quote block: tables with many columns do not fit beside the summary."""
    lines = [
        f"**{_text(item.headline)}**",
        _text(item.detail),
        f"Owner: {item.owner.value.replace('_', ' ')}, {_text(item.person)}",
        f"Due: {item.due_at:%Y-%m-%d %H:%M} UTC",
        f"Actions: {', '.join(action.value.replace('_', ' ') for action in item.actions)}",
        f"`{item.id}`",
    ]
    return "\n>\n".join(f"> {line}" for line in lines if line)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table. The Web UI pads no cells, so they end in spaces that stay."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return text if text == "---" else f"{_text(text)}{_NO_BREAK_SPACE * 2}"


def _text(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
