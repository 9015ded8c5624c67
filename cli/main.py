"""The command `fairlead`: its groups, its common options, its exit codes."""

import contextlib
import inspect
from typing import Annotated, Any

import typer

from cli import (
    access,
    alerts,
    audit,
    board,
    codec,
    deals,
    decisions,
    events,
    exceptions,
    intake,
    invoices,
    prebill,
    procurement,
    project_billing,
    readiness,
    reports,
    services,
    story,
    sync,
    systems,
    timeline,
    watch,
    worklists,
)
from cli.command import COMMON, common_parameters, merged
from cli.exit_codes import MEANING

_GROUPS = (
    story,
    services,
    deals,
    intake,
    sync,
    watch,
    board,
    readiness,
    timeline,
    exceptions,
    alerts,
    decisions,
    prebill,
    project_billing,
    procurement,
    invoices,
    worklists,
    reports,
    events,
    systems,
    access,
    audit,
    codec,
)
"""Each has `register(app)`. Their order is the order of the help."""

_HELP = """Durable cross-system processes for professional-services firms.

A signed deal becomes an operational project in every system, each effect exactly once;
what a machine cannot decide reaches the right person with everything needed to decide it."""


def build() -> typer.Typer:
    """The app with all its commands. Nothing heavy is imported: each command does that when it runs."""
    app = typer.Typer(
        name="fairlead",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(help=_HELP, epilog=_epilog())(_root())
    for group in _GROUPS:
        group.register(app)
    return app


def main() -> None:
    """Entry point of the console script."""
    code: object = 0
    try:
        build()()
    except SystemExit as end:
        code = end.code
    _leave(code if isinstance(code, int) else 0 if code is None else 1)


def _leave(code: int) -> None:
    """End at once: threads of Temporal's client may still run, and must not meet a finalizing interpreter."""
    import os
    import sys

    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _root() -> Any:
    def root(ctx: typer.Context, version: bool = False, **given: Any) -> None:
        ctx.obj = merged(None, given)

    context = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    shown = inspect.Parameter("version", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=_VERSION)
    parameters = [context, shown, *common_parameters()]
    root.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    root.__annotations__ = {"ctx": typer.Context, "version": _VERSION, **COMMON}
    return root


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"fairlead {version('fairlead')}")
        raise typer.Exit


_VERSION = Annotated[
    bool, typer.Option("--version", help="Show the version and end.", callback=_show_version, is_eager=True)
]


def _epilog() -> str:
    lines = ["[bold]Exit codes[/bold]", *(f"  {code:d}  {meaning}" for code, meaning in MEANING.items())]
    start = [
        "[bold]Begin[/bold]",
        "  fairlead up --detach",
        "  fairlead deals",
        "  fairlead activate DEAL --wait",
    ]
    return "\n".join([*start, "", *lines])
