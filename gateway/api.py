"""The synchronous API `/v1`: other systems ask, and within two seconds have an answer or know who is slow."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter

from domain.policy import PolicySnapshot
from domain.selling import RateCard
from gateway import api_billing, api_customers, api_processes, api_projects
from gateway.api_systems import Systems
from gateway.dispatch import StartActivation
from gateway.temporal_link import TemporalLink
from runtime.settings import Settings
from store.ports import Store


@dataclass(frozen=True, slots=True)
class Api:
    """What the API knows of the firm beside its store."""

    policy: PolicySnapshot
    cards: Sequence[RateCard]
    systems: Systems


def routes(
    api: Api,
    settings: Settings,
    store: Store,
    temporal: TemporalLink,
    start: StartActivation,
    now: Callable[[], datetime],
) -> APIRouter:
    """All of `/v1` but its description."""
    router = APIRouter()
    router.include_router(api_customers.routes(api.policy, api.systems, now))
    router.include_router(api_projects.routes(api.policy, settings, store, temporal, api.systems, start))
    router.include_router(api_billing.routes(api.policy, api.cards, store, api.systems, now))
    router.include_router(api_processes.routes(store, api.policy.firm))
    return router
