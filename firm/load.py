"""Loading a firm's file: `fairlead.toml`, `regions/*.toml` and the rate cards, with every mistake at once."""

import hashlib
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from domain.selling import RateCard
from domain.tax_regimes import TaxRegimes
from firm.checks import Draft, check
from firm.lines import Lines
from firm.model import Firm
from firm.problems import FirmFileError, Problem, did_you_mean, problems_from, written
from firm.ratecards import read_rate_cards
from firm.regions import read_regions
from firm.sections import FirmFile

__all__ = ["FirmFileError", "load"]


def load(path: Path | str) -> Firm:
    """The firm set up by the file `path` (or by `fairlead.toml` in the folder `path`).

    Raises `FirmFileError` with every mistake in any of its files.
    """
    file = Path(path)
    file = (file / "fairlead.toml" if file.is_dir() else file).resolve()
    text, raw = _read(file)
    lines, folder = Lines(text), file.parent
    sections, problems = _sections(raw, file.name, lines)
    profiles, regimes, wrong_regions = read_regions(folder)
    listed = sections["rate_cards"].files if "rate_cards" in sections else ()
    card_files = [folder / name for name in dict.fromkeys(listed)]
    cards, wrong_cards = read_rate_cards(card_files, folder)
    draft = Draft(
        **{name: sections.get(name) for name in Draft.__dataclass_fields__ if name in FirmFile.model_fields},
        profiles=profiles,
        profiles_sound=not wrong_regions,
        cards=cards,
    )
    problems += wrong_regions + wrong_cards
    problems += [Problem(file.name, written(f.key), f.what, f.cure, lines.of(f.key)) for f in check(draft)]
    if problems:
        raise FirmFileError(problems)
    return Firm(
        file=file,
        parts=FirmFile.model_validate(raw),
        profiles=profiles,
        taxes=TaxRegimes(regimes),
        cards=_by_code(cards),
        hash=_hash([file, *sorted((folder / "regions").glob("*.toml")), *card_files], folder),
    )


def _read(file: Path) -> tuple[str, Mapping[str, Any]]:
    try:
        text = file.read_text(encoding="utf-8")
        return text, tomllib.loads(text, parse_float=Decimal)
    except FileNotFoundError:
        problem = Problem(str(file), "file", "is missing", "begin with a copy of examples/firm")
    except UnicodeDecodeError:
        problem = Problem(str(file), "file", "is not UTF-8 text", "save it as UTF-8")
    except tomllib.TOMLDecodeError as error:
        problem = Problem(file.name, "file", f"is not TOML: {error}", "correct the spelling there")
    except OSError as error:
        problem = Problem(str(file), "file", f"cannot be read ({type(error).__name__})", "make it readable")
    raise FirmFileError([problem])


def _sections(raw: Mapping[str, Any], file: str, lines: Lines) -> tuple[dict[str, Any], list[Problem]]:
    """The sections that are sound by themselves, and what is wrong with the others."""
    sound: dict[str, Any] = {}
    known = FirmFile.model_fields
    problems = [
        Problem(file, written((name,)), "is not a section", did_you_mean(name, known), lines.of((name,)))
        for name in raw
        if name not in known
    ]
    for name, field in known.items():
        if name not in raw:
            if field.is_required():
                problems.append(Problem(file, name, "is missing", f"add the section [{name}]"))
            else:
                sound[name] = field.get_default(call_default_factory=True)
            continue
        try:
            sound[name] = _adapter(name).validate_python(raw[name])
        except ValidationError as error:
            problems += problems_from(error, file, (name,), model=field.annotation, locate=lines.of)
    return sound, problems


@cache
def _adapter(section: str) -> TypeAdapter[Any]:
    """Validates one section by itself, with its constraints, such as a least length."""
    field = FirmFile.model_fields[section]
    annotation: Any = Annotated[field.annotation, field]
    return TypeAdapter(annotation)


def _by_code(cards: tuple[RateCard, ...]) -> dict[str, RateCard]:
    return {card.code: card for card in cards}


def _hash(files: list[Path], folder: Path) -> str:
    """SHA-256 over the names and contents of all files: what a process ran under can be proved by it."""
    digest = hashlib.sha256()
    for file in files:
        name = file.relative_to(folder).as_posix() if file.is_relative_to(folder) else file.name
        content = file.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
