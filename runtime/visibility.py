"""Search attributes of a namespace: what is registered, what is missing, what has another type.

A workflow that sets an unregistered attribute waits for ever in its task, and registering a name again
under another type succeeds in silence and keeps the old one. Therefore every check here lists first and
compares types (Temporal's operator API, ListSearchAttributes and AddSearchAttributes).
"""

from collections.abc import Mapping

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

_TYPES: dict[str, "IndexedValueType.ValueType"] = {
    "Keyword": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "KeywordList": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
    "Text": IndexedValueType.INDEXED_VALUE_TYPE_TEXT,
    "Bool": IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
    "Datetime": IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
    "Int": IndexedValueType.INDEXED_VALUE_TYPE_INT,
    "Double": IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
}
_NO_OPERATOR = (
    RPCStatusCode.UNIMPLEMENTED,
    RPCStatusCode.PERMISSION_DENIED,
    RPCStatusCode.UNAUTHENTICATED,
)
_NAMES = {number: name for name, number in _TYPES.items()}


class WrongSearchAttributes(RuntimeError):
    """The namespace's search attributes cannot be made to fit; the text names each one and its cure."""


async def registered(client: Client) -> dict[str, str]:
    """The namespace's own search attributes, name to type (`Keyword`, `Bool`, `Datetime` ...)."""
    answer = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    return {name: _NAMES.get(number, str(number)) for name, number in answer.custom_attributes.items()}


async def missing_or_wrong(client: Client, wanted: Mapping[str, str]) -> list[str]:
    """One sentence for each of `wanted` (name to type) that is absent or has another type."""
    try:
        present = await registered(client)
    except RPCError as error:
        if error.status not in _NO_OPERATOR:
            raise
        return await _unusable_in_queries(client, wanted)
    absent = [name for name in wanted if name not in present]
    sentences = [
        f"search attribute {name} ({wanted[name]}) is not registered in namespace {client.namespace!r}"
        for name in absent
    ]
    return sentences + _other_types(present, wanted, client.namespace)


async def _unusable_in_queries(client: Client, wanted: Mapping[str, str]) -> list[str]:
    """Temporal Cloud lets nobody list by this API; a query by an unknown attribute is refused, though."""
    sentences = []
    for name, kind in wanted.items():
        try:
            await client.count_workflows(f"{name} IS NULL")
        except RPCError as error:
            sentences.append(
                f"search attribute {name} ({kind}) cannot be used in namespace {client.namespace!r}: "
                f"{error.message}"
            )
    return sentences


async def register(client: Client, wanted: Mapping[str, str]) -> list[str]:
    """Register what is missing of `wanted`; the names that were added.

    Raises `WrongSearchAttributes` when a name exists with another type, when a type is unknown, or when
    the server refuses (its quota of ten keywords is used up, no permission).
    """
    unknown = sorted({kind for kind in wanted.values() if kind not in _TYPES})
    if unknown:
        raise WrongSearchAttributes(f"unknown search attribute types {unknown}; use one of {sorted(_TYPES)}")
    present = await registered(client)
    if wrong := _other_types(present, wanted, client.namespace):
        raise WrongSearchAttributes("; ".join(wrong))
    absent = {name: kind for name, kind in wanted.items() if name not in present}
    if absent:
        await add(client, absent)
    return sorted(absent)


async def add(client: Client, wanted: Mapping[str, str]) -> None:
    """Add `wanted` without listing first. Only for a test server that cannot list; else `register`."""
    request = AddSearchAttributesRequest(
        namespace=client.namespace, search_attributes={name: _TYPES[kind] for name, kind in wanted.items()}
    )
    try:
        await client.operator_service.add_search_attributes(request)
    except RPCError as error:
        raise WrongSearchAttributes(
            f"namespace {client.namespace!r} refuses search attributes {', '.join(sorted(wanted))}: "
            f"{error.message}. Remove unused ones, or register them as the namespace's administrator."
        ) from error


def _other_types(present: Mapping[str, str], wanted: Mapping[str, str], namespace: str) -> list[str]:
    return [
        f"search attribute {name} of namespace {namespace!r} is a {present[name]} but must be a {kind}; "
        "a type cannot be changed: use another namespace, or remove it and register it anew"
        for name, kind in wanted.items()
        if present.get(name, kind) != kind
    ]
