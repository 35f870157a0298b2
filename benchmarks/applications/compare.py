"""One tool call and the plain HTTP request that it stands for."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import anyio
import httpx2
from applications import Application, Call
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

__all__ = ["Comparison", "compare"]

PATIENCE = 30
ERAS = {"2026-07-28": "auto", "handshake": "legacy"}


@dataclass(frozen=True, slots=True)
class Comparison:
    """How one call went; an empty difference means that both answers are the same."""

    era: str
    tool: str
    request: str
    status: int
    difference: str = ""
    left_out: str = ""
    """Why the answers cannot be compared."""


async def compare(
    app: Application, calls: Sequence[Call], url: str, base: str, filled: Callable[[str], str]
) -> list[Comparison]:
    """Make calls to an application in both eras, beside their HTTP requests."""
    async with httpx2.AsyncClient(base_url=base, timeout=60) as web:
        if app.token:
            web.headers["authorization"] = f"Bearer {app.token}"
        if app.login is not None:
            answer = await _send(web, app.login, filled)
            web.headers["authorization"] = f"Bearer {answer.raise_for_status().json()[app.login.tool]}"
        found: list[Comparison] = []
        for era, mode in ERAS.items():
            async with (
                httpx2.AsyncClient(headers=_credentials(web), timeout=60) as carrier,
                Client(streamable_http_client(url, http_client=carrier), mode=mode) as mcp,
            ):
                found += [await _compared(era, call, mcp, web, filled) for call in calls]
        return found


def _credentials(web: httpx2.AsyncClient) -> dict[str, str]:
    return {"authorization": web.headers["authorization"]} if "authorization" in web.headers else {}


async def _send(web: httpx2.AsyncClient, call: Call, filled: Callable[[str], str]) -> httpx2.Response:
    method, path = filled(call.request).split(" ", 1)
    return await web.request(method, path, json=call.body) if call.body is not None else await web.request(method, path)


async def _compared(
    era: str, call: Call, mcp: Client, web: httpx2.AsyncClient, filled: Callable[[str], str]
) -> Comparison:
    found = partial(Comparison, era, call.tool, call.request)
    try:
        with anyio.fail_after(PATIENCE):
            answer = await _send(web, call, filled)
            difference = await _call(call, mcp, web, answer, filled)
            if difference and _changes(answer, await _send(web, call, filled)):
                return found(answer.status_code, left_out="the answer changes from one HTTP request to the next")
            return found(answer.status_code, difference)
    except TimeoutError:
        return found(0, left_out=f"no answer within {PATIENCE} s")


async def _call(
    call: Call, mcp: Client, web: httpx2.AsyncClient, answer: httpx2.Response, filled: Callable[[str], str]
) -> str:
    arguments = {key: filled(value) if isinstance(value, str) else value for key, value in call.arguments.items()}
    try:
        result = await mcp.call_tool(call.tool, arguments)
        while not _is_told(answer, result) and (further := _further(web, answer)) is not None:
            answer = await web.send(further)
        return "" if _is_told(answer, result) else _difference(result, answer)
    except Exception as error:  # noqa: BLE001 - the server's code runs behind this
        return f"the call failed: {type(error).__name__}: {error}"


def _is_told(answer: httpx2.Response, result: Any) -> bool:
    """Return whether a result describes a response without a body in words, such as a redirect to no tool."""
    if answer.status_code >= 400 or answer.content or result.is_error:
        return False
    told = _body(result).decode()
    return f"{answer.status_code} " in told and answer.headers.get("location", "") in told


def _further(web: httpx2.AsyncClient, answer: httpx2.Response) -> httpx2.Request | None:
    """The request that a redirect within the application asks for: toolway follows those that lead to tools."""
    further = answer.next_request
    return further if further is not None and further.url.netloc == web.base_url.netloc else None


def _changes(answer: httpx2.Response, later: httpx2.Response) -> bool:
    return (answer.status_code, answer.content) != (later.status_code, later.content)


def _difference(result: Any, answer: httpx2.Response) -> str:
    if answer.status_code >= 400:
        return _refusal_difference(result, answer)
    if result.is_error:
        return f"HTTP answers {answer.status_code}, the tool fails: {_body(result)[:200]!r}"
    sent, got = answer.content, _body(result)
    if sent == got or _as_json(sent) == _as_json(got) is not None:
        return ""
    return f"HTTP answers {sent[:100]!r}, the tool {got[:100]!r}"


def _refusal_difference(result: Any, answer: httpx2.Response) -> str:
    if not result.is_error:
        return f"HTTP answers {answer.status_code}, the tool {_body(result)[:100]!r}"
    told = (result.meta or {}).get("toolway/error", {})
    if told.get("status") != answer.status_code:
        return f"HTTP answers {answer.status_code}, the tool answers {told.get('status')}"
    if answer.status_code == 500:
        return ""  # agents get a reference id instead of its text
    body = _as_json(answer.content)
    detail = body.get("detail") if isinstance(body, dict) else answer.text if body is None else body
    if "problems" in told and isinstance(detail, list):
        wanted = [entry["msg"] for entry in detail]
        given = [problem["message"] for problem in told["problems"]]
        return "" if given == wanted else f"HTTP answers {wanted}, the tool {given}"
    return "" if told.get("detail") in (detail, body) else f"HTTP answers {detail!r}, the tool {told.get('detail')!r}"


def _body(result: Any) -> bytes:
    (block,) = result.content
    if (text := getattr(block, "text", None)) is not None:
        return text.encode()
    held = getattr(block, "resource", block)
    data = getattr(held, "data", None) or getattr(held, "blob", None)
    return base64.b64decode(data) if data else str(getattr(held, "text", "")).encode()


def _as_json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return None
