"""Encrypted data is decrypted only unchanged, in its own context, and with a known key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolway.elicitation import DecryptionError, Seal

OLD, NEW = b"an old secret of the operator's own", b"a new secret of the operator's own"


@given(st.binary(), st.text())
def test_encrypted_data_is_decrypted(data: bytes, context: str) -> None:
    encrypted = Seal([OLD]).encrypt(data, context)
    assert Seal([OLD]).decrypt(encrypted, context) == data
    assert Seal([NEW, OLD]).decrypt(encrypted, context) == data


@given(st.data())
def test_changed_data_is_refused(data: st.DataObject) -> None:
    encrypted = Seal([OLD]).encrypt(b"a secret", "here")
    at = data.draw(st.integers(0, len(encrypted) - 1))
    changed = (
        bytes(encrypted[:at]) + bytes([encrypted[at] ^ data.draw(st.integers(1, 255))]) + bytes(encrypted[at + 1 :])
    )
    with pytest.raises(DecryptionError):
        Seal([OLD]).decrypt(changed, "here")


@pytest.mark.parametrize(("keys", "context"), [([NEW], "here"), ([OLD], "elsewhere")])
def test_data_of_another_key_or_context_is_refused(keys: list[bytes], context: str) -> None:
    with pytest.raises(DecryptionError):
        Seal(keys).decrypt(Seal([OLD]).encrypt(b"a secret", "here"), context)


def test_a_fingerprint_matches_while_its_key_is_known() -> None:
    fingerprint = Seal([OLD]).fingerprint(b"anna")
    assert Seal([NEW, OLD]).matches(fingerprint, b"anna")
    assert not Seal([NEW, OLD]).matches(fingerprint, b"eve")
    assert not Seal([NEW]).matches(fingerprint, b"anna")


def test_data_that_is_too_old_is_refused() -> None:
    encrypted = Seal([OLD]).encrypt(b"a secret", "here")
    assert Seal([OLD]).decrypt(encrypted, "here", seconds=60) == b"a secret"
    with pytest.raises(DecryptionError):
        Seal([OLD]).decrypt(encrypted, "here", seconds=0)
