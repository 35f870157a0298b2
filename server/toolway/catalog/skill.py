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
_MAX_FILES = 512
_MAX_BYTES = 16 * 1024 * 1024
"""Limits that every client must support (io.modelcontextprotocol/skills, section Limits)."""
_IGNORED_FOLDER = "__pycache__"


@dataclass(frozen=True, slots=True)
class SkillFile:
    """A file of a skill, with its content at the time of reading."""

    uri: str
    data: bytes
    media_type: str

    @property
    def digest(self) -> str:
        return f"sha256:{hashlib.sha256(self.data).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Skill:
    """A folder with a ``SKILL.md`` and all files in it."""

    frontmatter: Mapping[str, Any]
    """The unchanged front matter of ``SKILL.md``, with at least ``name`` and ``description``."""
    files: tuple[SkillFile, ...]
    """All files, ``SKILL.md`` first, including those of nested skills."""

    @property
    def uri(self) -> str:
        """The URI of the skill and of its ``SKILL.md``."""
        return self.files[0].uri

    def entry(self) -> dict[str, Any]:
        """Return the skill's entry in ``skills/list``."""
        resources = [{"uri": file.uri, "digest": file.digest, "size": len(file.data)} for file in self.files]
        return {"uri": self.uri, "frontmatter": dict(self.frontmatter), "resources": resources}

    def definition(self) -> dict[str, Any]:
        """Return the entry of ``SKILL.md`` in ``resources/list``."""
        main = self.files[0]
        texts = {key: self.frontmatter[key] for key in ("name", "description")}
        return {"uri": main.uri, **texts, "mimeType": main.media_type}


def read_skills(folder: Path) -> tuple[Skill, ...]:
    """Return every skill in a folder, at any depth, ordered by path.

    Files and folders whose names begin with a dot are ignored.

    Raises:
        ConfigurationError: the folder does not exist or has no skills, or clients would reject one of them.
    """
    if not folder.is_dir():
        raise ConfigurationError(f"expected a folder of skills, but {str(folder)!r} is not a folder")
    root = folder.resolve()
    folders = sorted(path.parent for path in _iter_files(root, root) if path.name == _MAIN)
    if not folders:
        raise ConfigurationError(f"expected a folder with a {_MAIN} in {str(folder)!r}, found none")
    return tuple(_read_skill(root, folder) for folder in folders)


def _iter_files(root: Path, folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name == _IGNORED_FOLDER:
            continue
        if not path.resolve().is_relative_to(root):
            raise ConfigurationError(
                f"{str(path)!r} links outside the folder of skills; copy its target into the folder"
            )
        if path.is_dir():
            yield from _iter_files(root, path)
        elif path.is_file():
            yield path


def _read_skill(root: Path, folder: Path) -> Skill:
    paths = sorted(_iter_files(root, folder), key=lambda path: path != folder / _MAIN)
    size = sum(path.stat().st_size for path in paths)
    if len(paths) > _MAX_FILES or size > _MAX_BYTES:
        raise ConfigurationError(
            f"the skill {folder.name!r} has {len(paths):,} files and {size:,} bytes; clients accept at most "
            f"{_MAX_FILES} files and {_MAX_BYTES:,} bytes"
        )
    files = tuple(_read_file(root, path) for path in paths)
    return Skill(_parse_frontmatter(folder, files[0].data), files)


def _read_file(root: Path, path: Path) -> SkillFile:
    is_markdown = path.suffix.lower() == ".md"
    media_type = "text/markdown" if is_markdown else mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return SkillFile(f"skill://{quote(path.relative_to(root).as_posix())}", path.read_bytes(), media_type)


def _parse_frontmatter(folder: Path, text: bytes) -> Mapping[str, Any]:
    found = _FRONTMATTER.match(text.removeprefix(b"\xef\xbb\xbf"))
    try:
        fields: object = parse_yaml(found[1], _MAIN) if found else None
    except DocumentError as error:
        raise ConfigurationError(f"the front matter of {str(folder / _MAIN)!r} is not valid: {error}") from error
    if not isinstance(fields, dict):
        raise ConfigurationError(f"expected {str(folder / _MAIN)!r} to begin with ---, a name and a description")
    known = cast("dict[str, Any]", fields)
    if known.get("name") != folder.name or not _NAME.fullmatch(folder.name):
        raise ConfigurationError(
            f"{str(folder / _MAIN)!r}: expected name to be that of its folder, in lower-case letters, digits and "
            f"single hyphens, found {known.get('name')!r}"
        )
    if not isinstance(known.get("description"), str) or not known["description"].strip():
        raise ConfigurationError(
            f"{str(folder / _MAIN)!r}: expected a description of what the skill does and when to use it"
        )
    return known
