"""Security: every scheme, alone, combined, optional; a credential comes with the caller and is no argument."""

from __future__ import annotations

from base64 import b64encode
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, HTTPException, Response, Security
from fastapi.security import (
    APIKeyCookie,
    APIKeyHeader,
    APIKeyQuery,
    HTTPAuthorizationCredentials,
    HTTPBasic,
    HTTPBasicCredentials,
    HTTPBearer,
    HTTPDigest,
    OAuth2AuthorizationCodeBearer,
    OAuth2PasswordBearer,
    OAuth2PasswordRequestForm,
    OAuth2PasswordRequestFormStrict,
    OpenIdConnect,
    SecurityScopes,
)
from pydantic import BaseModel

from tests.fidelity.case import Chapter
from tests.fidelity.journal import effect

__all__ = ["chapter"]

chapter = Chapter("Security")
router, case = chapter.router, chapter.case

# Three identities beside the anonymous one: over stdio each of them is a process of its own.
READER = {"authorization": "Bearer reader"}
WRITER = {"authorization": "Bearer writer"}
BASIC = {"authorization": "Basic " + b64encode(b"ann:pass:w\xc3\xb6rd").decode()}
SCOPES = {"reader": ["items:read"], "writer": ["items:read", "items:write"]}


class User(BaseModel):
    name: str
    scopes: list[str] = []


# One scheme alone.


@router.get("/security/bearer")
async def security_bearer(
    found: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer(bearerFormat="JWT"))], q: str = "-"
) -> list[str]:
    return [found.scheme, found.credentials, q]


case(
    "bearer: given",
    "security_bearer",
    {"q": "x"},
    "GET /security/bearer",
    credentials=READER,
    withheld=["authorization", "Authorization", "found", "credentials", "token"],
)
case("bearer: missing", "security_bearer", {"q": "x"}, "GET /security/bearer")
case("bearer: another scheme", "security_bearer", {}, "GET /security/bearer", credentials=BASIC)
case(
    "bearer: as an argument",
    "security_bearer",
    {"authorization": "Bearer reader"},
    "GET /security/bearer",
    params={},
    may_stop_early=True,
)


@router.get("/security/basic")
async def security_basic(found: Annotated[HTTPBasicCredentials, Depends(HTTPBasic(realm="Desk"))]) -> list[str]:
    return [found.username, found.password]


case(
    "basic: given",
    "security_basic",
    {},
    "GET /security/basic",
    credentials=BASIC,
    withheld=["username", "password", "authorization"],
)
case("basic: missing", "security_basic", {}, "GET /security/basic")
case("basic: another scheme", "security_basic", {}, "GET /security/basic", credentials=READER)


@router.get("/security/digest")
async def security_digest(found: Annotated[HTTPAuthorizationCredentials, Depends(HTTPDigest())]) -> list[str]:
    return [found.scheme, found.credentials]


case("digest: missing", "security_digest", {}, "GET /security/digest")
case("digest: another scheme", "security_digest", {}, "GET /security/digest", credentials=READER)


@router.get("/security/key-header")
async def security_key_header(key: Annotated[str, Depends(APIKeyHeader(name="X-Api-Key"))], q: int = 0) -> list[Any]:
    return [key, q]


case(
    "key in a header: given",
    "security_key_header",
    {"q": 3},
    "GET /security/key-header",
    credentials={"x-api-key": "k-1"},
    withheld=["x-api-key", "X-Api-Key", "x_api_key", "key"],
    advertised={"q": {"type": "integer", "default": 0}},
)
case("key in a header: missing", "security_key_header", {}, "GET /security/key-header")
case(
    "key in a header: a wrong argument beside it",
    "security_key_header",
    {"q": "x"},
    "GET /security/key-header",
    credentials={"x-api-key": "k-1"},
)


@router.get("/security/key-query")
async def security_key_query(key: Annotated[str, Depends(APIKeyQuery(name="api_key"))], q: str = "-") -> list[str]:
    return [key, q]


case(
    "key in the query: given",
    "security_key_query",
    {"q": "a&api_key=mine"},
    "GET /security/key-query",
    credential_query={"api_key": "k&x=1"},
    withheld=["api_key", "key"],
)
case("key in the query: missing", "security_key_query", {"q": "x"}, "GET /security/key-query")


@router.get("/security/key-cookie")
async def security_key_cookie(key: Annotated[str, Depends(APIKeyCookie(name="session"))]) -> list[str]:
    return [key]


case(
    "key in a cookie: given",
    "security_key_cookie",
    {},
    "GET /security/key-cookie",
    credentials={"cookie": "session=s"},
    withheld=["session", "key"],
)
case("key in a cookie: missing", "security_key_cookie", {}, "GET /security/key-cookie", withheld=["session", "key"])


@router.get("/security/key-cookie-optional")
async def security_key_cookie_optional(
    key: Annotated[str | None, Depends(APIKeyCookie(name="session", auto_error=False))],
) -> list[str | None]:
    return [key]


case("key in a cookie: optional", "security_key_cookie_optional", {}, "GET /security/key-cookie-optional")


@router.get("/security/open-id")
async def security_open_id(token: Annotated[str, Depends(OpenIdConnect(openIdConnectUrl="/oidc"))]) -> list[str]:
    return [token]


case("OpenID Connect: given", "security_open_id", {}, "GET /security/open-id", credentials=READER, withheld=["token"])
case("OpenID Connect: missing", "security_open_id", {}, "GET /security/open-id")


@router.get("/security/authorization-code")
async def security_authorization_code(
    token: Annotated[
        str,
        Security(
            OAuth2AuthorizationCodeBearer("https://sso.example/authorize", "https://sso.example/token"), scopes=["a"]
        ),
    ],
) -> list[str]:
    return [token]


case(
    "authorization code: given",
    "security_authorization_code",
    {},
    "GET /security/authorization-code",
    credentials=READER,
)
case("authorization code: missing", "security_authorization_code", {}, "GET /security/authorization-code")


# OAuth2 with scopes, checked by nested dependencies.

oauth2 = OAuth2PasswordBearer("login", scopes={"items:read": "Read items.", "items:write": "Write items."})


async def current_user(needed: SecurityScopes, token: Annotated[str, Depends(oauth2)]) -> User:
    if token not in SCOPES:
        raise HTTPException(401, "Invalid token", {"WWW-Authenticate": f'Bearer scope="{needed.scope_str}"'})
    lacking = [scope for scope in needed.scopes if scope not in SCOPES[token]]
    if lacking:
        raise HTTPException(403, f"Not enough permissions: needs {' '.join(lacking)}")
    return User(name=token, scopes=needed.scopes)


async def reading_user(user: Annotated[User, Security(current_user, scopes=["items:read"])]) -> User:
    return user


Writer = Annotated[User, Security(current_user, scopes=["items:read", "items:write"])]


@router.get("/security/token")
async def security_token(token: Annotated[str, Depends(oauth2)]) -> list[str]:
    return [token]


case("OAuth2: given", "security_token", {}, "GET /security/token", credentials=READER, withheld=["token"])
case("OAuth2: missing", "security_token", {}, "GET /security/token")
case("OAuth2: another scheme", "security_token", {}, "GET /security/token", credentials=BASIC)


@router.get("/security/me")
async def security_me(user: Annotated[User, Security(reading_user, scopes=["profile"])]) -> User:
    return user


case("scopes: of the whole chain", "security_me", {}, "GET /security/me", credentials=BASIC)
case("scopes: lacking one", "security_me", {}, "GET /security/me", credentials=READER)


@router.post("/security/items/{item}", status_code=201)
async def security_write(item: str, user: Writer, price: Annotated[float, Header()]) -> Any:
    effect(f"{user.name} wrote {item}")
    return [item, price, user]


case(
    "scopes: enough",
    "security_write",
    {"item": "lamp", "price": 1.5},
    "POST /security/items/lamp",
    headers={"price": "1.5"},
    credentials=WRITER,
)
case(
    "scopes: too few",
    "security_write",
    {"item": "lamp", "price": 1.5},
    "POST /security/items/lamp",
    headers={"price": "1.5"},
    credentials=READER,
)
case(
    "scopes: no token",
    "security_write",
    {"item": "lamp", "price": 1.5},
    "POST /security/items/lamp",
    headers={"price": "1.5"},
)
case(
    "scopes: refused before the arguments are",
    "security_write",
    {"item": "lamp", "price": "x"},
    "POST /security/items/lamp",
    headers={"price": "x"},
)


# Several schemes.

key_header = APIKeyHeader(name="X-Api-Key", auto_error=False, scheme_name="HeaderKey", description="A key.")
key_query = APIKeyQuery(name="api_key", auto_error=False, scheme_name="QueryKey")
maybe_bearer = HTTPBearer(auto_error=False)


@router.get("/security/both")
async def security_both(
    token: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())],
    key: Annotated[str, Depends(APIKeyHeader(name="X-Tenant-Key"))],
) -> list[str]:
    return [token.credentials, key]


case(
    "both: given",
    "security_both",
    {},
    "GET /security/both",
    credentials={**READER, "x-tenant-key": "t"},
    withheld=["x-tenant-key", "key"],
)
case("both: only one", "security_both", {}, "GET /security/both", credentials=READER)
case("both: only the other", "security_both", {}, "GET /security/both", credentials={"x-tenant-key": "t"})


async def either_of(
    header: Annotated[str | None, Security(key_header)],
    query: Annotated[str | None, Security(key_query)],
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(maybe_bearer)],
) -> str:
    found = header or query or (bearer and bearer.credentials)
    if not found:
        raise HTTPException(401, {"need": "a key or a token"})
    return found


@router.get("/security/either")
async def security_either(found: Annotated[str, Depends(either_of)]) -> list[str]:
    return [found]


case(
    "either: the header",
    "security_either",
    {},
    "GET /security/either",
    credentials={"x-api-key": "h"},
    withheld=["header", "query", "x-api-key", "api_key"],
)
case("either: the query", "security_either", {}, "GET /security/either", credential_query={"api_key": "q"})
case("either: the token", "security_either", {}, "GET /security/either", credentials=READER)
case(
    "either: all of them",
    "security_either",
    {},
    "GET /security/either",
    credentials={**READER, "x-api-key": "h"},
    credential_query={"api_key": "q"},
)
case("either: none", "security_either", {}, "GET /security/either")


@router.get("/security/two-keys")
async def security_two_keys(
    key: Annotated[str, Depends(APIKeyHeader(name="X-First"))],
    other: Annotated[str, Depends(APIKeyHeader(name="X-Second"))],
) -> list[str]:
    """Two schemes with one name: a document has only the last."""
    return [key, other]


case(
    "two keys in headers",
    "security_two_keys",
    {},
    "GET /security/two-keys",
    credentials={"x-first": "1", "x-second": "2"},
    withheld=["x-first", "x-second"],
)
case(
    "two keys in headers: one is missing",
    "security_two_keys",
    {},
    "GET /security/two-keys",
    credentials={"x-first": "1"},
)


# Optional schemes, which let an anonymous caller in.


@router.get("/security/optional")
async def security_optional(
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(maybe_bearer)],
    basic: Annotated[HTTPBasicCredentials | None, Depends(HTTPBasic(auto_error=False))],
    token: Annotated[str | None, Depends(OAuth2PasswordBearer("login", auto_error=False))],
    header: Annotated[str | None, Depends(key_header)] = None,
) -> list[str | None]:
    return [bearer and bearer.credentials, basic and basic.username, token, header]


case("optional: nobody", "security_optional", {}, "GET /security/optional", withheld=["header", "token", "basic"])
case("optional: a token", "security_optional", {}, "GET /security/optional", credentials=READER)
case("optional: a user", "security_optional", {}, "GET /security/optional", credentials=BASIC)
case("optional: a key", "security_optional", {}, "GET /security/optional", credentials={"x-api-key": "h"})


# On a router and on a decorator, with nothing of it in the endpoint.

guarded = APIRouter(prefix="/security/guarded", dependencies=[Depends(current_user)])


@guarded.get("/inside")
async def security_guarded(number: int) -> list[int]:
    effect("inside")
    return [number]


case("router: given", "security_guarded", {"number": 1}, "GET /security/guarded/inside", credentials=READER)
case("router: missing", "security_guarded", {"number": 1}, "GET /security/guarded/inside")
case("router: wrong", "security_guarded", {"number": 1}, "GET /security/guarded/inside", credentials=BASIC)


@guarded.get("/write", dependencies=[Security(current_user, scopes=["items:write"])])
async def security_guarded_write() -> list[str]:
    return ["written"]


case("decorator: enough", "security_guarded_write", {}, "GET /security/guarded/write", credentials=WRITER)
case("decorator: too few", "security_guarded_write", {}, "GET /security/guarded/write", credentials=READER)
router.include_router(guarded)


# Authorization as an ordinary header parameter, and a parameter with the name of a key.


@router.get("/security/header-parameter")
async def security_header_parameter(authorization: Annotated[str | None, Header()] = None) -> list[str | None]:
    return [authorization]


case(
    "Authorization as a parameter: given",
    "security_header_parameter",
    {},
    "GET /security/header-parameter",
    credentials=READER,
    withheld=["authorization"],
)
case("Authorization as a parameter: missing", "security_header_parameter", {}, "GET /security/header-parameter")


# Logging in.


@router.post("/security/login")
async def security_login(form: Annotated[OAuth2PasswordRequestForm, Depends()], response: Response) -> dict[str, Any]:
    if form.password != "wonder land":
        raise HTTPException(400, "Incorrect username or password")
    effect(f"{form.username} logged in")
    response.headers["Cache-Control"] = "no-store"
    return {"access_token": form.username, "token_type": "bearer", "scopes": form.scopes, "grant": form.grant_type}


case(
    "login: right",
    "security_login",
    {"username": "alice", "password": "wonder land", "scope": "items:read items:write"},
    "POST /security/login",
    data={"username": "alice", "password": "wonder land", "scope": "items:read items:write"},
    advertised={"username": {"type": "string"}, "password": {"type": "string"}, "scope": {"default": ""}},
)
case(
    "login: wrong",
    "security_login",
    {"username": "alice", "password": "x"},
    "POST /security/login",
    data={"username": "alice", "password": "x"},
)
case(
    "login: the grant must be known",
    "security_login",
    {"username": "alice", "password": "wonder land", "grant_type": "implicit"},
    "POST /security/login",
    data={"username": "alice", "password": "wonder land", "grant_type": "implicit"},
)
case("login: no password", "security_login", {"username": "alice"}, "POST /security/login", data={"username": "alice"})


@router.post("/security/login-strict")
async def security_login_strict(form: Annotated[OAuth2PasswordRequestFormStrict, Depends()]) -> list[Any]:
    return [form.grant_type, form.username, form.client_id]


case(
    "strict login: right",
    "security_login_strict",
    {"grant_type": "password", "username": "a&b=c", "password": "p", "client_id": "é"},
    "POST /security/login-strict",
    data={"grant_type": "password", "username": "a&b=c", "password": "p", "client_id": "é"},
)
case(
    "strict login: without a grant",
    "security_login_strict",
    {"username": "a", "password": "p"},
    "POST /security/login-strict",
    data={"username": "a", "password": "p"},
)
