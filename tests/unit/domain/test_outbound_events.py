"""What Fairlead tells: nothing personal in it, one id per change, and no change that breaks a receiver."""

import copy
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from domain import outbound_notes
from domain.activation_process import ActivationResult, SystemRecord
from domain.attention import AttentionItem
from domain.commands import RequestStaffing, Seat
from domain.event_schemas import catalogue_changes, catalogue_document
from domain.events import parse, read_envelope
from domain.invoice_state import InvoiceRow
from domain.money import Money
from domain.outbound import OutboundData, OutboxNote
from domain.outbound_events import DEMAND_PUBLISHED, published
from domain.outbound_schemas import outbound_example, published_changes
from domain.readiness import OwnerGroup

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
PROCESS = "activation/acme/006A"
CANARIES = ("Alpenglow AG", "olga@firm.example", "cancelled because", "narrative", "ORA-00942", "150.00")


def asked(**changes: Any) -> RequestStaffing:
    seat = Seat(
        ref="2",
        role="Architect",
        grade="Senior",
        skills=("Integration",),
        hours=Decimal("120.50"),
        starts_on=date(2026, 12, 1),
        ends_on=date(2027, 2, 26),
    )
    return RequestStaffing(
        project_external_id="4711", seats_key="k", seat=seat, approver_email="olga@firm.example"
    ).with_changes(**changes)


def ended(state: str) -> ActivationResult:
    return ActivationResult.model_validate(
        {
            "state": state,
            "deal": "006A",
            "project": "DE01-7K3QXW",
            "generation": 2,
            "reason": "cancelled because Alpenglow AG asked olga@firm.example",
            "records": (SystemRecord(system="kantata", noun="project", external_id="4711", url="http://x"),),
        }
    )


def an_invoice(**changes: Any) -> InvoiceRow:
    row = InvoiceRow(
        id="invoice/acme/1",
        project="DE01-7K3QXW",
        entity="DE01",
        customer="001A",
        stage="posted",
        number="INV-1",
        service_from=date(2027, 1, 1),
        service_to=date(2027, 1, 31),
        dated=date(2027, 1, 31),
        approved_by="olga@firm.example",
        erp_net=Money.of("100.00", "EUR"),
        erp_tax=Money.of("19.00", "EUR"),
    )
    return row.with_changes(**changes)


def an_exception(**changes: Any) -> AttentionItem:
    item = AttentionItem(
        id=f"{PROCESS}/erp.project/1",
        process=PROCESS,
        step="erp.project",
        headline="Alpenglow AG: narrative",
        detail="ORA-00942",
        object="Alpenglow AG",
        amount="150.00 EUR",
        person="olga@firm.example",
        owner=OwnerGroup.FINANCE_SYSTEMS,
        raised_at=NOW,
        due_at=NOW,
    )
    return item.with_changes(**changes)


def notes() -> list[OutboxNote]:
    """One of each type."""
    return [
        outbound_notes.demand_published("k/psa.request.2/1", "DE01-7K3QXW", asked(), "REQ-1"),
        outbound_notes.demand_withdrawn("k/psa.request.2/1", "DE01-7K3QXW", asked(), "REQ-1"),
        outbound_notes.activation_ended(PROCESS, ended("active")),
        outbound_notes.activation_ended(PROCESS, ended("cancelled")),
        *outbound_notes.invoice_posted(an_invoice()),
        *outbound_notes.invoice_credited(an_invoice(id="credit/acme/1", credits="invoice/acme/1")),
        outbound_notes.exception_told(an_exception()),
        outbound_notes.exception_told(an_exception(state="resolved", resolution="narrative")),
    ]


def test_there_is_a_note_for_each_published_type_and_no_other() -> None:
    assert sorted(note.type for note in notes()) == [kind.name for kind in published()]


@pytest.mark.parametrize("note", notes(), ids=lambda note: note.type)
def test_a_note_holds_no_person_no_pay_and_no_free_text(note: OutboxNote) -> None:
    text = note.model_dump_json()
    assert [canary for canary in CANARIES if canary in text] == []


@pytest.mark.parametrize("note", notes(), ids=lambda note: note.type)
def test_a_note_is_what_its_type_promises(note: OutboxNote) -> None:
    kind = next(one for one in published() if one.name == note.type)
    assert kind.data.model_validate(note.data).model_dump(mode="json") == note.data
    assert set(note.data) == set(kind.data.model_fields)
    assert json.loads(json.dumps(note.data)) == note.data, "exact without any special reading"
    assert (len(note.id), "." in note.id) == (28, False)


def test_demand_says_who_is_needed_when_and_for_how_long() -> None:
    note = notes()[0]
    assert note.subject == "REQ-1"
    assert note.data == {
        "project": "DE01-7K3QXW",
        "request": "REQ-1",
        "ref": "2",
        "role": "Architect",
        "grade": "Senior",
        "skills": ["Integration"],
        "seats": 1,
        "hours": "120.50",
        "starts_on": "2026-12-01",
        "ends_on": "2027-02-26",
        "revision": 1,
    }


def test_amounts_of_an_invoice_are_exact_text() -> None:
    (posted,) = outbound_notes.invoice_posted(an_invoice())
    amounts = {name: posted.data[name] for name in ("currency", "net", "tax", "gross")}
    assert amounts == {"currency": "EUR", "net": "100.00", "tax": "19.00", "gross": "119.00"}
    assert outbound_notes.invoice_posted(an_invoice(erp_net=None)) == ()
    (credited,) = outbound_notes.invoice_credited(an_invoice(id="credit/acme/1", credits="invoice/acme/1"))
    assert (credited.subject, posted.subject) == ("invoice/acme/1", "invoice/acme/1"), "in their order"


def test_the_id_follows_from_the_change_alone() -> None:
    first, again = notes(), notes()
    assert [note.id for note in first] == [note.id for note in again]
    assert len({note.id for note in first}) == len(first)
    later = outbound_notes.activation_ended(PROCESS, ended("active").with_changes(generation=3))
    assert later.id not in {note.id for note in first}


@pytest.mark.parametrize("subject", ["Rechnung Nº 12", "", "x" * 201, "a\nb"])
def test_a_subject_that_no_envelope_may_carry_gets_a_short_name(subject: str) -> None:
    class Named(OutboundData):
        subject_field = "name"
        name: str

    assert Named(name=subject).subject.isascii()
    assert len(Named(name=subject).subject) == 28
    assert Named(name="INV/2027/1").subject == "INV/2027/1"


@pytest.mark.parametrize("kind", published(), ids=lambda kind: kind.name)
def test_an_example_is_a_whole_event_that_nobody_may_send_to_us(kind: Any) -> None:
    example = outbound_example(kind)
    assert read_envelope(example).subject == example["subject"]
    with pytest.raises(ValueError, match="not in the catalogue"):
        parse(example)


def _drop(name: str) -> Callable[[Any], None]:
    return lambda schema: schema["properties"].pop(name)


def _optional(schema: Any) -> None:
    schema["required"].remove("hours")


def _as_number(schema: Any) -> None:
    schema["properties"]["hours"] = {"type": "number"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_drop("grade"), "demand.published v1 data.grade: is no longer sent"),
        (_optional, "demand.published v1 data.hours: is no longer sent always"),
        (_as_number, "demand.published v1 data.hours: is sent in another form"),
    ],
)
def test_what_breaks_receivers_is_named(change: Callable[[Any], None], said: str) -> None:
    old, new = catalogue_document(), catalogue_document()
    kind = next(one for one in new["published"] if one["name"] == DEMAND_PUBLISHED.name)
    kind["schema"] = copy.deepcopy(kind["schema"])
    change(kind["schema"])
    assert catalogue_changes(old, new) == [said]


def test_a_new_field_and_other_words_break_nobody() -> None:
    old, new = catalogue_document(), catalogue_document()
    schema = new["published"][2]["schema"]
    schema["properties"]["more"] = {"type": "string"}
    next(iter(schema["properties"].values()))["title"] = "Another title"
    assert catalogue_changes(old, new) == []


def test_a_type_may_only_go_after_it_was_given_a_sunset() -> None:
    old, new = catalogue_document()["published"], catalogue_document()["published"]
    gone = new.pop(0)
    assert published_changes(old, new) == [f"{gone['name']} v1 is gone without a sunset date"]
    old[0]["sunset"] = "2027-12-31"
    assert published_changes(old, new) == []
