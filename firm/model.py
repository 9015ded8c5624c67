"""A firm as its files say, sound in itself. Secrets stand in it as references and are resolved on demand."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain.project_contract import BillingTerms
from domain.readiness import GateProfile
from domain.rules.fx import FxPolicy
from domain.selling import RateCard
from domain.tax_regimes import TaxRegimes
from firm import billing_terms, secrets
from firm.access_section import AccessSection
from firm.billing_sections import RatedBy
from firm.codec import CodecKeys
from firm.problems import written
from firm.sections import Access, Entity, FirmFile, System, Webhook
from firm.subscribers import Subscriber


@dataclass(frozen=True)
class Firm:
    file: Path
    parts: FirmFile
    profiles: tuple[GateProfile, ...]
    taxes: TaxRegimes
    cards: Mapping[str, RateCard]
    hash: str
    """SHA-256 over all files of the firm."""

    @property
    def id(self) -> str:
        return self.parts.firm.id

    @property
    def name(self) -> str:
        return self.parts.firm.name

    @property
    def environment(self) -> str:
        return self.parts.firm.environment

    @property
    def folder(self) -> Path:
        return self.file.parent

    @property
    def entities(self) -> tuple[Entity, ...]:
        return self.parts.entities

    @property
    def systems(self) -> dict[str, System]:
        return self.parts.systems

    @property
    def people(self) -> dict[str, Access]:
        return self.parts.people

    @property
    def access(self) -> AccessSection | None:
        """How callers prove who they are; None leaves the door open."""
        return self.parts.access

    @property
    def webhooks(self) -> dict[str, Webhook]:
        return self.parts.webhooks

    @property
    def subscribers(self) -> dict[str, Subscriber]:
        return self.parts.subscribers

    def card(self, code: str) -> RateCard | None:
        """The rate card called `code`."""
        return self.cards.get(code)

    def billing_terms(self, entity: str, contract_number: str, currency: str) -> BillingTerms:
        """How a contract of `entity` is billed, by contract, then entity, then firm.

        Raises `KeyError` for an entity that is not there, `ValueError` when the file states the
        contract's amounts in another currency.
        """
        found = next((known for known in self.entities if known.code == entity), None)
        if found is None:
            raise KeyError(f"the firm's file has no entity {entity!r}; add it under [[entities]]")
        return billing_terms.billing_terms(self.parts, found, contract_number, currency)

    def fx_policy(self, rated_by: RatedBy) -> FxPolicy:
        """How old a published rate of this type may be."""
        return billing_terms.fx_policy(self.parts, rated_by)

    def task_queue(self, system: str) -> str:
        """The task queue of the account, before a lane's prefix. Raises `KeyError`."""
        return self.systems[system].task_queue or f"fairlead.{system}"

    def store_url(self, environ: Mapping[str, str] = os.environ) -> str | None:
        """The store's address, None for the file in Fairlead's home. Raises `secrets.SecretError`."""
        url = self.parts.store.url
        return self.secret(url, environ) if url and _is_reference(url) else url

    def codec_keys(self, environ: Mapping[str, str] = os.environ) -> CodecKeys | None:
        """Keys that seal what Temporal stores, None where nothing is. Raises `secrets.SecretError`."""
        section = self.parts.codec
        if section.active is None:
            return None
        keys = {id: self.secret(reference, environ) for id, reference in section.keys.items()}
        return CodecKeys(section.active, keys)

    def secret(self, reference: str, environ: Mapping[str, str] = os.environ) -> str:
        """What `reference` stands for, read now. Raises `secrets.SecretError`."""
        return secrets.resolve(reference, self.folder, environ)

    def access_file(self, environ: Mapping[str, str] = os.environ) -> Path | None:
        """Where the tokens of `[access]` are kept. Raises `secrets.SecretError`."""
        reference = self.access.tokens if self.access else None
        return secrets.file_of(reference, self.folder, environ) if reference else None

    def secret_references(self) -> Iterator[tuple[str, str]]:
        """Every reference of the file with the key it stands under."""
        for name, system in self.systems.items():
            for key, value in system.auth.items():
                if _is_reference(value):
                    yield written(("systems", name, "auth", key)), value
        for source, hook in self.webhooks.items():
            yield written(("webhooks", source, "secret")), hook.secret
            if hook.next_secret:
                yield written(("webhooks", source, "next_secret")), hook.next_secret
        for name, subscriber in self.subscribers.items():
            yield written(("subscribers", name, "secret")), subscriber.secret
            if subscriber.next_secret:
                yield written(("subscribers", name, "next_secret")), subscriber.next_secret
        if self.parts.store.url and _is_reference(self.parts.store.url):
            yield "store.url", self.parts.store.url
        for id, reference in self.parts.codec.keys.items():
            yield written(("codec", "keys", id)), reference

    def connector_settings(self, system: str, environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
        """What the connector of `system` is built from, secrets resolved: for its own settings model only.

        `auth.method` is the connector's `auth`; `max_in_flight` its `in_flight`. Raises `KeyError` for a
        system that is not there, `secrets.SecretError` for a secret that is not.
        """
        section = self.systems[system]
        auth = {
            key: self.secret(value, environ) if _is_reference(value) else value
            for key, value in section.auth.items()
        }
        method = {"auth": auth.pop("method")} if "method" in auth else {}
        cap = {"in_flight": section.max_in_flight} if section.max_in_flight else {}
        return {"base_url": section.base_url, **section.settings, **cap, **method, **auth}


def _is_reference(value: str) -> bool:
    return value.startswith(("env:", "file:", "keyring:"))
