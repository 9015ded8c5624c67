"""Metadata resources: versions, limits, object list, describe.

Source: REST API developer guide, "Versions", "Limits", "Describe Global", "sObject Describe".
"""

from typing import Any

from sandbox.core.call import Answer, Call
from sandbox.salesforce import rows
from sandbox.salesforce.objects import ORG
from sandbox.salesforce.schema import Field, SObject

FIRST_VERSION, LAST_VERSION = 60, 68
_SEASONS = ("Spring", "Summer", "Winter")


def versions(call: Call) -> Answer:
    """`GET /services/data/`: open to all, not counted."""
    listed = []
    for number in range(FIRST_VERSION, LAST_VERSION + 1):
        year, season = 24 + (number - 60) // 3, _SEASONS[(number - 60) % 3]
        label = f"{season} '{year + (1 if season == 'Winter' else 0)}"
        listed.append({"label": label, "url": f"/services/data/v{number}.0", "version": f"{number}.0"})
    return Answer(200, listed)


def described(call: Call) -> Answer:
    """`GET /sobjects/{object}/describe`."""
    kind = rows.sobject(call.params["object"])
    children = [
        {"childSObject": child, "field": field, "relationshipName": name}
        for name, (child, field) in kind.children.items()
    ]
    body = {**_summary(kind, call.params["version"]), "fields": [_field(field) for field in kind.fields]}
    return Answer(200, {**body, "childRelationships": children})


def all_objects(call: Call) -> Answer:
    """`GET /sobjects`."""
    listed = [_summary(kind, call.params["version"]) for kind in ORG.objects.values()]
    return Answer(200, {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": listed})


def _summary(kind: SObject, version: str) -> dict[str, Any]:
    base = f"/services/data/{version}/sobjects/{kind.name}"
    return {
        "name": kind.name,
        "label": kind.name,
        "keyPrefix": kind.prefix,
        "custom": False,
        "queryable": True,
        "createable": kind.writable,
        "updateable": kind.writable,
        "deletable": kind.writable,
        "urls": {"sobject": base, "describe": f"{base}/describe", "rowTemplate": f"{base}/{{ID}}"},
    }


def _field(field: Field) -> dict[str, Any]:
    numeric = field.type in ("currency", "double", "percent", "int")
    values = [
        {"active": True, "defaultValue": value == field.default, "label": value, "value": value}
        for value in field.values
    ]
    return {
        "name": field.name,
        "label": field.name.removesuffix("__c").replace("_", " "),
        "type": field.type,
        "length": 0 if numeric else field.length,
        "precision": 18 if numeric else 0,
        "scale": field.scale,
        "nillable": not field.required and field.type not in ("boolean", "id"),
        "createable": field.createable,
        "updateable": field.updateable,
        "custom": field.custom,
        "externalId": field.external_id,
        "unique": False,
        "caseSensitive": False,
        "calculated": False,
        "defaultedOnCreate": field.default is not None or field.name == "OwnerId",
        "restrictedPicklist": field.restricted,
        "picklistValues": values,
        "referenceTo": [field.reference_to] if field.reference_to else [],
        "relationshipName": field.relationship or None,
        "filterable": field.type != "address",
        "sortable": field.type != "address",
    }
