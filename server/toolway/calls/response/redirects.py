"""Redirects and Locations within the application, resolved as a browser would.

A redirect is followed only to the endpoint of a listed tool, and the Location of an accepted job to any endpoint.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeAlias
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from toolway.calls.reply import Reply
from toolway.calls.request.request_builder import Request
from toolway.catalog import EndpointTool
from toolway.openapi import Operation

__all__ = ["Step", "is_https_redirect", "resolve_location", "resolve_redirect"]

Step: TypeAlias = tuple[Operation, Request, str]
"""The operation to send a request as, the request, and the name of the tool it reaches (empty if none)."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_DOTS = frozenset({".", ".."})


def resolve_redirect(
    tools: Iterable[EndpointTool],
    request: Request,
    reply: Reply,
    *,
    here: str,
    root: str,
    otherwise: Operation | None = None,
) -> Step | None:
    """Return the request that a redirect leads to, if that is the endpoint of one of these tools.

    Args:
        tools: the listed tools; following any other redirect would let agents reach more than these.
        request: the request that was redirected.
        reply: the redirect.
        here: the URL of the request.
        root: the root path of the application.
        otherwise: the operation to send the request as if it reaches no tool; None to send it nowhere.
    """
    if reply.status not in _REDIRECTS:
        return None
    keeps_method = reply.status in {307, 308} or request.method in {"GET", "HEAD"}
    if not keeps_method:
        return resolve_location(tools, request, reply, here=here, root=root, otherwise=otherwise)
    return _redirect(tools, request, reply, here=here, root=root, otherwise=otherwise)


def resolve_location(
    tools: Iterable[EndpointTool],
    request: Request,
    reply: Reply,
    *,
    here: str,
    root: str,
    otherwise: Operation | None = None,
) -> Step | None:
    """Return the GET request for the Location of a response, under the conditions of `resolve_redirect`."""
    request = replace(_without_body(request), method="GET")
    return _redirect(tools, request, reply, here=here, root=root, otherwise=otherwise)


def is_https_redirect(request: Request, reply: Reply, *, here: str) -> bool:
    """Return whether a reply redirects to the same URL over HTTPS, as middleware does for every request."""
    keeps_request = reply.status in {307, 308} or (reply.status in {301, 302} and request.method == "GET")
    if not keeps_request or not here.startswith("http:"):
        return False
    try:
        own, target = urlsplit(here), urlsplit(urljoin(here, reply.header(b"location")))
    except ValueError:
        return False
    return target.scheme == "https" and (target.hostname, target.path) == (own.hostname, own.path)


def _redirect(
    tools: Iterable[EndpointTool], request: Request, reply: Reply, *, here: str, root: str, otherwise: Operation | None
) -> Step | None:
    """Return the same request for the Location of a response."""
    target = reply.header(b"location")
    address = _resolve_url(here, target) if target else None
    path = unquote(address.path) if address is not None else ""
    if address is None or not path.startswith(f"{root}/"):
        return None
    request = replace(
        request, path=path.removeprefix(root), redirect_query=address.query.encode(), parts=None, encoded_path=""
    )
    tool = _find_tool(tools, request)
    if tool is not None:
        return tool.operation, request, tool.name
    return (otherwise, request, "") if otherwise is not None and not _has_dots(target) else None


def _find_tool(tools: Iterable[EndpointTool], request: Request) -> EndpointTool | None:
    """Return the tool that the router would run; a linear search is enough, as redirects are rare."""
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
    """Return whether a path has dot segments, with which an argument in it could choose another endpoint."""
    return not _DOTS.isdisjoint(unquote(urlsplit(target).path).split("/"))


def _resolve_url(here: str, target: str) -> SplitResult | None:
    """Return the URL that a redirect leads to; None for another host or an invalid URL."""
    try:
        address = urlsplit(urljoin(here, target))
    except ValueError:
        return None
    is_same_host = address.scheme in {"http", "https"} and address.netloc == urlsplit(here).netloc
    return address if is_same_host else None


def _without_body(request: Request) -> Request:
    headers = [header for header in request.headers if header[0] != b"content-type"]
    return replace(request, body=None, headers=headers)
