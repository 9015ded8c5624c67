"""Reading a vendor's answer into a model: schema drift becomes an error that names system, object, field."""

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from connectors.errors import Ambiguous, ConnectorError, Rejected


class VendorShape(BaseModel):
    """Base of vendor models: unknown fields are ignored, vendor names are used as aliases or as they are."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


Shape = TypeVar("Shape", bound=BaseModel)


def read_as(
    model: type[Shape],
    data: Any,
    *,
    system: str,
    thing: str,
    operation: str,
    write: bool = False,
    request_id: str = "",
) -> Shape:
    """`data` as `model`. `thing` is the vendor's object, such as `Opportunity`.

    Raises `Rejected` naming the fields that are missing or of another type; after a write `Ambiguous`,
    because the write itself was accepted.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise _drift(error, system, thing, operation, write, request_id) from None


def _drift(
    error: ValidationError, system: str, thing: str, operation: str, write: bool, request_id: str
) -> ConnectorError:
    problems = [
        (".".join(str(part) for part in item["loc"]) or "(the whole answer)", item["type"], item["msg"])
        for item in error.errors(include_url=False, include_input=False)
    ]
    words = "; ".join(f"{thing}.{place}: {message}" for place, _, message in problems[:5])
    missing = problems[0][1] == "missing"
    kind = Ambiguous if write else Rejected
    return kind(
        f"{system}: {operation}: the answer is not as documented: {words}",
        system=system,
        operation=operation,
        field=f"{thing}.{problems[0][0]}",
        rule="schema.missing_field" if missing else "schema.changed_field",
        request_id=request_id,
    )
