"""How a command is registered: common options, an example in its help, one place for every ending.

A command is an `async def` of a `Session` and its own parameters; it returns its exit code, or nothing.
The options every command has may stand before or after the command's name.
"""

import functools
import inspect
import sys
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.context import Foreground, Options, Session, perform
from cli.exit_codes import ExitCode, Stop

_PANEL = "Options of every command"
Function = Callable[..., Awaitable[int | None]]

COMMON: dict[str, Any] = {
    "json": Annotated[
        bool, typer.Option("--json", help="One JSON document instead of tables.", rich_help_panel=_PANEL)
    ],
    "actor": Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="EMAIL",
            help="Who acts: a person of the firm's file. Also FAIRLEAD_ACTOR.",
            envvar="FAIRLEAD_ACTOR",
            show_envvar=False,
            rich_help_panel=_PANEL,
        ),
    ],
    "token_file": Annotated[
        Path | None,
        typer.Option(
            "--token-file",
            help="Holds your token, where the firm asks for one. Also FAIRLEAD_TOKEN, the token itself.",
            rich_help_panel=_PANEL,
        ),
    ],
    "home": Annotated[
        Path | None,
        typer.Option("--home", help="State of the local firm. Also FAIRLEAD_HOME.", rich_help_panel=_PANEL),
    ],
    "firm": Annotated[
        Path | None,
        typer.Option("--firm", help="The firm's file. Also FAIRLEAD_FIRM_FILE.", rich_help_panel=_PANEL),
    ],
    "address": Annotated[
        str | None,
        typer.Option(
            "--address",
            metavar="HOST:PORT",
            help="Temporal server. Also TEMPORAL_ADDRESS.",
            rich_help_panel=_PANEL,
        ),
    ],
    "profile": Annotated[
        str | None,
        typer.Option(
            "--profile", help="Temporal client profile. Also TEMPORAL_PROFILE.", rich_help_panel=_PANEL
        ),
    ],
    "debug": Annotated[
        bool, typer.Option("--debug", help="Show the trace of an error.", rich_help_panel=_PANEL)
    ],
}
"""Field of `Options` -> how it is asked for."""

_DEFAULTS = {field.name: field.default for field in fields(Options)}


def new_group(help: str) -> typer.Typer:
    """A group of commands, such as `fairlead events`."""
    return typer.Typer(help=help, no_args_is_help=True, pretty_exceptions_enable=False)


def command(
    app: typer.Typer, name: str, *, example: str | Sequence[str], panel: str | None = None
) -> Callable[[Function], Function]:
    """Register an async function as the command `name`. `example` is what its help shows at the end."""
    examples = [example] if isinstance(example, str) else list(example)
    title = "Example" if len(examples) == 1 else "Examples"
    epilog = "\n".join([f"[bold]{title}[/bold]", *(_escaped(line) for line in examples)])

    def register(function: Function) -> Function:
        @functools.wraps(function)
        def run(ctx: typer.Context, **given: Any) -> None:
            own = {key: given.pop(key) for key in list(given) if key not in COMMON}
            options = merged(ctx.obj, given)
            raise typer.Exit(finish(options, lambda session: function(session, **own)))

        del run.__wrapped__
        parameters = _parameters(function)
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        text = _flowing(function.__doc__ or "")
        register_under = app.command(
            name,
            help=text,
            short_help=text.partition(". ")[0].partition("\n")[0].rstrip(".") + ".",
            epilog=epilog,
            rich_help_panel=panel,
        )
        register_under(run)
        return function

    return register


def merged(before: Options | None, given: dict[str, Any]) -> Options:
    """Options given before the command's name, overlaid by those given after it."""
    said = {name: value for name, value in given.items() if value != _DEFAULTS[name]}
    return replace(before or Options(), **said)


def common_parameters() -> list[inspect.Parameter]:
    return [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=_DEFAULTS[name], annotation=annotation
        )
        for name, annotation in COMMON.items()
    ]


def _parameters(function: Function) -> list[inspect.Parameter]:
    _, *own = inspect.signature(function).parameters.values()
    context = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    keyword = inspect.Parameter.KEYWORD_ONLY
    return [context, *(parameter.replace(kind=keyword) for parameter in own), *common_parameters()]


def finish(options: Options, work: Callable[[Session], Awaitable[int | None]]) -> int:
    """Run a command to its end, whatever that is; the exit code."""
    import asyncio

    from cli.output import Output

    out = Output(as_json=options.json)
    try:
        return asyncio.run(perform(options, work))
    except Foreground as service:
        return service.run()
    except Stop as stop:
        if options.debug:
            traceback.print_exc(file=sys.stderr)
        out.error(stop)
        return int(stop.code)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has seen enough; nothing more may be written to it.
        sys.stderr.close()
        return int(ExitCode.OK)
    except Exception as error:
        from cli.errors import unexpected

        if options.debug:
            traceback.print_exc(file=sys.stderr)
        out.error(unexpected(error, _home(options)))
        return int(ExitCode.UNEXPECTED)


def _home(options: Options) -> Path | None:
    try:
        return Session(options).settings.home
    except Exception:
        return options.home


def _flowing(docstring: str) -> str:
    """Paragraphs without the line breaks of the source."""
    paragraphs = inspect.cleandoc(docstring).split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _escaped(text: str) -> str:
    return "  " + text.replace("[", "\\[")
