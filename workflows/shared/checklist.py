"""The live checklist of a process: its steps in order with their state, as data and as Markdown."""

from collections.abc import Iterable, Sequence

from domain.activation_process import StepState, StepView
from domain.attention import AttentionItem


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

    def markdown(self, attention: Sequence[AttentionItem], gates: Iterable[str] = ()) -> str:
        """Tables of exceptions, gates (rows given) and steps. Task lists are not rendered by the Web UI."""
        parts = [f"**Stage:** {self.stage}"]
        if attention:
            rows = [
                f"| {cell(item.headline)} | {item.owner.value} | {cell(item.person)} "
                f"| {item.due_at:%Y-%m-%d %H:%M} | {cell(item.detail)} | `{item.id}` |"
                for item in attention
            ]
            parts.append(table("Exception | Owner | Person | Due | What is wrong | Id", rows))
        gate_rows = list(gates)
        if gate_rows:
            parts.append(table("Gate | Phase | State | Owner | Findings", gate_rows))
        steps = [f"| {cell(s.label)} | {s.system} | {s.state} | {cell(s.detail)} |" for s in self.steps]
        if steps:
            parts.append(table("Step | System | State | Detail", steps))
        return "\n\n".join(parts)


def table(header: str, rows: Sequence[str]) -> str:
    columns = header.count("|") + 1
    return "\n".join([f"| {header} |", "|" + " --- |" * columns, *rows])


def cell(text: str) -> str:
    """`text` in one table cell."""
    return " ".join(text.replace("|", "\\|").split())
