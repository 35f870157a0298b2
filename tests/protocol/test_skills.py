"""Folders of skills, served under the official extension in both eras."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from tests.protocol.test_mounting import asked, running
from tests.protocol.wire import ERAS, HANDSHAKES, reply
from toolway import Settings, Toolway, agent_resource
from toolway.errors import ConfigurationError

pytestmark = pytest.mark.anyio

RETURNS = b"""---
name: returns
description: How to take goods back.
license: Apache-2.0
metadata: {version: "2.1", since: 2026-01-01, count: 3}
---

# Returns

See references/POLICY.md.
"""
NESTED = b"---\r\nname: gifts\r\ndescription: Returns of gifts.\r\n---\r\nAsk for the giver.\r\n"
FILES = {
    "shop/returns/SKILL.md": RETURNS,
    "shop/returns/references/POLICY.md": "Thirty days, Zoë.".encode(),
    "shop/returns/templates/label 1.png": b"\x89PNG\xff",
    "shop/returns/gifts/SKILL.md": NESTED,
    "shop/returns/.hidden": b"x",
    "shop/returns/__pycache__/x.pyc": b"x",
    "packing/SKILL.md": b"---\nname: packing\ndescription: How to pack.\n---\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, data in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path


def make_app() -> FastAPI:
    app = FastAPI()
    app.add_api_route("/page", agent_resource("shop://page")(lambda: "page"), operation_id="page")
    return app


async def ask(app: FastAPI, method: str, version: str = ERAS[0], **params: Any) -> dict[str, Any]:
    return reply(await asked(app, method=method, version=version, **params))


@pytest.mark.parametrize("version", ERAS)
async def test_every_skill_is_listed_with_all_of_its_files(folder: Path, version: str) -> None:
    app = Toolway(make_app(), skills=folder).mount().app
    async with running(app):
        result = (await ask(app, "skills/list", version))["result"]
        packing, returns, gifts = result["skills"]
        assert [skill["uri"] for skill in result["skills"]] == [
            "skill://packing/SKILL.md", "skill://shop/returns/SKILL.md", "skill://shop/returns/gifts/SKILL.md",
        ]  # fmt: skip
        assert returns["frontmatter"] == {
            "name": "returns", "description": "How to take goods back.", "license": "Apache-2.0",
            "metadata": {"version": "2.1", "since": "2026-01-01", "count": 3},
        }  # fmt: skip
        assert packing["frontmatter"]["name"] == "packing"
        files = {entry["uri"]: (entry["digest"], entry["size"]) for entry in returns["resources"]}
        expected = {
            f"skill://{name.replace(' ', '%20')}": (f"sha256:{hashlib.sha256(data).hexdigest()}", len(data))
            for name, data in FILES.items()
            if name.startswith("shop/returns/") and "." not in name.split("/")[2][:1] and "__" not in name
        }
        assert files == expected
        assert gifts["resources"][0]["size"] == len(NESTED)
        if version in HANDSHAKES:
            assert "ttlMs" not in result
        else:
            assert (result["ttlMs"], result["cacheScope"], result["resultType"]) == (60_000, "public", "complete")
        assert (await ask(app, "skills/get", version, uri=returns["uri"]))["result"]["skill"] == returns


async def test_files_are_resources_byte_for_byte(folder: Path) -> None:
    app = Toolway(make_app(), skills=str(folder)).mount().app
    async with running(app):
        listed = (await ask(app, "resources/list"))["result"]["resources"]
        assert {
            "uri": "skill://shop/returns/SKILL.md", "name": "returns", "description": "How to take goods back.",
            "mimeType": "text/markdown",
        } in listed  # fmt: skip
        assert listed[0]["uri"] == "shop://page"
        for skill in (await ask(app, "skills/list"))["result"]["skills"]:
            for entry in skill["resources"]:
                (contents,) = (await ask(app, "resources/read", uri=entry["uri"]))["result"]["contents"]
                data = contents["text"].encode() if "text" in contents else base64.b64decode(contents["blob"])
                assert f"sha256:{hashlib.sha256(data).hexdigest()}" == entry["digest"]
                assert len(data) == entry["size"]
        (picture,) = (await ask(app, "resources/read", uri="skill://shop/returns/templates/label%201.png"))["result"][
            "contents"
        ]
        assert picture["mimeType"] == "image/png"


async def test_folders_are_read_one_level_at_a_time(folder: Path) -> None:
    app = Toolway(make_app(), skills=folder).mount().app
    async with running(app):
        children = (await ask(app, "resources/directory/read", uri="skill://shop/returns"))["result"]["resources"]
        assert {(child["name"], child["mimeType"]) for child in children} == {
            ("SKILL.md", "text/markdown"), ("references", "inode/directory"), ("templates", "inode/directory"),
            ("gifts", "inode/directory"),
        }  # fmt: skip
        children = (await ask(app, "resources/directory/read", uri="skill://shop/returns/templates"))["result"]
        assert children["resources"] == [
            {"uri": "skill://shop/returns/templates/label%201.png", "name": "label 1.png", "mimeType": "image/png"}
        ]


async def test_what_is_not_there_is_invalid(folder: Path) -> None:
    app = Toolway(make_app(), skills=folder).mount().app
    async with running(app):
        for method, uri in (
            ("skills/get", "skill://nothing/SKILL.md"),
            ("skills/get", "skill://shop/returns/references/POLICY.md"),
            ("resources/directory/read", "skill://shop/returns/SKILL.md"),
            ("resources/directory/read", "skill://shop"),
            ("resources/read", "skill://shop/returns/.hidden"),
            ("resources/read", "skill://shop/returns/../returns/SKILL.md"),
            ("resources/read", "skill://../../etc/passwd"),
        ):
            assert (await ask(app, method, uri=uri))["error"]["code"] == -32602


@pytest.mark.parametrize("settings", [Settings(), Settings(stateful=True)])
async def test_the_extension_is_declared_only_where_there_are_skills(folder: Path, settings: Settings) -> None:
    with_skills = Toolway(FastAPI(), skills=folder, settings=settings).mount().app
    without = Toolway(make_app(), settings=settings).mount().app
    async with running(with_skills), running(without):
        capabilities = (await ask(with_skills, "server/discover"))["result"]["capabilities"]
        assert capabilities["extensions"]["io.modelcontextprotocol/skills"] == {"directoryRead": True}
        assert "resources" in capabilities
        assert "extensions" not in (await ask(without, "server/discover"))["result"]["capabilities"]
        assert (await ask(without, "skills/list"))["error"]["code"] == -32601


async def test_a_refresh_reads_skills_again(folder: Path) -> None:
    toolway = Toolway(make_app(), skills=folder).mount()
    async with running(toolway.app):
        (folder / "packing" / "SKILL.md").write_bytes(b"---\nname: packing\ndescription: Now better.\n---\n")
        toolway.refresh()
        skills = (await ask(toolway.app, "skills/list"))["result"]["skills"]
        assert skills[0]["frontmatter"]["description"] == "Now better."


def no_folder(folder: Path) -> str:
    (folder / "packing").rename(folder.parent / "elsewhere")
    return str(folder / "packing")


def no_skill(folder: Path) -> str:
    return str(folder / "shop" / "returns" / "references")


def written(text: bytes) -> Any:
    def write(folder: Path) -> str:
        (folder / "packing" / "SKILL.md").write_bytes(text)
        return str(folder)

    return write


def too_many_files(folder: Path) -> str:
    for number in range(512):
        (folder / "packing" / f"{number}.md").touch()
    return str(folder)


def too_much(folder: Path) -> str:
    with (folder / "packing" / "large.bin").open("wb") as file:
        file.truncate(16 * 1024 * 1024)
    return str(folder)


def a_way_out(folder: Path) -> str:
    (folder / "packing" / "passwd").symlink_to("/etc/passwd")
    return str(folder)


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (no_folder, "expected a folder"),
        (no_skill, "found none"),
        (written(b"# no head"), "to begin with ---"),
        (written(b"---\nname: [\n---\n"), "front matter"),
        (written(b"---\njust words\n---\n"), "to begin with ---"),
        (written(b"---\nname: other\ndescription: x\n---\n"), "to be that of its folder"),
        (written(b"---\nname: packing\n---\n"), "a description"),
        (too_many_files, "513 files"),
        (too_much, "at most 512 files"),
        (a_way_out, "links outside the folder"),
    ],
)
async def test_skills_that_clients_would_refuse_stop_the_start(folder: Path, spoil: Any, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Toolway(make_app(), skills=spoil(folder)).read_catalog()
    assert problem in str(caught.value)
