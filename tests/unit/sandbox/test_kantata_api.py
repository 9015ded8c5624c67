"""The emulator's envelope, includes, paging, filters, validation and effects."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.unit.sandbox.kantata_account import KantataAccount, first, ids, reference


@pytest.fixture
async def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[KantataAccount]:
    account = KantataAccount(tmp_path, monkeypatch)
    yield account
    await account.aclose()


async def test_a_token_is_needed_and_expires_for_one_request(account: KantataAccount) -> None:
    answer = await account.http.get("/kantata/api/v1/users/me", headers={"Authorization": "Bearer other"})
    assert answer.status_code == 401
    assert answer.json() == {"errors": [{"type": "oauth", "message": "Invalid OAuth 2 Request"}]}
    await account.arm("token_expired", count=1)
    assert (await account.call("GET", "/users/me"))[0] == 401
    assert (await account.call("GET", "/users/me.json"))[0] == 200


async def test_every_answer_has_a_request_id(account: KantataAccount) -> None:
    answer: httpx.Response = await account.http.get("/kantata/api/v1/users/me")
    assert len(answer.headers["x-request-id"]) == 32


async def test_ids_are_text_and_keys_appear_only_with_their_include(account: KantataAccount) -> None:
    group = await account.write(
        "POST", "/workspace_groups", {"workspace_group": {"name": "Acme", "company": True}}
    )
    assert isinstance(group["id"], str)
    workspace = await account.workspace(
        workspace_group_ids=[int(group["id"])], external_reference=reference("k/1")
    )
    plain = first(await account.get(f"/workspaces/{workspace}"))
    assert not {"workspace_group_ids", "external_reference_ids", "approver_id"} & set(plain)
    body = await account.get(
        f"/workspaces/{workspace}.json", include="workspace_groups,external_references,approver"
    )
    shown = first(body)
    assert shown["workspace_group_ids"] == [group["id"]]
    assert shown["approver_id"] is None
    assert body["workspace_groups"][group["id"]]["name"] == "Acme"
    assert body["external_references"][shown["external_reference_ids"][0]]["service_model_ref"] == "k/1"
    status, error = await account.refused("GET", f"/workspaces/{workspace}", include="stories")
    assert (status, error["type"]) == (400, "system")


async def test_side_loaded_rows_of_the_same_type_mix_in(account: KantataAccount) -> None:
    workspace = await account.workspace()
    story = {"workspace_id": workspace, "title": "Parent", "story_type": "task"}
    parent = await account.write("POST", "/stories", {"story": story})
    child = {**story, "title": "Child", "parent_id": int(parent["id"])}
    body = await account.call("POST", "/stories", {"story": child}, include="parent")
    assert len(body[1]["results"]) == 1
    assert len(body[1]["stories"]) == 2


async def test_pages_by_number_and_by_offset(account: KantataAccount) -> None:
    workspace = await account.workspace()
    rows = [{"workspace_id": workspace, "title": f"T{n}", "story_type": "task"} for n in range(25)]
    status, _ = await account.call("POST", "/stories", {"stories": rows})
    assert status == 200
    one = await account.get("/stories", per_page=10, workspace_id=workspace)
    assert one["count"] == 25
    assert one["meta"] == {"count": 25, "page_count": 3, "page_number": 1, "page_size": 10}
    assert len(ids(await account.get("/stories"))) == 20
    third = await account.get("/stories", per_page=10, page=3)
    offset = await account.get("/stories", limit=10, offset=20, per_page=3)
    assert ids(third) == ids(offset)
    assert len(ids(third)) == 5
    assert (await account.get("/stories", per_page=5000))["meta"]["page_size"] == 200


async def test_page_shift_repeats_and_skips_rows(account: KantataAccount) -> None:
    workspace = await account.workspace()
    rows = [{"workspace_id": workspace, "title": f"T{n}", "story_type": "task"} for n in range(20)]
    await account.call("POST", "/stories", {"stories": rows})
    first_page = ids(await account.get("/stories", limit=10, offset=0))
    await account.arm("page_shift", rows=2)
    assert ids(await account.get("/stories", limit=10, offset=10))[:2] == first_page[-2:]


async def test_external_reference_filters(account: KantataAccount) -> None:
    one = await account.workspace(external_reference=reference("activation/1"))
    two = await account.workspace(external_reference=reference("activation/2"))
    await account.workspace()
    name = {"external_reference_service_name": "fairlead"}
    assert ids(await account.get("/workspaces", **name)) == [str(one), str(two)]
    refs = {"external_reference_service_model_refs": "activation/2,activation/9"}
    assert ids(await account.get("/workspaces", **name, **refs)) == [str(two)]
    status, error = await account.refused(
        "GET", "/workspaces", external_reference_service_model_ref="activation/2"
    )
    assert (status, error["message"]) == (400, "external_reference_service_model_ref must be an integer")
    without = await account.get("/workspaces", without_external_reference_service_name="fairlead")
    assert str(one) not in ids(without)


async def test_the_list_of_references_takes_text(account: KantataAccount) -> None:
    workspace = await account.workspace(external_reference=reference("006AAA"))
    asked = {"subject_type": "Workspace", "service_name": "fairlead", "service_model_ref": "006AAA"}
    found = first(await account.get("/external_references", **asked))
    assert found["subject_id"] == str(workspace)
    sent = {"subject_type": "Workspace", "subject_id": workspace, **reference("006BBB")}
    again = await account.write("POST", "/external_references/create_or_update", {"external_reference": sent})
    assert again["id"] == found["id"], "one reference per record and service"
    assert (await account.get("/external_references", **asked))["results"] == []


async def test_archived_projects_are_hidden_unless_asked_for(account: KantataAccount) -> None:
    workspace = await account.workspace()
    await account.write("PUT", f"/workspaces/{workspace}", {"workspace": {"archived": True}})
    assert (await account.refused("GET", f"/workspaces/{workspace}"))[0] == 404
    assert str(workspace) not in ids(await account.get("/workspaces", only=str(workspace)))
    shown = await account.get(f"/workspaces/{workspace}", include_archived="true")
    assert first(shown)["archived"] is True
    story = {"workspace_id": workspace, "title": "Late", "story_type": "task"}
    status, error = await account.refused("POST", "/stories", {"story": story})
    assert (status, error["field"]) == (422, "workspace_id")


@pytest.mark.parametrize(
    ("fields", "status", "field"),
    [
        ({"title": None}, 422, "title"),
        ({"creator_role": "boss"}, 422, "creator_role"),
        ({"budgeted": True}, 422, "price"),
        ({"budgeted": True, "price": "100"}, 422, "price"),
        ({"currency": "ZZZ"}, 422, "currency"),
        ({"start_date": "01.12.2026"}, 422, "start_date"),
        ({"start_date": "2026-12-01", "due_date": "2026-11-30"}, 422, "due_date"),
        ({"status_key": 999}, 422, "status_key"),
        ({"workspace_group_ids": ["1"]}, 422, "workspace_group_ids"),
        ({"workspace_group_ids": [98765]}, 422, "workspace_group_ids"),
        ({"titel": "x"}, 400, None),
        ({"archived": True}, 400, None),
        ({"external_reference": {"service_name": "x"}}, 422, "external_reference.service_model"),
        ({"external_reference": reference("1", color="red")}, 400, None),
        ({"custom_fields": [{"custom_field_id": 9001, "value": "x"}]}, 422, "custom_fields"),
    ],
)
async def test_a_workspace_is_validated(
    account: KantataAccount, fields: dict[str, object], status: int, field: str | None
) -> None:
    sent = {"title": "Atlas", "creator_role": "maven", **fields}
    got, error = await account.refused("POST", "/workspaces", {"workspace": sent})
    assert (got, error.get("field")) == (status, field)
    assert error["type"] == ("system" if status == 400 else "validation")
    assert await account.effects() == []


@pytest.mark.parametrize(
    "body", [{}, {"workspaces": []}, {"workspace": {}, "x": 1}, {"workspace": []}, {"stories": [{}]}]
)
async def test_a_body_of_another_form_is_bad(account: KantataAccount, body: object) -> None:
    status, error = await account.refused("POST", "/workspaces", body)
    assert (status, error["type"]) == (400, "system")


async def test_a_misspelt_filter_or_order_is_bad(account: KantataAccount) -> None:
    for params in ({"workspace": "1"}, {"order": "colour:asc"}, {"updated_after": "today"}, {"page": "x"}):
        assert (await account.refused("GET", "/stories", **params))[0] == 400


@pytest.mark.parametrize(
    ("currency", "unit", "cents"), [("USD", 100, 50000), ("JPY", 1, 500), ("BHD", 1000, 500000)]
)
async def test_cents_are_base_units(account: KantataAccount, currency: str, unit: int, cents: int) -> None:
    workspace = await account.workspace(budgeted=True, price=500, currency=currency)
    shown = first(await account.get(f"/workspaces/{workspace}"))
    assert (shown["currency_base_unit"], shown["price_in_cents"]) == (unit, cents)


async def test_creates_and_updates_are_effects_under_their_key(account: KantataAccount) -> None:
    workspace = await account.workspace(external_reference=reference("a/1/project/1"))
    change = {"status_key": 300, "external_reference": reference("x", external_message="a/1/open/1")}
    for _ in range(2):
        await account.write("PUT", f"/workspaces/{workspace}", {"workspace": change})
    made, opened = await account.effects()
    assert (made["operation"], made["effect_key"], made["count"]) == ("create", "a/1/project/1", 1)
    assert (opened["operation"], opened["effect_key"], opened["count"]) == ("update", "a/1/open/1", 1)
    assert opened["fields"] == {"status_key": 300}
    assert opened["ids"] == [str(workspace)]
    await account.workspace(external_reference=reference("a/1/project/1"))
    assert (await account.effects(effect_key="a/1/project/1"))[0]["count"] == 2


def story_rows(workspace: int, *refs: str) -> list[dict[str, object]]:
    return [
        {
            "workspace_id": workspace,
            "title": ref,
            "story_type": "task",
            "external_reference": reference(f"a/1/plan/1#{ref}"),
        }
        for ref in refs
    ]


async def test_a_bulk_create_is_one_effect_and_all_or_nothing(account: KantataAccount) -> None:
    workspace = await account.workspace()
    rows = story_rows(workspace, "1", "2", "3")
    bad = [*rows[:2], {**rows[2], "story_type": "epic"}]
    assert (await account.refused("POST", "/stories", {"stories": bad}))[0] == 422
    assert ids(await account.get("/stories", workspace_id=workspace)) == []
    status, body = await account.call("POST", "/stories", {"stories": rows})
    assert status == 200
    (effect,) = await account.effects(object="stories")
    assert (effect["effect_key"], effect["count"]) == ("a/1/plan/1", 1)
    assert effect["ids"] == [",".join(ids(body))]
    await account.call("POST", "/stories", {"stories": rows[:1]})
    assert (await account.effects(object="stories"))[0]["count"] == 2, "a repeated row is a second effect"


async def test_a_partial_batch_is_completed_within_one_effect(account: KantataAccount) -> None:
    workspace = await account.workspace()
    rows = story_rows(workspace, "1", "2", "3")
    await account.arm("partial_batch", count=1)
    status, error = await account.refused("POST", "/stories", {"stories": rows})
    assert (status, error["message"]) == (422, "story 2 could not be saved")
    assert len(ids(await account.get("/stories", workspace_id=workspace))) == 1
    assert (await account.call("POST", "/stories", {"stories": rows[1:]}))[0] == 200
    (effect,) = await account.effects(object="stories")
    assert effect["count"] == 1
    assert [ref.partition("#")[2] for ref in effect["fields"]["rows"]] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("path", "limit"), [("stories", 300), ("billing_milestones", 100), ("workspace_resources", 200)]
)
async def test_bulk_limits(account: KantataAccount, path: str, limit: int) -> None:
    status, error = await account.refused("POST", f"/{path}", {path: [{}] * (limit + 1)})
    assert status == 400
    assert f"at most {limit} rows" in error["message"]


async def test_billing_milestones(account: KantataAccount) -> None:
    workspace = await account.workspace()
    fields = {"workspace_id": workspace, "title": "M1", "amount_in_cents": -2500}
    made = await account.write("POST", "/billing_milestones", {"billing_milestone": fields})
    assert (made["amount_in_cents"], made["billing_type"]) == (-2500, "fixed_date")
    upon = {**fields, "billing_type": "upon_completion"}
    status, error = await account.refused("POST", "/billing_milestones", {"billing_milestone": upon})
    assert (status, error["field"]) == (422, "story_id")
    assert (await account.call("DELETE", f"/billing_milestones/{made['id']}"))[0] == 204
    assert (await account.refused("GET", f"/billing_milestones/{made['id']}"))[0] == 404


async def test_people_without_a_project_need_on_my_account(account: KantataAccount) -> None:
    me = first(await account.get("/users/me"))
    asked = {"by_email_address": me["email_address"]}
    assert ids(await account.get("/users", **asked)) == []
    assert ids(await account.get("/users", **asked, on_my_account="true")) == [me["id"]]


async def test_a_template_gives_its_stories_to_a_new_project(account: KantataAccount) -> None:
    planned = [
        {
            "title": "Kick-off",
            "story_type": "task",
            "starts_after_days": 0,
            "due_after_days": 1,
            "billable": False,
        },
        {
            "title": "Live",
            "story_type": "milestone",
            "starts_after_days": 9,
            "due_after_days": 9,
            "billable": True,
        },
    ]
    data = {"title": "Roll-out", "description": "", "stories": planned, "role_ids": [str(account.role)]}
    template = account.store.create("project_templates", data, derived=True)
    workspace = await account.workspace(
        project_tracker_template_id=int(template.id),
        project_template_start_date="2026-12-01",
        project_template_create_unnamed_resources=True,
    )
    stories = (await account.get("/stories", workspace_id=workspace))["stories"].values()
    assert [(s["title"], s["due_date"]) for s in stories] == [
        ("Kick-off", "2026-12-02"),
        ("Live", "2026-12-10"),
    ]
    seats = await account.get("/workspace_resources", workspace_id=workspace, only_unnamed="true")
    assert first(seats)["role_name"] == "Test Pilot"
    assert len(await account.effects()) == 1, "what the vendor copies is no effect of its own"
