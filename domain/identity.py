"""Business identity: canonical ids, workflow ids and effect keys, each made in this one place.

An effect key is business identity / step / generation, such as `activation/acme/0065g.../psa.project/1`:
the same over retries, crashes, workflow resets and restored backups. The generation rises only by a
confirmed undo, so that a re-activation after a cancel is not mistaken for its undone forerunner.
"""

import base64
import hashlib
import re

_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,119}")


def canonical_id(kind: str, system: str, external_id: str) -> str:
    """`deal:salesforce:0065g...`: never random, the same in every system and run."""
    return f"{kind}:{system}:{external_id}"


def process_key(process: str, firm: str, business_key: str) -> str:
    """Identity and Temporal workflow id of a process: `<process>/<firm>/<business key>`.

    Raises `ValueError` when a part holds anything that would make the id ambiguous.
    """
    for part in (process, firm, business_key):
        if not _PART.fullmatch(part):
            raise ValueError(f"{part!r} cannot be part of an id: letters, digits, '.', '_', ':' and '-' only")
    return f"{process}/{firm}/{business_key}"


def effect_key(process: str, step: str, generation: int) -> str:
    """Key of one external write of one process."""
    return f"{process}/{step}/{generation}"


def customer_key(firm: str, customer: str, system: str) -> str:
    """Effect key of a customer in `system`: all deals of the customer share it, so it is made once."""
    return effect_key(process_key("customer", firm, customer), f"{system}.customer", 1)


def short_key(key: str) -> str:
    """`key` for fields too short for it: `fl` + 26 base32 characters of its SHA-256."""
    digest = hashlib.sha256(key.encode()).digest()
    return "fl" + base64.b32encode(digest).decode().rstrip("=")[:26].lower()


def project_number(entity: str, deal_external_id: str, generation: int) -> str:
    """Readable number of the project a deal becomes: `DE01-7K3QXW`, with `-2` after a re-activation."""
    digest = hashlib.sha256(deal_external_id.encode()).digest()
    code = base64.b32encode(digest).decode()[:6]
    return f"{entity}-{code}" if generation == 1 else f"{entity}-{code}-{generation}"


def content_hash(text: str) -> str:
    """SHA-256 of canonical text, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()
