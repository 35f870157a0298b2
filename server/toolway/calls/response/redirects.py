"""Where answers lead within the application, followed as a browser would: a redirect only to what is listed as a tool,
the Location of accepted work to whatever stands there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeAlias
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from toolway.calls.dispatcher import Reply
from toolway.calls.request.request_builder import Request
from toolway.catalog import Tool
from toolway.openapi import Operation

__all__ = ["Step", "followed", "is_sent_to_https", "located"]

Step: TypeAlias = tuple[Operation, Request, str]
"""The operation as which a request is sent, the request, and the name of the tool whose endpoint it reaches, if any."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_DOTS = frozenset({".", ".."})


def followed(
    tools: Iterable[Tool], request: Request, reply: Reply, *, here: str, root: str, otherwise: Operation | None = None
) -> Step | None:
    """Return the request that a redirect asks for, if it leads to one of these tools; `here` is where it came from.

    Others would widen what agents reach: they are sent as another operation only where there is one `otherwise`.
    """
    if reply.status not in _REDIRECTS:
        return None
    keeps_method = reply.status in {307, 308} or request.method in {"GET", "HEAD"}
    if not keeps_method:
        return located(tools, request, reply, here=here, root=root, otherwise=otherwise)
    return _led(tools, request, reply, here=here, root=root, otherwise=otherwise)


def located(
    tools: Iterable[Tool], request: Request, reply: Reply, *, here: str, root: str, otherwise: Operation | None = None
) -> Step | None:
    """Return the request that gets what is at an answer's Location, if one of these tools does (or see `followed`)."""
    request = replace(_without_body(request), method="GET")
    return _led(tools, request, reply, here=here, root=root, otherwise=otherwise)


def is_sent_to_https(request: Request, reply: Reply, *, here: str) -> bool:
    """Return whether the application sends a request to its own address under HTTPS, as middleware does for any."""
    keeps_request = reply.status in {307, 308} or (reply.status in {301, 302} and request.method == "GET")
    if not keeps_request or not here.startswith("http:"):
        return False
    try:
        own, target = urlsplit(here), urlsplit(urljoin(here, reply.header(b"location")))
    except ValueError:
        return False
    return target.scheme == "https" and (target.hostname, target.path) == (own.hostname, own.path)


def _led(
    tools: Iterable[Tool], request: Request, reply: Reply, *, here: str, root: str, otherwise: Operation | None
) -> Step | None:
    """The same request, sent to an answer's Location."""
    target = reply.header(b"location")
    address = _within(here, target) if target else None
    path = unquote(address.path) if address is not None else ""
    if address is None or not path.startswith(f"{root}/"):
        return None
    request = replace(
        request, path=path.removeprefix(root), redirect_query=address.query.encode(), parts=None, encoded_path=""
    )
    tool = _tool_at(tools, request)
    if tool is not None:
        return tool.operation, request, tool.name
    return (otherwise, request, "") if otherwise is not None and not _has_dots(target) else None


def _tool_at(tools: Iterable[Tool], request: Request) -> Tool | None:
    """The tool that the router would run; a walk, as redirects are rare."""
    for tool in tools:
        template, path = tool.operation.template, request.path
        if (
            tool.operation.method == request.method
            and template.pattern.fullmatch(path)
            and not template.is_shadowed(path)
        ):
            return tool
    return None


def _has_dots(target: str) -> bool:
    """Tell whether a path goes up: an argument that found its way into it may have chosen where to."""
    return not _DOTS.isdisjoint(unquote(urlsplit(target).path).split("/"))


def _within(here: str, target: str) -> SplitResult | None:
    """The address that a redirect leads to; None for another host, and for what is no address."""
    try:
        address = urlsplit(urljoin(here, target))
    except ValueError:
        return None
    stays = address.scheme in {"http", "https"} and address.netloc == urlsplit(here).netloc
    return address if stays else None


def _without_body(request: Request) -> Request:
    headers = [header for header in request.headers if header[0] != b"content-type"]
    return replace(request, body=None, headers=headers)
