"""The envelope, the data of each type, and what a refusal says."""

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.event_schemas import example_event
from domain.events import (
    DealSigned,
    EventRefused,
    EventType,
    StaffingDecided,
    UnknownEventType,
    catalogue,
    newest,
    parse,
)


def deal_signed(**changes: Any) -> dict[str, Any]:
    """A valid event with some attributes replaced; `None` takes one away."""
    body = {**example_event(newest("deal.signed")), **changes}
    return {name: value for name, value in body.items() if value is not None}


@pytest.mark.parametrize("kind", catalogue(), ids=lambda kind: f"{kind.name}.v{kind.version}")
def test_every_type_has_an_example_that_parses(kind: EventType) -> None:
    event = parse(example_event(kind))
    assert event.kind is kind
    assert event.subject == kind.example[kind.data.subject_field]
    assert event.version == datetime.fromisoformat(kind.example["version"])


def test_every_type_says_who_owns_produces_and_consumes_it() -> None:
    kinds = catalogue()
    assert len({(kind.name, kind.version) for kind in kinds}) == len(kinds)
    assert all(kind.summary and kind.producers and kind.consumers for kind in kinds)
    assert [kind.name for kind in kinds] == [
        "contract.changed",
        "deal.changed",
        "deal.signed",
        "milestone.accepted",
        "people.changed",
        "progress.reported",
        "psa.invoice_released",
        "purchase_order.changed",
        "staffing.decided",
        "time.approved",
    ]


def test_a_salesforce_time_stamp_is_understood_and_kept_in_utc() -> None:
    event = parse(
        deal_signed(data={"deal": "006A", "version": "2026-11-23T07:30:00.250+0130"}, subject="006A")
    )
    assert event.version == datetime(2026, 11, 23, 6, 0, 0, 250_000, tzinfo=UTC)
    assert event.version.tzinfo is UTC


def test_data_may_hold_more_than_we_know_and_the_envelope_may_not() -> None:
    more = {"deal": "006A", "version": "2026-11-23T07:30:00Z", "region": "EMEA", "nested": {"a": [1]}}
    data = parse(deal_signed(data=more, subject=None)).data
    assert isinstance(data, DealSigned)
    assert data.deal == "006A"
    with pytest.raises(EventRefused, match=r"attribute that CloudEvents 1\.0 lacks"):
        parse(deal_signed(traceid="x"))


def test_the_version_of_the_schema_is_chosen_by_dataschema() -> None:
    assert parse(deal_signed(dataschema=None)).kind.version == newest("deal.signed").version
    with pytest.raises(UnknownEventType, match=r"urn:fairlead:event:deal\.signed:1"):
        parse(deal_signed(dataschema="urn:fairlead:event:deal.signed:99"))


def test_an_unknown_type_is_told_apart_from_a_broken_one() -> None:
    with pytest.raises(UnknownEventType, match="not in the catalogue"):
        parse(deal_signed(type="invoice.exploded"))


def test_a_decision_on_staffing_is_about_its_request() -> None:
    event = parse(example_event(newest("staffing.decided")))
    assert isinstance(event.data, StaffingDecided)
    assert (event.subject, event.data.project, event.data.decision) == ("REQ-1042", "DE01-7K3QXW", "approved")


GOOD_DATA = {"deal": "006A", "version": "2026-11-23T07:30:00Z"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"specversion": "0.3"}, "specversion"),
        ({"specversion": None}, "specversion"),
        ({"id": ""}, "id"),
        ({"id": "two words"}, "id"),
        ({"id": "e\n"}, "id"),
        ({"id": 7}, "id"),
        ({"id": "x" * 201}, "id"),
        ({"id": "ü"}, "id"),
        ({"source": None}, "source"),
        ({"type": "../deal"}, "type"),
        ({"type": None}, "type"),
        ({"time": 1_700_000_000}, "time"),
        ({"time": "1700000000"}, "time"),
        ({"time": "2026-11-23T07:30:00"}, "time"),
        ({"time": "0001-01-01T00:00:00+14:00"}, "time"),
        ({"time": "9999-12-31T23:59:59Z"}, "time"),
        ({"datacontenttype": "text/xml"}, "datacontenttype"),
        ({"data": None}, "data"),
        ({"data": []}, "data"),
        ({"data": "deal"}, "data"),
        ({"data": {}}, "data.deal"),
        ({"data": {**GOOD_DATA, "deal": 6}}, "data.deal"),
        ({"data": {**GOOD_DATA, "deal": "../../etc"}}, "data.deal"),
        ({"data": {**GOOD_DATA, "deal": "a/b"}}, "data.deal"),
        ({"data": {**GOOD_DATA, "deal": "006A\u202e"}}, "data.deal"),
        ({"data": {**GOOD_DATA, "version": True}}, "data.version"),
        ({"data": {**GOOD_DATA, "version": "yesterday"}}, "data.version"),
        ({"data": {"deal": "006A"}}, "data.version"),
        ({"subject": "another deal"}, "subject"),
    ],
)
def test_a_refusal_names_the_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(EventRefused) as refused:
        parse(deal_signed(**changes))
    assert field in [problem.field for problem in refused.value.problems]
    assert not isinstance(refused.value, UnknownEventType)


def test_a_refusal_repeats_nothing_the_sender_wrote() -> None:
    canary = "CANARY-7f3a"
    broken = deal_signed(
        id=f"{canary} with space",
        subject=canary,
        time=canary,
        dataschema=f"{canary} \t",
        data={"deal": f"{canary}/", "version": canary, canary: canary},
    ) | {canary: canary}
    with pytest.raises(EventRefused) as refused:
        parse(broken)
    assert canary not in str(refused.value)
    assert len(refused.value.problems) >= 3


def test_the_newest_version_of_an_unknown_type_names_those_there_are() -> None:
    with pytest.raises(
        KeyError, match=r"contract\.changed, deal\.changed, .*, staffing\.decided, time\.approved"
    ):
        newest("deal.lost")
