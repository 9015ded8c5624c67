"""The only list of search attributes. Ids only: they are never encrypted. Ten Keywords at most."""

from datetime import datetime
from typing import Any

from temporalio import workflow
from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    SearchAttributeUpdate,
    TypedSearchAttributes,
)

PROCESS = SearchAttributeKey.for_keyword("FairleadProcess")
ENTITY = SearchAttributeKey.for_keyword("FairleadEntity")
CUSTOMER = SearchAttributeKey.for_keyword("FairleadCustomer")
PROJECT = SearchAttributeKey.for_keyword("FairleadProject")
PERIOD = SearchAttributeKey.for_keyword("FairleadPeriod")
STAGE = SearchAttributeKey.for_keyword("FairleadStage")
OWNER = SearchAttributeKey.for_keyword("FairleadOwner")
CORRELATION = SearchAttributeKey.for_keyword("FairleadCorrelation")
ATTENTION = SearchAttributeKey.for_bool("FairleadAttention")
DUE = SearchAttributeKey.for_datetime("FairleadDue")

_KEYWORDS = (PROCESS, ENTITY, CUSTOMER, PROJECT, PERIOD, STAGE, OWNER, CORRELATION)

ATTRIBUTES: dict[str, str] = {
    **{key.name: "Keyword" for key in _KEYWORDS},
    ATTENTION.name: "Bool",
    DUE.name: "Datetime",
}
"""Name -> type, as the server must know them before a worker starts."""


def initial_attributes(
    process: str, correlation: str, *, stage: str = "", project: str = "", customer: str = ""
) -> TypedSearchAttributes:
    """Search attributes a process is born with; those that are empty are left out."""
    ids = (
        (PROCESS, process),
        (CORRELATION, correlation),
        (STAGE, stage),
        (PROJECT, project),
        (CUSTOMER, customer),
    )
    pairs: list[SearchAttributePair[Any]] = [SearchAttributePair(key, value) for key, value in ids if value]
    return TypedSearchAttributes([*pairs, SearchAttributePair(ATTENTION, False)])


def upsert(
    *,
    stage: str | None = None,
    entity: str | None = None,
    customer: str | None = None,
    project: str | None = None,
    owner: str | None = None,
    attention: bool | None = None,
    due: datetime | None = None,
    clear_due: bool = False,
) -> None:
    """Set what is given, in one command."""
    updates: list[SearchAttributeUpdate[Any]] = []
    for key, value in (
        (STAGE, stage),
        (ENTITY, entity),
        (CUSTOMER, customer),
        (PROJECT, project),
        (OWNER, owner),
    ):
        if value is not None:
            updates.append(key.value_set(value) if value else key.value_unset())
    if attention is not None:
        updates.append(ATTENTION.value_set(attention))
    if due is not None:
        updates.append(DUE.value_set(due))
    elif clear_due:
        updates.append(DUE.value_unset())
    if updates:
        workflow.upsert_search_attributes(updates)
