"""The skills extension: skills by ``skills/list`` and ``skills/get``, and their files as ``skill://`` resources.

https://github.com/modelcontextprotocol/ext-skills (SEP-2640)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from mcp.server.caching import CacheHint
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    PaginatedRequestParams,
    ReadResourceResult,
    RequestParams,
)

from toolway.catalog import Skill, SkillFile
from toolway.content import ResourceContents
from toolway.protocol.context import Context
from toolway.protocol.pagination import check_page
from toolway.protocol.results import resource_contents
from toolway.protocol.uris import canonical
from toolway.protocol.versions import revision_for

__all__ = ["EXTENSION", "SkillFiles", "offer_skills"]

EXTENSION = "io.modelcontextprotocol/skills"
_DIRECTORY = "inode/directory"


class SkillParams(RequestParams):
    """Parameters of ``skills/get``."""

    uri: str


class DirectoryParams(PaginatedRequestParams):
    """Parameters of ``resources/directory/read``."""

    uri: str


class SkillFiles:
    """The files of skills, and the folders that they are in, by URI."""

    def __init__(self, skills: Sequence[Skill], hint: CacheHint) -> None:
        self._hint = hint
        self._files = {canonical(file.uri) or file.uri: file for skill in skills for file in skill.files}
        self._folders: dict[str, dict[str, dict[str, Any]]] = {}
        for skill in skills:
            root = skill.uri.rpartition("/")[0]
            for file in skill.files:
                self._place(root, file)

    def _place(self, root: str, file: SkillFile) -> None:
        """Enter a file in its folder, and each folder in the one above, up to the skill's own."""
        child, media_type = file.uri, file.media_type
        while child != root:
            folder, _, name = child.rpartition("/")
            entry = {"uri": child, "name": unquote(name), "mimeType": media_type}
            self._folders.setdefault(canonical(folder) or folder, {})[child] = entry
            child, media_type = folder, _DIRECTORY

    def __contains__(self, uri: str) -> bool:
        return canonical(uri) in self._files

    def read(self, uri: str) -> ReadResourceResult | None:
        """Return what a file holds: text where it is text, byte for byte; None where there is no such file."""
        file = self._files.get(canonical(uri) or uri)
        if file is None:
            return None
        try:
            contents = ResourceContents(uri=uri, mime_type=file.media_type, text=file.data.decode())
        except UnicodeError:
            contents = ResourceContents(uri=uri, mime_type=file.media_type, blob=file.data)
        return ReadResourceResult(
            contents=[resource_contents(contents, uri)], ttl_ms=self._hint.ttl_ms, cache_scope=self._hint.scope
        )

    def folder(self, uri: str) -> list[dict[str, Any]] | None:
        """Return what is in a folder; None where there is none."""
        found = self._folders.get(canonical(uri) or uri)
        return None if found is None else list(found.values())


def offer_skills(server: Server[Any], skills: Sequence[Skill], files: SkillFiles, hint: CacheHint) -> None:
    """Serve these skills, in place of what the server has served so far."""
    entries = {canonical(skill.uri): skill.entry() for skill in skills}

    def kept(context: Context, result: Mapping[str, Any]) -> dict[str, Any]:
        if not revision_for(context.protocol_version).has_cache_hints:
            return dict(result)
        return {**result, "ttlMs": hint.ttl_ms, "cacheScope": hint.scope}

    async def list_skills(context: Context, params: PaginatedRequestParams) -> dict[str, Any]:
        check_page(params)
        return kept(context, {"skills": list(entries.values())})

    async def get_skill(context: Context, params: SkillParams) -> dict[str, Any]:
        entry = entries.get(canonical(params.uri))
        if entry is None:
            raise MCPError(INVALID_PARAMS, f"No skill is served at {params.uri[:200]}", {"uri": params.uri})
        return kept(context, {"skill": entry})

    async def read_directory(_: Context, params: DirectoryParams) -> dict[str, Any]:
        check_page(params)
        children = files.folder(params.uri)
        if children is None:
            raise MCPError(INVALID_PARAMS, f"{params.uri[:200]} is not a directory resource", {"uri": params.uri})
        return {"resources": children}

    server.extensions[EXTENSION] = {"directoryRead": True}
    server.add_request_handler("skills/list", PaginatedRequestParams, list_skills)
    server.add_request_handler("skills/get", SkillParams, get_skill)
    server.add_request_handler("resources/directory/read", DirectoryParams, read_directory)
