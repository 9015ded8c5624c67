"""Gate profiles and tax tables by region: `regions/default.toml` in full, `regions/<region>.toml` with what
differs. Tax tables stand under `[tax.<country>]` in any of the files, see `firm/taxes.py`.

    [gates.customer_data]
    phases = ["before_creation"]
    owner = "finance_systems"
    skip_role = "credit_manager"
    options = { tax_id = "required" }

A region's gate takes every key it does not state from the default, options one by one.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from domain.base import Edge
from domain.gates.options import OPTIONS
from domain.readiness import Gate, GateProfile, GateRule, OwnerGroup
from domain.tax_regimes import TaxRegime
from firm.lines import Lines
from firm.problems import Key, Problem, did_you_mean, problems_from, written
from firm.taxes import TaxTables, read_tax_tables

Phase = Literal["before_creation", "before_opening"]
DEFAULT = "default"
SkipRole = Literal[
    "nobody",
    "approver",
    "credit_manager",
    "controller",
    "tax_lead",
    "pricing_lead",
    "practice_lead",
    "billing_lead",
]
"""Who may approve the skip of a gate; a gate that nobody may skip is corrected or waits."""


class GateSection(Edge):
    """`[gates.<gate>]`, after the region was laid over the default."""

    phases: tuple[Phase, ...] = Field(min_length=1)
    required: bool = True
    owner: OwnerGroup
    sla_hours: int = Field(default=24, ge=1, le=24 * 90)
    skip_role: SkipRole = "nobody"
    options: dict[str, str] = {}


class RegionFile(Edge):
    gates: dict[Gate, GateSection]


@dataclass(frozen=True)
class Region:
    """One region's file as read, before it is laid over the default."""

    name: str
    file: str
    gates: Mapping[str, Any]
    taxes: TaxTables
    lines: Lines


def read_regions(folder: Path) -> tuple[tuple[GateProfile, ...], tuple[TaxRegime, ...], list[Problem]]:
    """The profiles and tax regimes under `folder`/regions, and what is wrong with them."""
    regions: dict[str, Region] = {}
    problems: list[Problem] = []
    for path in sorted((folder / "regions").glob("*.toml")):
        region = _read(path, f"regions/{path.name}")
        problems += [region] if isinstance(region, Problem) else []
        regions |= {region.name: region} if isinstance(region, Region) else {}
    default = regions.get(DEFAULT)
    if default is None:
        if not any(problem.file == "regions/default.toml" for problem in problems):
            problems.append(
                Problem("regions/default.toml", "file", "is missing", "write a profile with all six gates")
            )
        return (), (), problems
    profiles: list[GateProfile] = []
    for region in regions.values():
        profile = _profile(region, default)
        problems += profile if isinstance(profile, list) else []
        profiles += [profile] if isinstance(profile, GateProfile) else []
    regimes, wrong_taxes = read_tax_tables([region.taxes for region in regions.values()])
    return tuple(profiles), regimes, _only_own(problems) + wrong_taxes


def _only_own(problems: list[Problem]) -> list[Problem]:
    """Each mistake once: what a region inherits from the default is the default's mistake alone."""
    of_default = {(p.key, p.what) for p in problems if p.file == "regions/default.toml"}
    return [p for p in problems if p.file == "regions/default.toml" or (p.key, p.what) not in of_default]


def _read(path: Path, name: str) -> Region | Problem:
    try:
        text = path.read_text(encoding="utf-8")
        raw = tomllib.loads(text, parse_float=Decimal)
    except UnicodeDecodeError:
        return Problem(name, "file", "is not UTF-8 text", "save it as UTF-8")
    except tomllib.TOMLDecodeError as error:
        return Problem(name, "file", f"is not TOML: {error}", "correct the spelling there")
    except OSError as error:
        return Problem(name, "file", f"cannot be read ({type(error).__name__})", "make it readable")
    lines = Lines(text)
    for key in raw:
        if key not in ("gates", "tax"):
            cure = did_you_mean(key, ["gates", "tax"])
            return Problem(name, key, "is not a key of this file", cure, lines.of((key,)))
    gates = raw.get("gates", {})
    if not isinstance(gates, dict) or not all(isinstance(gate, dict) for gate in gates.values()):
        return Problem(name, "gates", "is not a table of gates", "write [gates.customer_data] and so on")
    taxes = raw.get("tax", {})
    if not isinstance(taxes, dict) or not all(isinstance(table, dict) for table in taxes.values()):
        what, cure = "is not a table of countries", "write [tax.DE] and so on"
        return Problem(name, "tax", what, cure, lines.of(("tax",)))
    return Region(path.stem, name, gates, TaxTables(name, taxes, lines), lines)


def _profile(region: Region, default: Region) -> GateProfile | list[Problem]:
    """The region's profile laid over the default, or what is wrong with it."""
    merged = {
        gate: _merged(default.gates.get(gate, {}), region.gates.get(gate, {}))
        for gate in [*default.gates, *(gate for gate in region.gates if gate not in default.gates)]
    }
    problems = [_not_a_gate(region, name) for name in merged if name not in list(Gate)]
    sections: dict[Gate, GateSection] = {}
    for name in [name for name in merged if name in list(Gate)]:
        try:
            sections[Gate(name)] = GateSection.model_validate(merged[name])
        except ValidationError as error:
            problems += problems_from(
                error, region.file, ("gates", name), model=GateSection, locate=region.lines.of
            )
            continue
        problems += _judged(region, Gate(name), sections[Gate(name)])
    for gate in Gate:
        if gate not in merged:
            key: Key = ("gates", gate.value)
            what = "is missing: a profile has all six gates"
            problems.append(
                Problem(region.file, written(key), what, "add it; required = false switches it off")
            )
    return problems or GateProfile(region=region.name, rules=_rules(sections))


def _not_a_gate(region: Region, name: str) -> Problem:
    key: Key = ("gates", name)
    return Problem(region.file, written(key), "is not a gate", did_you_mean(name, Gate), region.lines.of(key))


def _merged(default: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The region's gate over the default's, options one by one; what is no table is left for the model."""
    merged = {**default, **own}
    ours, theirs = own.get("options"), default.get("options")
    if isinstance(ours, dict) and isinstance(theirs, dict):
        merged["options"] = {**theirs, **ours}
    return merged


def _judged(region: Region, gate: Gate, section: GateSection) -> Iterator[Problem]:
    """Rules between the keys of one gate."""
    for name, value in section.options.items():
        key: Key = ("gates", gate.value, "options", name)
        allowed = OPTIONS[gate].get(name)
        if allowed is None:
            what, cure = "is not an option of this gate", did_you_mean(name, OPTIONS[gate])
        elif value not in allowed:
            what, cure = f"= {value!r} is not allowed", f"allowed are {', '.join(allowed)}"
        else:
            continue
        yield Problem(region.file, written(key), what, cure, region.lines.of(key))
    wanted: Phase = "before_opening" if gate is Gate.STAFFING else "before_creation"
    if section.required and (
        wanted not in section.phases or (gate is Gate.STAFFING and len(section.phases) > 1)
    ):
        key = ("gates", gate.value, "phases")
        why = (
            "staffing is asked for once the project is there"
            if gate is Gate.STAFFING
            else "what it judges decides whether a project may be created"
        )
        yield Problem(
            region.file, written(key), f"do not fit: {why}", f'say "{wanted}"', region.lines.of(key)
        )
    if len(set(section.phases)) < len(section.phases):
        key = ("gates", gate.value, "phases")
        yield Problem(region.file, written(key), "name a phase twice", "name it once", region.lines.of(key))


def _rules(sections: Mapping[Gate, GateSection]) -> tuple[GateRule, ...]:
    return tuple(
        GateRule(
            gate=gate,
            phase=phase,
            required=sections[gate].required,
            owner=sections[gate].owner,
            sla_hours=sections[gate].sla_hours,
            skip_role=None if sections[gate].skip_role == "nobody" else sections[gate].skip_role,
            options=sections[gate].options,
        )
        for gate in Gate
        for phase in sections[gate].phases
    )
