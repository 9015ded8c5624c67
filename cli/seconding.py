"""What a decision did, and how a second person agrees where it takes two."""

from typing import TYPE_CHECKING, Any

from cli import people
from cli.context import Session
from cli.decisions import document
from cli.output import fields, plain

if TYPE_CHECKING:
    from rich.console import Console

    from domain.attention import Decision


async def show_decided(
    session: Session,
    decision: "Decision",
    answer: str,
    *,
    second: str = "",
    after: str = "",
    further: dict[str, Any] | None = None,
) -> None:
    """Show the decision. `second` is why it takes two, `after` the command that shows what came of it."""
    able = people.able(session.firm, people.APPROVERS, besides=decision.actor) if second else []
    approval = f"fairlead approve {decision.id} --as {able[0] if able else 'EMAIL'}"
    shown = document(decision, answer) | {"needs_second_person": bool(second)} | (further or {})
    if second:
        shown |= {"second_person_may_be": able, "second_person_command": approval, "why_two": second}

    def draw(console: "Console") -> None:
        console.print(plain(f"{answer[:1].upper()}{answer[1:]}."), style="green")
        console.print(
            fields(
                [
                    ("Decision", decision.id),
                    ("By", plain(f"{decision.actor} as {decision.role.replace('_', ' ')}")),
                    ("Invoice", plain(decision.process)),
                    ("Reason", plain(decision.reason)),
                ]
            )
        )
        if second:
            console.print(plain(f"It takes effect when a second person agrees: {second}."), style="yellow")
            console.print(plain(f"  {approval}"), soft_wrap=True)
            console.print(plain(f"Able to: {', '.join(able) or 'nobody in the firm file'}"), style="dim")
        elif after:
            console.print(plain(f"See what comes of it: {after}"), style="dim")

    session.out.show(shown, draw)
