"""Projects by number. The list is searched by words of number and name, so what comes is compared whole.

Source: Workday REST, projects.
"""

from connectors.errors import Conflict
from connectors.workday.configured import ConfiguredRow
from connectors.workday.rest import Rest

OPERATION = "look up project"
THING = "projects"


async def project_id(rest: Rest, number: str) -> str | None:
    """The project of this number; None where there is none. Raises `Conflict` for two."""
    rows = await rest.rows(
        "projects", "projects", {"search": number}, identity=lambda row: row.get("id"), operation=OPERATION
    )
    field = rest.settings.project_number_field
    found = [ConfiguredRow(rest, THING, row, OPERATION) for row in rows]
    mine = [row.id for row in found if row.text(field) == number]
    if len(mine) > 1:
        words = f"{len(mine)} projects have the number {number} ({', '.join(mine)}); close all but one"
        raise rest.error(Conflict, OPERATION, words, field, "project.ambiguous")
    return mine[0] if mine else None
