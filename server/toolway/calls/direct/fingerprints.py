"""Fingerprints of the FastAPI and Starlette functions that direct calls rely on.

Direct calls do a part of what these functions do, in the same way. A fingerprint is a hash of a function's source text,
so a release that does not touch any of them keeps direct calls on. ``make fingerprints`` records those of the installed
versions, once their changes have been reviewed.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from functools import cache, reduce
from hashlib import sha256
from importlib import import_module
from importlib.resources import files
from textwrap import dedent
from types import CodeType
from typing import TypeAlias

__all__ = ["Known", "changed_functions", "fingerprint", "known_fingerprints", "source_of"]

Known: TypeAlias = Mapping[str, Mapping[str, str]]
"""By the full name of a function: its fingerprints, each with the versions that it was recorded from."""


@cache
def known_fingerprints() -> Known:
    """Return the recorded fingerprints."""
    return json.loads(files(__package__ or "").joinpath("fingerprints.json").read_bytes())


def changed_functions() -> list[str]:
    """Return the full names of the functions whose source text is not a recorded one."""
    return [name for name, known in known_fingerprints().items() if fingerprint(source_of(name)) not in known]


def source_of(name: str) -> str:
    """Return the source text of a function; empty where it does not exist or has no source."""
    module, _, path = name.partition(":")
    try:
        function: object = reduce(getattr, path.split("."), import_module(module))
    except (ImportError, AttributeError):
        return ""
    code: object = getattr(function, "__code__", None)
    return _source_of_code(code) if isinstance(code, CodeType) else ""


@cache
def _source_of_code(code: CodeType) -> str:
    try:
        return dedent(inspect.getsource(code))
    except OSError:  # compiled without its source
        return ""


def fingerprint(source: str) -> str:
    return sha256(source.encode()).hexdigest()[:16]
