"""The effect journal: what a repeat, a late answer and a correction may and may not do."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from store.ports import EffectIntent, EffectRow, KeyTaken, Reference, StaleReference, StoreError
from store.sql.engine import SqlStore

Make = Callable[..., EffectIntent]


async def outcomes(store: SqlStore, process: str) -> list[tuple[str, str]]:
    return [(entry.key, entry.outcome) for entry in await store.audit.list(process)]


async def test_first_begin_is_fresh_and_a_repeat_is_not(timed_store: SqlStore, make_intent: Make, clock: Any):
    intent = make_intent()
    first = await timed_store.effects.begin(intent)
    began = clock.now
    clock.forward(seconds=5)
    again = await timed_store.effects.begin(intent)

    assert first.fresh
    assert first.state == "intent"
    assert first.sent_at == began
    assert not again.fresh
    assert again == first.model_copy(update={"fresh": False})
    assert await outcomes(timed_store, intent.process) == [(intent.key, "intent")]


async def test_confirm_keeps_what_the_system_said_and_writes_audit(
    timed_store: SqlStore, make_intent: Make, clock: Any
):
    intent = make_intent()
    await timed_store.effects.begin(intent)
    clock.forward(seconds=2)
    row = await timed_store.effects.confirm(
        intent.key, external_id="4711", number="DE01-7K3QXW", url="https://psa/4711", request_id="r-9"
    )

    assert (row.state, row.external_id, row.number) == ("confirmed", "4711", "DE01-7K3QXW")
    assert (row.url, row.request_id, row.settled_at) == ("https://psa/4711", "r-9", clock.now)
    assert await timed_store.effects.get(intent.key) == row
    entry = (await timed_store.audit.list(intent.process))[-1]
    assert (entry.actor, entry.what, entry.why) == (intent.actor, intent.summary, intent.reason)
    assert (entry.system, entry.object, entry.external_id) == ("kantata", "workspace", "4711")
    assert (entry.before, entry.outcome, entry.after) == ("intent", "confirmed", "confirmed: DE01-7K3QXW")
    assert entry.at == clock.now


async def test_confirm_repeats_quietly_and_refuses_another_id(store: SqlStore, make_intent: Make):
    intent = make_intent()
    await store.effects.begin(intent)
    first = await store.effects.confirm(intent.key, external_id="4711", found=True)
    assert await store.effects.confirm(intent.key, external_id="4711") == first
    assert first.note == "found by look-up"
    with pytest.raises(KeyTaken, match="confirmed in kantata as 4711, not 4712"):
        await store.effects.confirm(intent.key, external_id="4712")
    assert await store.effects.get(intent.key) == first
    assert len(await store.audit.list(intent.process)) == 2


async def test_confirm_without_an_id_is_refused(store: SqlStore, make_intent: Make):
    intent = make_intent()
    await store.effects.begin(intent)
    with pytest.raises(StoreError, match="without the id"):
        await store.effects.confirm(intent.key, external_id="")


async def test_confirmed_key_with_other_content_is_an_error(store: SqlStore, make_intent: Make):
    intent = make_intent()
    await store.effects.begin(intent)
    confirmed = await store.effects.confirm(intent.key, external_id="4711")
    with pytest.raises(KeyTaken, match="other content"):
        await store.effects.begin(make_intent(command_hash="hash-b"))
    assert await store.effects.begin(intent) == confirmed


async def test_one_key_is_not_shared_by_two_systems(store: SqlStore, make_intent: Make):
    await store.effects.begin(make_intent())
    with pytest.raises(KeyTaken, match="belongs to system 'kantata', not 'netsuite'"):
        await store.effects.begin(make_intent(system="netsuite"))


async def test_rejected_intent_is_replaced_by_a_corrected_revision(
    timed_store: SqlStore, make_intent: Make, clock: Any
):
    intent = make_intent()
    effects = timed_store.effects
    await effects.begin(intent)
    rejected = await effects.reject(intent.key, note="template 12 unknown", request_id="r-1")
    assert (rejected.state, rejected.note, rejected.request_id) == ("rejected", "template 12 unknown", "r-1")
    assert await effects.begin(intent) == rejected

    clock.forward(minutes=1)
    corrected = await effects.begin(make_intent(command_hash="hash-b", actor="kim"))
    assert (corrected.state, corrected.revision, corrected.fresh) == ("intent", 2, True)
    assert (corrected.note, corrected.request_id, corrected.settled_at) == ("", "", None)
    assert corrected.sent_at == clock.now
    await effects.reject(intent.key, note="template 13 unknown")

    assert [outcome for _, outcome in await outcomes(timed_store, intent.process)] == [
        "intent",
        "rejected",
        "intent (revision 2)",
        "rejected (revision 2)",
    ]
    assert (await timed_store.audit.list(intent.process))[-1].actor == "kim"


@pytest.mark.parametrize("doubted", [False, True])
async def test_unsettled_intent_with_other_content_must_be_looked_up_first(
    store: SqlStore, make_intent: Make, doubted: bool
):
    intent = make_intent()
    standing = await store.effects.begin(intent)
    if doubted:
        standing = await store.effects.doubt(intent.key, note="timeout")
    other = await store.effects.begin(make_intent(command_hash="hash-b"))
    assert (other.state, other.command_hash, other.fresh) == (standing.state, "hash-a", False)
    assert "look it up first" in other.note

    # Looked up, not found: it never landed, so the corrected content is a new revision.
    await store.effects.reject(intent.key, note="look-up found nothing")
    assert (await store.effects.begin(make_intent(command_hash="hash-b"))).revision == 2


async def test_doubt_then_resend_opens_the_intent_again(timed_store: SqlStore, make_intent: Make, clock: Any):
    intent = make_intent()
    await timed_store.effects.begin(intent)
    doubt = await timed_store.effects.doubt(intent.key, note="read timeout after send")
    assert (doubt.state, doubt.note, doubt.settled_at) == ("ambiguous", "read timeout after send", None)
    sent = clock.forward(seconds=3)
    again = await timed_store.effects.resend(intent.key)
    assert (again.state, again.fresh, again.sent_at, again.note) == ("intent", True, sent, "")
    # A second round leaves no second entry: once per key and outcome.
    await timed_store.effects.doubt(intent.key, note="again")
    await timed_store.effects.resend(intent.key)
    assert [outcome for _, outcome in await outcomes(timed_store, intent.process)] == [
        "intent",
        "ambiguous",
        "resent",
    ]


async def test_a_fact_outranks_a_late_doubt_and_a_refusal(store: SqlStore, make_intent: Make):
    intent = make_intent()
    await store.effects.begin(intent)
    await store.effects.reject(intent.key, note="timeout of the other attempt")
    confirmed = await store.effects.confirm(intent.key, external_id="4711", found=True)
    assert confirmed.state == "confirmed"
    assert await store.effects.doubt(intent.key, note="late") == confirmed
    with pytest.raises(StoreError, match="cannot be rejected: it is confirmed as 4711"):
        await store.effects.reject(intent.key, note="late")
    with pytest.raises(StoreError, match="cannot be sent again: it is confirmed as 4711"):
        await store.effects.resend(intent.key)


async def test_a_late_doubt_after_a_refusal_forces_a_look_up(store: SqlStore, make_intent: Make):
    intent = make_intent()
    await store.effects.begin(intent)
    await store.effects.reject(intent.key, note="refused")
    assert (await store.effects.doubt(intent.key, note="lost")).state == "ambiguous"


async def confirm(store: SqlStore, intent: EffectIntent, external_id: str) -> EffectRow:
    await store.effects.begin(intent)
    return await store.effects.confirm(intent.key, external_id=external_id)


async def test_undo_by_a_confirmed_effect(store: SqlStore, make_intent: Make):
    intent, undo = make_intent(), make_intent("psa.project.cancel")
    await confirm(store, intent, "4711")
    await store.effects.begin(undo)
    with pytest.raises(StoreError, match=r"psa\.project\.cancel/1: that one is intent"):
        await store.effects.undo(intent.key, by_key=undo.key)
    await store.effects.confirm(undo.key, external_id="4711-c")

    undone = await store.effects.undo(intent.key, by_key=undo.key, note="deal withdrawn")
    assert (undone.state, undone.note, undone.external_id) == ("undone", "deal withdrawn", "4711")
    assert await store.effects.undo(intent.key, by_key=undo.key) == undone
    assert await store.effects.begin(make_intent(command_hash="hash-b")) == undone
    assert await store.effects.confirm(intent.key, external_id="4711") == undone
    entry = (await store.audit.list(intent.process))[-1]
    assert entry.after == f"undone: by {undo.key}; deal withdrawn"


async def test_undo_of_what_never_happened(store: SqlStore, make_intent: Make):
    intent = make_intent()
    await store.effects.begin(intent)
    assert (await store.effects.undo(intent.key, by_key="")).state == "undone"
    with pytest.raises(StoreError, match="cannot be confirmed as 4711: it is undone by look-up"):
        await store.effects.confirm(intent.key, external_id="4711")
    with pytest.raises(StoreError, match="cannot be sent again"):
        await store.effects.resend(intent.key)


async def test_confirmed_effect_did_happen(store: SqlStore, make_intent: Make):
    intent = make_intent()
    await confirm(store, intent, "4711")
    with pytest.raises(StoreError, match="name the confirmed effect that reverses it"):
        await store.effects.undo(intent.key, by_key="")


async def test_unknown_key_is_a_stale_reference(store: SqlStore):
    calls: list[Callable[[], Any]] = [
        lambda: store.effects.resend("lost"),
        lambda: store.effects.confirm("lost", external_id="1"),
        lambda: store.effects.reject("lost", note=""),
        lambda: store.effects.doubt("lost", note=""),
        lambda: store.effects.undo("lost", by_key=""),
    ]
    for call in calls:
        with pytest.raises(StaleReference, match="effect lost is not in the journal"):
            await call()
    assert await store.effects.get("lost") is None


async def test_list_is_in_order_of_first_intent(store: SqlStore, make_intent: Make):
    steps = ["psa.project", "erp.project", "crm.active", "a.first"]
    for step in steps:
        await store.effects.begin(make_intent(step))
    await store.effects.begin(make_intent(process="activation/acme/other"))
    await store.effects.reject(make_intent("psa.project").key, note="no")
    await store.effects.begin(make_intent("psa.project", command_hash="hash-b"))
    assert [row.step for row in await store.effects.list(make_intent().process)] == steps


async def test_effect_and_audit_entry_land_together_or_not_at_all(
    timed_store: SqlStore, raw: Any, make_intent: Make
):
    intent, other = make_intent(), make_intent("erp.project")
    await timed_store.effects.begin(intent)
    with raw() as database:
        database.execute(text("ALTER TABLE audit_heads RENAME TO audit_heads_away"))
    with pytest.raises(StoreError, match="audit_heads"):
        await timed_store.effects.confirm(intent.key, external_id="4711")
    with pytest.raises(StoreError, match="audit_heads"):
        await timed_store.effects.begin(other)
    with raw() as database:
        database.execute(text("ALTER TABLE audit_heads_away RENAME TO audit_heads"))

    standing = await timed_store.effects.get(intent.key)
    assert standing is not None
    assert standing.state == "intent"
    assert await timed_store.effects.get(other.key) is None
    assert len(await timed_store.audit.list(intent.process)) == 1


async def test_text_that_is_no_unicode_is_refused_in_words(store: SqlStore, make_intent: Make):
    intent = make_intent()
    await store.effects.begin(intent)
    with pytest.raises(StoreError, match="cannot keep"):
        await store.effects.reject(intent.key, note="half a \ud83d pair")


async def test_a_confirmed_effect_is_known_by_its_canonical_id(store: SqlStore, make_intent: Make):
    intent = make_intent()
    await store.effects.begin(intent)
    made = Reference(canonical_id="project:DE01-1", object="project")
    for _ in range(2):
        await store.effects.confirm(intent.key, external_id="77", reference=made)
    assert await store.references.of("project:DE01-1") == [(intent.system, "project", "77")]


async def test_a_reference_that_is_taken_leaves_the_effect_unconfirmed(store: SqlStore, make_intent: Make):
    intent = make_intent()
    await store.references.put("project:OTHER", intent.system, "project", "77")
    await store.effects.begin(intent)
    made = Reference(canonical_id="project:DE01-1", object="project")
    with pytest.raises(StoreError, match="one of the two is a double"):
        await store.effects.confirm(intent.key, external_id="77", reference=made)
    row = await store.effects.get(intent.key)
    assert row is not None
    assert row.state == "intent"
