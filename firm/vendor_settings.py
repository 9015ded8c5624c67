"""Between the firm's file and the settings model of a connector, which this package does not know."""

from typing import Any

from pydantic import ValidationError

from firm.lines import Lines
from firm.model import Firm
from firm.problems import Key, Problem, problems_from

_PLACES: dict[str, Key] = {
    "base_url": ("base_url",),
    "in_flight": ("max_in_flight",),
    "auth": ("auth", "method"),
}


def connector_problems(firm: Firm, system: str, error: ValidationError, model: Any) -> list[Problem]:
    """What `model`, a connector's settings, refused of the firm's file, by the file's own keys.

    try:
        settings = SalesforceSettings.model_validate(firm.connector_settings(name))
    except ValidationError as error:
        problems += connector_problems(firm, name, error, SalesforceSettings)
    """
    section = firm.systems[system]

    def place(path: Key) -> Key:
        field = str(path[0]) if path else ""
        if field in _PLACES:
            return (*_PLACES[field], *path[1:])
        return ("auth" if field in section.auth else "settings", *path)

    lines = Lines(firm.file.read_text(encoding="utf-8"))
    return problems_from(
        error, firm.file.name, ("systems", system), model=model, locate=lines.of, place=place
    )
