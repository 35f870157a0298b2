"""Skills: folders of instructions for agents, each with a ``SKILL.md`` (https://agentskills.io/specification)."""

from __future__ import annotations

import hashlib
import mimetypes
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from toolway.errors import ConfigurationError, DocumentError
from toolway.openapi import parse_yaml

__all__ = ["Skill", "SkillFile", "read_skills"]

_MAIN = "SKILL.md"
_NAME = re.compile(r"(?!.*--)[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_FRONTMATTER = re.compile(rb"---[ \t]*\r?\n(.*?)(?:^|\n)---[ \t]*(?:\r?\n|$)", re.DOTALL | re.MULTILINE)
_MOST_FILES = 512
_MOST_BYTES = 16 * 1024 * 1024
"""What every client has to take (io.modelcontextprotocol/skills, section Limits)."""
_LEFT_OUT = "__pycache__"


@dataclass(frozen=True, slots=True)
class SkillFile:
    """A file of a skill, as it was when it was read."""

    uri: str
    data: bytes
    media_type: str

    @property
    def digest(self) -> str:
        return f"sha256:{hashlib.sha256(self.data).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Skill:
    """A folder with a ``SKILL.md`` and whatever belongs to it."""

    frontmatter: Mapping[str, Any]
    """What stands at the head of ``SKILL.md``, word for word; ``name`` and ``description`` at least."""
    files: tuple[SkillFile, ...]
    """All files, ``SKILL.md`` first; those of skills within this one, too."""

    @property
    def uri(self) -> str:
        """The URI of its ``SKILL.md``, which is the skill's."""
        return self.files[0].uri

    def entry(self) -> dict[str, Any]:
        """The skill's entry in ``skills/list``."""
        resources = [{"uri": file.uri, "digest": file.digest, "size": len(file.data)} for file in self.files]
        return {"uri": self.uri, "frontmatter": dict(self.frontmatter), "resources": resources}

    def definition(self) -> dict[str, Any]:
        """The entry of its ``SKILL.md`` in ``resources/list``."""
        main = self.files[0]
        words = {key: self.frontmatter[key] for key in ("name", "description")}
        return {"uri": main.uri, **words, "mimeType": main.media_type}


def read_skills(folder: Path) -> tuple[Skill, ...]:
    """Read every skill in a folder, at whatever depth, in the order of their paths.

    Files and folders whose names begin with a dot are left out.

    Raises:
        ConfigurationError: there is no such folder, no skill in it, or one that clients would refuse.
    """
    if not folder.is_dir():
        raise ConfigurationError(f"expected a folder of skills, got {str(folder)!r}, which is none")
    root = folder.resolve()
    places = sorted(path.parent for path in _files(root, root) if path.name == _MAIN)
    if not places:
        raise ConfigurationError(f"expected folders with a {_MAIN} in {str(folder)!r}, found none")
    return tuple(_skill(root, place) for place in places)


def _files(root: Path, place: Path) -> Iterator[Path]:
    for path in sorted(place.iterdir()):
        if path.name.startswith(".") or path.name == _LEFT_OUT:
            continue
        if not path.resolve().is_relative_to(root):
            raise ConfigurationError(f"{str(path)!r} leads out of the folder of skills; copy what it points to")
        if path.is_dir():
            yield from _files(root, path)
        elif path.is_file():
            yield path


def _skill(root: Path, place: Path) -> Skill:
    paths = sorted(_files(root, place), key=lambda path: path != place / _MAIN)
    size = sum(path.stat().st_size for path in paths)
    if len(paths) > _MOST_FILES or size > _MOST_BYTES:
        raise ConfigurationError(
            f"the skill {place.name!r} has {len(paths):,} files of {size:,} bytes; clients take {_MOST_FILES} files of "
            f"{_MOST_BYTES:,} bytes together"
        )
    files = tuple(_file(root, path) for path in paths)
    return Skill(_frontmatter(place, files[0].data), files)


def _file(root: Path, path: Path) -> SkillFile:
    is_markdown = path.suffix.lower() == ".md"
    media_type = "text/markdown" if is_markdown else mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return SkillFile(f"skill://{quote(path.relative_to(root).as_posix())}", path.read_bytes(), media_type)


def _frontmatter(place: Path, text: bytes) -> Mapping[str, Any]:
    found = _FRONTMATTER.match(text.removeprefix(b"\xef\xbb\xbf"))
    try:
        fields: object = parse_yaml(found[1], _MAIN) if found else None
    except DocumentError as error:
        raise ConfigurationError(f"the head of {str(place / _MAIN)!r} cannot be read: {error}") from error
    if not isinstance(fields, dict):
        raise ConfigurationError(f"expected {str(place / _MAIN)!r} to begin with --- and its name and description")
    known = cast("dict[str, Any]", fields)
    if known.get("name") != place.name or not _NAME.fullmatch(place.name):
        raise ConfigurationError(
            f"{str(place / _MAIN)!r}: expected the name of its folder, of small letters, digits and single hyphens, "
            f"found {known.get('name')!r}"
        )
    if not isinstance(known.get("description"), str) or not known["description"].strip():
        raise ConfigurationError(f"{str(place / _MAIN)!r}: expected a description of what it is for, and when")
    return known
