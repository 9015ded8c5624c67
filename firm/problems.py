"""What is wrong with a firm's file: every mistake at once, each with its place and its cure."""

import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from firm.secrets import is_secret_key

Key = tuple[str | int, ...]
"""Where a value stands: `("entities", 1, "currency")`."""
Locate = Callable[[Key], int | None]
"""The line of a key, where it can be found."""

_SHOWN = 60
_TITLES = {
    "missing": "is missing",
    "extra_forbidden": "is not a key of this section",
    "decimal_parsing": "is not a decimal number",
    "bool_parsing": "is neither true nor false",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake. `line` is None where it cannot be found."""

    file: str
    key: str
    what: str
    cure: str
    line: int | None = None

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.key} {self.what}; {self.cure}"


class FirmFileError(Exception):
    """The firm's file cannot be used. `problems` holds every mistake that was found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (p.file, p.line or 0, p.key)))
        count = "1 mistake" if len(self.problems) == 1 else f"{len(self.problems)} mistakes"
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(f"the firm's file has {count}:\n{lines}")


def written(key: Sequence[str | int]) -> str:
    """`entities[1].currency`; a part with dots in it stands in quotes, as TOML has it."""
    text = ""
    for part in key:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            plain = re.fullmatch(r"[A-Za-z0-9_-]+", part) is not None
            text += ("." if text else "") + (part if plain else f'"{part}"')
    return text


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """A cure that names the likely word, or all that are known."""
    words = sorted(known)
    near = difflib.get_close_matches(wrong, words, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(words) or 'none'}"


def problems_from(
    error: ValidationError,
    file: str,
    prefix: Key = (),
    *,
    model: Any = None,
    locate: Locate | None = None,
    place: Callable[[Key], Key] | None = None,
) -> list[Problem]:
    """The mistakes pydantic found under `prefix`, in the words of the firm's file.

    `model` is what was validated (a model class): with it an unknown key is answered with the likely one.
    A value is shown only where it cannot be a secret. `place` turns a field's path in the model into where
    it stands in the file, below `prefix`.
    """
    find = locate or (lambda key: None)
    problems = []
    faults = error.errors(include_url=False)
    for fault in faults:
        if fault["type"] == "too_short" and any(_within(other["loc"], fault["loc"]) for other in faults):
            continue  # only because its items are wrong
        path = _without_tags(fault["loc"])
        key: Key = (*prefix, *(place(path) if place else path))
        what, cure = _described(fault, model)
        problems.append(Problem(file, written(key) or "file", what, cure, find(key)))
    return problems


def _within(location: Sequence[str | int], outer: Sequence[str | int]) -> bool:
    return len(location) > len(outer) and tuple(location[: len(outer)]) == tuple(outer)


def _without_tags(location: Sequence[str | int]) -> Key:
    """Pydantic adds `[key]` after the key of a mapping whose name is wrong: our path names it already."""
    return tuple(part for part in location if part != "[key]")


def _described(fault: Any, model: Any) -> tuple[str, str]:
    kind, location = fault["type"], fault["loc"]
    last = str(location[-1]) if location else ""
    if kind == "missing":
        return _TITLES[kind], f"add {last} to this section"
    if kind == "extra_forbidden":
        return _TITLES[kind], did_you_mean(last, _siblings(model, location))
    if kind in ("value_error", "assertion_error"):
        what, _, cure = str(fault["ctx"]["error"]).partition("; ")
        return what, cure or "correct it"
    if kind in ("literal_error", "enum"):
        return f"{_shown(fault)} is not allowed", f"allowed are {fault['ctx']['expected']}"
    message = _TITLES.get(kind) or fault["msg"][:1].lower() + fault["msg"][1:]
    return f"{_shown(fault)}: {message}", "correct the value"


def _shown(fault: Any) -> str:
    value = fault["input"]
    secret = any(is_secret_key(str(part)) for part in fault["loc"])
    if secret or isinstance(value, dict | list):
        return "the value"
    return f"= {str(value)[:_SHOWN]!r}"


def _siblings(model: Any, location: Sequence[str | int]) -> list[str]:
    """Names of the fields beside `location`, as far as the way there leads through models."""
    for part in location[:-1]:
        model = _inner(model, part)
    return list(model.model_fields) if _is_model(model) else []


def _inner(annotation: Any, part: str | int) -> Any:
    if _is_model(annotation):
        field = annotation.model_fields.get(str(part))
        return _unwrapped(field.annotation) if field else None
    arguments = getattr(annotation, "__args__", ())
    return _unwrapped(arguments[0 if isinstance(part, int) else -1]) if arguments else None


def _unwrapped(annotation: Any) -> Any:
    """The model inside `X | None`; everything else as it is."""
    models = [argument for argument in getattr(annotation, "__args__", ()) if _is_model(argument)]
    containers = (tuple, dict, list)
    if models and getattr(annotation, "__origin__", None) not in containers:
        return models[0]
    return annotation


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
