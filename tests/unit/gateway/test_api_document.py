"""The interface's description is current, and says of every guarded address who may use it."""

import json

from domain.access import ALLOWED, Function, needed
from gateway.api_document import FILE, text


def test_the_file_is_what_the_app_says() -> None:
    assert FILE.read_text(encoding="utf-8") == text(), "run: python -m gateway.api_document"


def test_it_describes_bodies_roles_and_refusals() -> None:
    document = json.loads(FILE.read_text(encoding="utf-8"))
    asked = document["paths"]["/v1/projects"]["post"]
    assert asked["requestBody"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/ProjectRequest"
    }
    assert needed(Function.START_PROJECTS) in asked["description"]
    assert asked["security"] == [{"bearer": []}]
    assert {"200", "202", "401", "403", "503", "default"} <= set(asked["responses"])
    assert "security" not in document["paths"]["/healthz"]["get"]
    assert ALLOWED.keys() == set(Function)


def test_every_reference_leads_somewhere() -> None:
    content = FILE.read_text(encoding="utf-8")
    document = json.loads(content)
    named = {part.split('"')[0] for part in content.split("#/components/schemas/")[1:]}
    assert named <= set(document["components"]["schemas"])
