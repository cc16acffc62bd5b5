"""Names that follow from what they name: the id of a push and its idempotency key (design D9)."""

import hashlib
import uuid

from codat_ar_cli.domain import jsontext
from codat_ar_cli.domain.ids import Identity, PushId

_PUSHES = uuid.UUID("6c1f5a0e-7f0c-5d57-9a53-0d4f0f2f7c31")
_KEYS = uuid.UUID("b0a6c2f4-3a52-5c8b-8a5e-92f6d1c7e04d")


def push_id(identity: Identity) -> PushId:
    """Give the id of the one push an identity can have; the same in every ledger."""
    return PushId(str(uuid.uuid5(_PUSHES, jsontext.dumps(_parts(identity)))))


def idempotency_key(identity: Identity, body_sha256: str, attempt: int) -> str:
    """Give the GUID for Codat's `Idempotency-Key` header.

    It follows from identity, body and attempt alone, so two ledgers that send the same bytes for the same
    document within Codat's window still make one record (design D9, reference §1.5).
    """
    return str(uuid.uuid5(_KEYS, jsontext.dumps([*_parts(identity), body_sha256, attempt])))


def body_sha256(body: str) -> str:
    """Hash a body as it is sent: its UTF-8 bytes."""
    return hashlib.sha256(body.encode()).hexdigest()


def _parts(identity: Identity) -> list[str]:
    return [
        identity.api_host,
        identity.company,
        identity.connection,
        identity.data_type.value,
        identity.source_system,
        identity.source_id,
    ]
