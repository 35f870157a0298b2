"""What is sealed is opened only with a key, at its own place, and as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolway.elicitation import BrokenSealError, Seal

OLD, NEW = b"an old secret of the operator's own", b"a new secret of the operator's own"


@given(st.binary(), st.text())
def test_what_was_sealed_is_opened_again(text: bytes, place: str) -> None:
    sealed = Seal([OLD]).close(text, place)
    assert Seal([OLD]).open(sealed, place) == text
    assert Seal([NEW, OLD]).open(sealed, place) == text


@given(st.data())
def test_what_was_changed_is_not_opened(data: st.DataObject) -> None:
    sealed = Seal([OLD]).close(b"a secret", "here")
    at = data.draw(st.integers(0, len(sealed) - 1))
    changed = bytes(sealed[:at]) + bytes([sealed[at] ^ data.draw(st.integers(1, 255))]) + bytes(sealed[at + 1 :])
    with pytest.raises(BrokenSealError):
        Seal([OLD]).open(changed, "here")


@pytest.mark.parametrize(("keys", "place"), [([NEW], "here"), ([OLD], "elsewhere")])
def test_another_key_or_another_place_opens_nothing(keys: list[bytes], place: str) -> None:
    with pytest.raises(BrokenSealError):
        Seal(keys).open(Seal([OLD]).close(b"a secret", "here"), place)


def test_a_fingerprint_fits_while_its_key_is_known() -> None:
    mark = Seal([OLD]).fingerprint(b"anna")
    assert Seal([NEW, OLD]).fits(mark, b"anna")
    assert not Seal([NEW, OLD]).fits(mark, b"eve")
    assert not Seal([NEW]).fits(mark, b"anna")


def test_what_is_too_old_is_not_opened() -> None:
    sealed = Seal([OLD]).close(b"a secret", "here")
    assert Seal([OLD]).open(sealed, "here", seconds=60) == b"a secret"
    with pytest.raises(BrokenSealError):
        Seal([OLD]).open(sealed, "here", seconds=0)
