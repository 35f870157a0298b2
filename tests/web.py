"""httpx2 with a timeout that suits a slow machine on which several processes run tests; its default is five seconds."""

from __future__ import annotations

from functools import partial

import httpx2

__all__ = ["AsyncClient", "Client", "delete", "get", "head", "options", "post", "put", "request", "stream"]

_SECONDS = 40

AsyncClient = partial(httpx2.AsyncClient, timeout=_SECONDS)
Client = partial(httpx2.Client, timeout=_SECONDS)
delete = partial(httpx2.delete, timeout=_SECONDS)
get = partial(httpx2.get, timeout=_SECONDS)
head = partial(httpx2.head, timeout=_SECONDS)
options = partial(httpx2.options, timeout=_SECONDS)
post = partial(httpx2.post, timeout=_SECONDS)
put = partial(httpx2.put, timeout=_SECONDS)
request = partial(httpx2.request, timeout=_SECONDS)
stream = partial(httpx2.stream, timeout=_SECONDS)
