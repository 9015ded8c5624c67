"""What Tryton holds under our effect keys, asked of Tryton itself and not through the connector.

It keeps no list of writes: a customer carries the short form of its key, a project the keys of what was done
to it, documents their key, moves begin with it. A posting has no key; its document says whether it is posted.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from domain.identity import short_key
from local.tryton_firm import SYSTEM
from local.tryton_rpc import Rpc
from store.ports import EffectRow

_ALL = [["active", "in", [True, False]]]
_POSTED = ("posted", "paid", "cancelled")
"""A posted invoice that was credited in full is `cancelled`, with its number."""

Row = dict[str, str]


def landed(rpc: Rpc, effects: Sequence[EffectRow]) -> list[Row]:
    """A row for each of `effects` that Tryton shows, with how often; those of other systems are left out."""
    mine = [effect for effect in effects if effect.system == SYSTEM and effect.state == "confirmed"]
    return [*_parties(rpc, mine), *_works(rpc, mine), *_documents(rpc, mine), *_postings(rpc, mine)]


def _parties(rpc: Rpc, effects: Sequence[EffectRow]) -> Iterable[Row]:
    codes = {short_key(effect.key): effect for effect in effects if effect.step == "erp.customer"}
    found = rpc.search("party.party", [["code", "in", list(codes)], *_ALL], "code", "name")
    for code, effect in codes.items():
        yield from _row(effect, "party", "create", [one for one in found if one["code"] == code], "name")


def _works(rpc: Rpc, effects: Sequence[EffectRow]) -> Iterable[Row]:
    works = rpc.search("project.work", [["comment", "!=", None]], "comment", "name")
    for effect in effects:
        if effect.step in ("erp.project", "erp.open", "erp.billing_schedule"):
            found = [one for one in works if _names(one["comment"], effect.key)]
            operation = "update" if effect.step == "erp.open" else "create"
            yield from _row(effect, "project.work", operation, found, "name")


def _names(comment: str | None, key: str) -> bool:
    return any(line.endswith(f": {key}") for line in (comment or "").splitlines())


def _documents(rpc: Rpc, effects: Sequence[EffectRow]) -> Iterable[Row]:
    keys = {effect.key: effect for effect in effects if _is_document(effect)}
    found = rpc.search("account.invoice", [["reference", "in", list(keys)]], "reference", "number")
    for key, effect in keys.items():
        mine = [one for one in found if one["reference"] == key]
        yield from _row(effect, "account.invoice", "create", mine, "number")


def _is_document(effect: EffectRow) -> bool:
    return effect.step.startswith("erp.draft") or effect.step == "erp.credit"


def _postings(rpc: Rpc, effects: Sequence[EffectRow]) -> Iterable[Row]:
    posted = [effect for effect in effects if effect.step.startswith("erp.post")]
    ids = [int(effect.external_id) for effect in posted]
    domain = [["id", "in", ids], ["number", "!=", None], ["state", "in", list(_POSTED)]]
    found = {one["id"]: one for one in rpc.search("account.invoice", domain, "number")}
    for effect in posted:
        mine = [found[int(effect.external_id)]] if int(effect.external_id) in found else []
        yield from _row(effect, "account.invoice", "post", mine, "number")


def _row(
    effect: EffectRow, object: str, operation: str, found: Sequence[dict[str, Any]], name: str
) -> Iterable[Row]:
    if found:
        yield {
            "system": SYSTEM,
            "object": object,
            "operation": operation,
            "record": str(found[0][name] or ""),
            "id": ", ".join(str(one["id"]) for one in found),
            "effect_key": effect.key,
            "count": str(len(found)),
        }
