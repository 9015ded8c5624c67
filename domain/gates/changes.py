"""A deal that changed at its source after the project was made from it."""

from domain.readiness import Finding, Gate, GateResult
from domain.selling import Deal

_NOT_COMPARED = {"version", "findings", "stage"}


def changed_since(baseline: Deal, deal: Deal) -> list[str]:
    """Canonical paths of what differs, such as `contract.value` or `lines[2].amount`."""
    before = baseline.model_dump(mode="json", exclude=_NOT_COMPARED)
    after = deal.model_dump(mode="json", exclude=_NOT_COMPARED)
    paths = [
        f"deal.{name}"
        for name in before
        if name not in ("customer", "contract") and before[name] != after[name]
    ]
    paths += [
        f"customer.{name}"
        for name in before["customer"]
        if before["customer"][name] != after["customer"][name]
    ]
    old, new = before["contract"] or {}, after["contract"] or {}
    paths += [
        f"contract.{name}" for name in {**old, **new} if name != "lines" and old.get(name) != new.get(name)
    ]
    return paths + _changed_lines(old.get("lines") or [], new.get("lines") or [])


def with_changes(result: GateResult, baseline: Deal, deal: Deal) -> GateResult:
    """`result` turned red, if it is the billing structure and the deal has changed since `baseline`."""
    if result.gate is not Gate.BILLING_STRUCTURE or result.state not in ("green", "red"):
        return result
    findings = [
        Finding(
            gate=Gate.BILLING_STRUCTURE,
            field=path,
            rule="deal.changed",
            message=f"{path} has changed in the CRM since the project was created: set it back, skip with "
            "a reason (it becomes a contract change), or compensate and activate again",
        )
        for path in changed_since(baseline, deal)
    ]
    if not findings:
        return result
    return result.with_changes(state="red", findings=(*result.findings, *findings))


def _changed_lines(old: list[dict[str, object]], new: list[dict[str, object]]) -> list[str]:
    before = {line["number"]: line for line in old}
    after = {line["number"]: line for line in new}
    paths = []
    for number in sorted({*before, *after}, key=str):
        was, now = before.get(number), after.get(number)
        if was is None or now is None:
            paths.append(f"lines[{number}]")
        else:
            paths += [f"lines[{number}].{name}" for name in was if was[name] != now.get(name)]
    return paths
