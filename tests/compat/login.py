"""An authorization server with one registered public client, and a browser that accepts every login."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
from fastapi import FastAPI, Form, Request
from fastapi.responses import JSONResponse, RedirectResponse
from mcp.client.auth import AuthorizationCodeResult
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken

TOKEN = "let-me-in"
CALLBACK = "http://127.0.0.1:3030/callback"


@dataclass
class Login:
    """The server, and a record of its requests."""

    app: FastAPI = field(default_factory=FastAPI)
    logins: list[dict[str, list[str]]] = field(default_factory=list)
    exchanges: list[dict[str, str]] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)
    broken: bool = False

    def __post_init__(self) -> None:
        self.app.get("/.well-known/oauth-authorization-server", response_model=None)(self.metadata)
        self.app.get("/login", response_model=None)(self.login)
        self.app.post("/token", response_model=None)(self.token)

    async def metadata(self, request: Request) -> Any:
        if self.broken:
            return JSONResponse({}, 500)
        base = str(request.base_url).rstrip("/")
        return {
            "issuer": base,
            "authorization_endpoint": base + "/login",
            "token_endpoint": base + "/token",
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code"],
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
            **self.extra,
        }

    async def login(self, request: Request) -> RedirectResponse:
        asked = parse_qs(request.url.query)
        self.logins.append(asked)
        answer = {"code": asked["code_challenge"][0], "state": asked["state"][0]}
        return RedirectResponse(f"{asked['redirect_uri'][0]}?{urlencode(answer)}", 302)

    async def token(self, request: Request, code: Annotated[str, Form()], code_verifier: Annotated[str, Form()]) -> Any:
        self.exchanges.append({name: str(value) for name, value in (await request.form()).items()})
        digest = base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).rstrip(b"=").decode()
        if digest != code:
            return JSONResponse({"error": "invalid_grant"}, 400)
        return {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 600}


class Memory:
    """Storage of the SDK's client."""

    tokens: OAuthToken | None = None
    client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


class Browser:
    """Follows redirects until one leads back to the client."""

    answer: AuthorizationCodeResult | None = None

    async def open(self, url: str) -> None:
        async with httpx2.AsyncClient(timeout=40) as client:
            while not url.startswith(CALLBACK):
                url = (await client.get(url)).headers["location"]
        query = parse_qs(urlsplit(url).query)
        self.answer = AuthorizationCodeResult(code=query["code"][0], state=query["state"][0])

    async def come_back(self) -> AuthorizationCodeResult:
        assert self.answer is not None
        return self.answer
