"""URIs of resources: strict parsing, and matching against RFC 6570 templates."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from urllib.parse import quote, unquote_to_bytes

from mcp.shared.path_security import contains_path_traversal
from mcp.shared.uri_template import InvalidUriTemplate, UriTemplate

from toolway.errors import ConfigurationError

__all__ = ["Template", "canonical"]

_MAX_LENGTH = 8192
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_PIECE = re.compile(r"%[0-9A-Fa-f]{2}|.", re.DOTALL)
_UNRESERVED = frozenset(string.ascii_letters + string.digits + "-._~")
_RESERVED = frozenset(":/?[]@!$&'()*+,;=")
_QUERY = ("?", "&")


def canonical(uri: str) -> str | None:
    """Return the normalized form of a URI, or None for an invalid one.

    Characters are percent-encoded only if they have to be (RFC 3986, section 6.2.2). A ``#`` is encoded as part of the
    path, as the URIs of resources have no fragments: ``orders://#W1``.
    """
    if len(uri) > _MAX_LENGTH or not _SCHEME.match(uri) or _CONTROLS.search(uri) or not _is_utf8(uri):
        return None
    scheme, colon, rest = uri.partition(":")
    return scheme.lower() + colon + "".join(_normalize(piece) for piece in _PIECE.findall(rest))


def _is_utf8(uri: str) -> bool:
    if re.search(r"%(?![0-9A-Fa-f]{2})", uri):
        return False
    try:
        unquote_to_bytes(uri).decode()
    except UnicodeError:
        return False
    return True


def _normalize(piece: str) -> str:
    if len(piece) == 1:
        return piece if piece in _UNRESERVED or piece in _RESERVED else quote(piece, safe="")
    plain = chr(int(piece[1:], 16))
    return plain if plain in _UNRESERVED else piece.upper()


class Template:
    """A URI with variables.

    Raises:
        ConfigurationError: the template is invalid or ambiguous.
    """

    def __init__(self, text: str) -> None:
        try:
            self._template = UriTemplate.parse(text)
        except InvalidUriTemplate as error:
            raise ConfigurationError(f"invalid URI template {text!r}: {error}") from error
        if "#" in text or not _SCHEME.match(text.partition("{")[0]):
            raise ConfigurationError(
                f"expected a URI with a scheme and no fragment, such as 'orders://{{id}}', got {text!r}"
            )
        self._in_path = {entry.name for entry in self._template.variables if entry.operator not in _QUERY}

    @property
    def names(self) -> frozenset[str]:
        """The names of the variables."""
        return frozenset(self._template.variable_names)

    @property
    def exploded(self) -> frozenset[str]:
        """The names of the variables with several values, each in a segment of its own."""
        return frozenset(entry.name for entry in self._template.variables if entry.explode)

    def values(self, uri: str) -> Mapping[str, str | list[str]] | None:
        """Return the values of the variables in a canonical URI; None if the URI does not match.

        A URI whose values contain ``..`` as a segment does not match.
        """
        values = self._template.match(uri, max_uri_length=_MAX_LENGTH)
        if values is None or any(contains_path_traversal(text) for text in self._segments(values)):
            return None
        return values

    def _segments(self, values: Mapping[str, str | list[str]]) -> Iterator[str]:
        for name, value in values.items():
            if name in self._in_path:
                yield value if isinstance(value, str) else "/".join(value)
