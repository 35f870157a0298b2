"""The skills extension: ``skills/list``, ``skills/get``, and the files of skills as ``skill://`` resources.

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
from toolway.protocol.requests import RequestContext, check_cursor
from toolway.protocol.results import resource_contents
from toolway.protocol.uris import canonical
from toolway.protocol.versions import revision_for

__all__ = ["EXTENSION", "SkillFiles", "register_skills"]

EXTENSION = "io.modelcontextprotocol/skills"
_DIRECTORY = "inode/directory"


class SkillParams(RequestParams):
    """Parameters of ``skills/get``."""

    uri: str


class DirectoryParams(PaginatedRequestParams):
    """Parameters of ``resources/directory/read``."""

    uri: str


class SkillFiles:
    """The files and folders of skills, by URI."""

    def __init__(self, skills: Sequence[Skill], hint: CacheHint) -> None:
        self._hint = hint
        self._files = {canonical(file.uri) or file.uri: file for skill in skills for file in skill.files}
        self._folders: dict[str, dict[str, dict[str, Any]]] = {}
        for skill in skills:
            root = skill.uri.rpartition("/")[0]
            for file in skill.files:
                self._add(root, file)

    def _add(self, root: str, file: SkillFile) -> None:
        """Add a file to its folder, and each folder to its parent, up to the root folder of the skill."""
        child, media_type = file.uri, file.media_type
        while child != root:
            folder, _, name = child.rpartition("/")
            entry = {"uri": child, "name": unquote(name), "mimeType": media_type}
            self._folders.setdefault(canonical(folder) or folder, {})[child] = entry
            child, media_type = folder, _DIRECTORY

    def __contains__(self, uri: str) -> bool:
        return canonical(uri) in self._files

    def read(self, uri: str) -> ReadResourceResult | None:
        """Return the contents of a file, as text if it is UTF-8; None if there is no such file."""
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
        """Return the entries of a folder; None if there is no such folder."""
        found = self._folders.get(canonical(uri) or uri)
        return None if found is None else list(found.values())


def register_skills(server: Server[Any], skills: Sequence[Skill], files: SkillFiles, hint: CacheHint) -> None:
    """Serve the methods of the skills extension for these skills."""
    entries = {canonical(skill.uri): skill.entry() for skill in skills}

    def with_hint(context: RequestContext, result: Mapping[str, Any]) -> dict[str, Any]:
        if not revision_for(context.protocol_version).has_cache_hints:
            return dict(result)
        return {**result, "ttlMs": hint.ttl_ms, "cacheScope": hint.scope}

    async def list_skills(context: RequestContext, params: PaginatedRequestParams) -> dict[str, Any]:
        check_cursor(params)
        return with_hint(context, {"skills": list(entries.values())})

    async def get_skill(context: RequestContext, params: SkillParams) -> dict[str, Any]:
        entry = entries.get(canonical(params.uri))
        if entry is None:
            raise MCPError(INVALID_PARAMS, f"Unknown skill: {params.uri[:200]!r}", {"uri": params.uri})
        return with_hint(context, {"skill": entry})

    async def read_directory(_: RequestContext, params: DirectoryParams) -> dict[str, Any]:
        check_cursor(params)
        children = files.folder(params.uri)
        if children is None:
            raise MCPError(INVALID_PARAMS, f"Not a directory resource: {params.uri[:200]!r}", {"uri": params.uri})
        return {"resources": children}

    server.extensions[EXTENSION] = {"directoryRead": True}
    server.add_request_handler("skills/list", PaginatedRequestParams, list_skills)
    server.add_request_handler("skills/get", SkillParams, get_skill)
    server.add_request_handler("resources/directory/read", DirectoryParams, read_directory)
