"""What deploy/ configures fits the code: figures that are drawn or watched exist, targets answer."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.metrics import GatewayFigures
from runtime.metrics import WorkerFigures

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
ANYWHERE = "0.0.0.0"  # noqa: S104  compared, not bound
DASHBOARDS = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))
_NAME = re.compile(r"\bfairlead_[a-z_]+")
_LABELS = re.compile(r"by \(([a-z_, ]+)\)")
_SELECTED = re.compile(r"(fairlead_[a-z_]+)\{([^}]*)\}")


def read_yaml(*place: str) -> Any:
    return yaml.safe_load(DEPLOY.joinpath(*place).read_text(encoding="utf-8"))


def figures() -> dict[str, set[str]]:
    """Name of each sample that we tell -> its labels."""
    found: dict[str, set[str]] = {}
    for registry in (WorkerFigures({}).registry, GatewayFigures().registry):
        for collector in registry._collector_to_names:
            described: Any = collector
            labels = set(described._labelnames)
            name, kind = described._name, described._type
            endings = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"]}.get(kind, [""])
            for ending in endings:
                found[name + ending] = labels | ({"le"} if ending == "_bucket" else set())
    return found


def expressions() -> list[tuple[str, str]]:
    """Each query with where it stands."""
    found = []
    for file in DASHBOARDS:
        for panel in json.loads(file.read_text(encoding="utf-8"))["panels"]:
            found += [(f"{file.name}: {panel['title']}", target["expr"]) for target in panel["targets"]]
    for group in read_yaml("prometheus", "alerts.yml")["groups"]:
        found += [(f"alerts.yml: {rule['alert']}", rule["expr"]) for rule in group["rules"]]
    return found


def test_there_is_something_to_check() -> None:
    assert len(DASHBOARDS) >= 1
    assert len(expressions()) >= 15
    assert {"fairlead_effects_total", "fairlead_gateway_request_seconds_bucket"} <= set(figures())


@pytest.mark.parametrize(("place", "query"), expressions(), ids=[place for place, _ in expressions()])
def test_a_query_names_figures_and_labels_that_exist(place: str, query: str) -> None:
    known, used = figures(), set(_NAME.findall(query))
    assert used or "up{" in query, f"{place} asks for nothing of ours"
    assert used <= set(known), f"{place} asks for {sorted(used - set(known))}, which nobody tells"
    labels = set().union(*(known[name] for name in used)) if used else set()
    grouped = {label.strip() for group in _LABELS.findall(query) for label in group.split(",")}
    assert grouped <= labels, f"{place} groups by {sorted(grouped - labels)}"
    for name, selection in _SELECTED.findall(query):
        assert set(re.findall(r"([a-z_]+)=", selection)) <= known[name], (
            f"{place} selects by what is not told"
        )


def test_every_figure_of_ours_is_looked_at() -> None:
    """What nobody draws or watches need not be measured."""
    used = {name for _, query in expressions() for name in _NAME.findall(query)}
    stems = {re.sub(r"_(total|bucket|count|sum)$", "", name) for name in used}
    told = {re.sub(r"_(total|bucket|count|sum)$", "", name) for name in figures()}
    assert told <= stems, sorted(told - stems)


def test_no_label_can_hold_an_id() -> None:
    allowed = {
        *("system", "outcome", "failure", "owner", "rule", "kind", "stage", "state"),
        *("route", "method", "status", "le"),
    }
    assert set().union(*figures().values()) <= allowed


def test_prometheus_asks_where_compose_lets_answer() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    worker, gateway = services["worker"]["environment"], services["gateway"]["environment"]
    told = {
        worker["FAIRLEAD_METRICS_ADDRESS"].replace(ANYWHERE, "worker"),
        worker["FAIRLEAD_SDK_METRICS_ADDRESS"].replace(ANYWHERE, "worker"),
        "gateway:8400" if gateway["FAIRLEAD_METRICS_ADDRESS"] else "",
    }
    jobs = read_yaml("prometheus", "prometheus.yml")["scrape_configs"]
    asked = {target for job in jobs for config in job["static_configs"] for target in config["targets"]}
    assert asked == told


def test_grafana_finds_its_source_and_its_dashboards() -> None:
    (source,) = read_yaml("grafana", "provisioning", "datasources", "prometheus.yml")["datasources"]
    for file in DASHBOARDS:
        panels = json.loads(file.read_text(encoding="utf-8"))["panels"]
        assert {panel["datasource"]["uid"] for panel in panels} == {source["uid"]}
        assert len({panel["id"] for panel in panels}) == len(panels)
    (provider,) = read_yaml("grafana", "provisioning", "dashboards", "fairlead.yml")["providers"]
    grafana = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]["grafana"]
    mounted = {line.split(":")[1]: line.split(":")[0] for line in grafana["volumes"]}
    assert (ROOT / mounted[provider["options"]["path"]]).resolve() == (DEPLOY / "grafana" / "dashboards")


def test_traces_go_where_the_collector_listens() -> None:
    collector = read_yaml("otel", "collector.yml")
    port = collector["receivers"]["otlp"]["protocols"]["http"]["endpoint"].rpartition(":")[2]
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    assert f"OTEL_EXPORTER_OTLP_ENDPOINT: http://collector:{port}" in compose
    pipeline = collector["service"]["pipelines"]["traces"]
    for part in ("receivers", "processors", "exporters"):
        assert set(pipeline[part]) <= set(collector[part])
