"""Formats: addresses, secrets, bytes, JSON in text, times, enums, and types with a schema of their own."""

from __future__ import annotations

import base64
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum, IntEnum, IntFlag
from fractions import Fraction
from ipaddress import IPv4Address, IPv4Network, IPv6Address
from pathlib import PurePosixPath
from re import Pattern
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import (
    UUID4,
    AnyHttpUrl,
    AnyUrl,
    AwareDatetime,
    Base64Bytes,
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    EmailStr,
    Field,
    FutureDate,
    HttpUrl,
    Json,
    NaiveDatetime,
    PlainSerializer,
    SecretBytes,
    SecretStr,
    WithJsonSchema,
)

from tests.fidelity.case import Chapter

__all__ = ["chapter"]

chapter = Chapter("Formats")
router, case = chapter.router, chapter.case


# Addresses.


class Addresses(BaseModel):
    email: EmailStr = "a@b.example"
    url: AnyUrl | None = None
    web: HttpUrl | None = None
    page: AnyHttpUrl | None = None
    ip: IPv4Address | None = None
    ip6: IPv6Address | None = None
    net: IPv4Network | None = None
    path: PurePosixPath | None = None
    key: UUID4 | None = None


@router.post("/values/addresses")
async def addresses(body: Addresses) -> Addresses:
    return body


ADDRESSES = {
    "email": "Ann.Lee@Example.COM",
    "url": "redis://:pw@host:1/0",
    "web": "https://example.com/é?q=1#f",
    "page": "http://localhost",
    "ip": "10.0.0.1",
    "ip6": "::1",
    "net": "10.0.0.0/8",
    "path": "a/../b c",
    "key": "16fd2706-8baf-433b-82eb-8c7fada847da",
}
case(
    "addresses",
    "addresses",
    ADDRESSES,
    "POST /values/addresses",
    advertised={"email": {"format": "email"}},
)
for name in ("email", "url", "web", "ip", "ip6", "net", "key"):
    case(
        f"addresses: {name} wrong",
        "addresses",
        {name: "no such thing"},
        "POST /values/addresses",
        schema_says="cannot tell",
        blames=[name],
    )


@router.get("/values/addresses/{ip}")
async def addresses_in_query(ip: IPv4Address, url: HttpUrl, email: Annotated[EmailStr, Query()]) -> list[Any]:
    return [ip, url, email]


case(
    "addresses: in path and query",
    "addresses_in_query",
    {"ip": "10.0.0.1", "url": "https://example.com/a?b=c&d", "email": "a+b@example.com"},
    "GET /values/addresses/10.0.0.1",
    params={"url": "https://example.com/a?b=c&d", "email": "a+b@example.com"},
    needs="fastapi 0.136",
)


# Secrets, bytes, JSON in text.


class Sealed(BaseModel):
    password: SecretStr
    token: SecretBytes = SecretBytes(b"")
    raw: bytes = b""
    packed: Base64Bytes = Base64Bytes(b"")
    parsed: Json[dict[str, int]] | None = None
    anything: Json[Any] = None
    size: ByteSize = ByteSize(0)


@router.post("/values/sealed")
async def sealed(body: Sealed) -> list[Any]:
    return [
        body.password, len(body.password.get_secret_value()), body.token, body.raw.hex(), body.packed.hex(),
        body.parsed, body.anything, body.size,
    ]  # fmt: skip


SEALED = {
    "password": "p w",
    "token": "t",
    "raw": "é",
    "packed": base64.b64encode(bytes(range(9))).decode(),
    "parsed": '{"a": 1}',
    "anything": "[null]",
    "size": "1.5 kB",
}
case(
    "secrets, bytes, JSON in text",
    "sealed",
    SEALED,
    "POST /values/sealed",
    advertised={"password": {"format": "password"}},
)
case(
    "secrets, bytes, JSON in text: wrong",
    "sealed",
    {"password": "p", "packed": "x", "parsed": "{", "size": "many"},
    "POST /values/sealed",
    schema_says="cannot tell",
    blames=["packed", "parsed", "size"],
)


class Packed(BaseModel):
    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64", ser_json_timedelta="float")

    data: bytes
    span: timedelta = timedelta(hours=1, seconds=0.5)


@router.post("/values/packed")
async def packed(body: Packed) -> Packed:
    return body


case("bytes in base64, durations in seconds", "packed", {"data": "AAEC/w=="}, "POST /values/packed")


# Times.


class Times(BaseModel):
    at: datetime | None = None
    aware: AwareDatetime | None = None
    naive: NaiveDatetime | None = None
    day: date | None = None
    later: FutureDate | None = None
    hour: time | None = None
    span: timedelta | None = None
    after: Annotated[datetime | None, Field(ge=datetime(2000, 1, 1, tzinfo=UTC))] = None


@router.post("/values/times")
async def times(body: Times) -> Times:
    return body


for title, values in {
    "zones": {"at": "2026-07-28T10:00:00+05:30", "aware": "2026-07-28T10:00:00Z", "naive": "2026-07-28T10:00:00"},
    "parts of a second": {"at": "2026-07-28T10:00:00.123456Z", "hour": "10:00:00.5"},
    "days": {"day": "2024-02-29", "later": "2999-01-01"},
    "long and negative durations": {"span": "-P3DT4H5M6.5S"},
}.items():
    case(f"times: {title}", "times", values, "POST /values/times")
case(
    "times: as numbers",
    "times",
    {"at": 1785232800, "span": 90.5, "hour": 3600},
    "POST /values/times",
    schema_says="cannot tell",
)
case(
    "times: wrong",
    "times",
    {"at": "yesterday", "day": "2026-02-30", "hour": "25:00", "span": "long"},
    "POST /values/times",
    blames=["at", "day", "hour", "span"],
)
case(
    "times: against their rules",
    "times",
    {
        "aware": "2026-07-28T10:00:00",
        "naive": "2026-07-28T10:00:00Z",
        "later": "2000-01-01",
        "after": "1999-01-01T00:00:00Z",
    },
    "POST /values/times",
    schema_says="cannot tell",
    blames=["aware", "naive", "later", "after"],
)


# Enums.


class Shade(Enum):
    """Two names for one value, and values of several types."""

    dark = "dark"
    black = "dark"  # noqa: PIE796 - an alias
    none = None
    number = 7


class Rank(IntEnum):
    low = 1
    high = 10


class Rights(IntFlag):
    read = 1
    write = 2
    both = 3


class Enums(BaseModel):
    shade: Shade = Shade.dark
    rank: Rank = Rank.low
    rights: Rights = Rights.read
    only: Literal[Shade.dark, "other"] = "other"
    by_value: dict[str, Shade] = {}


@router.post("/values/enums")
async def enums(body: Enums) -> Enums:
    return body


case(
    "enums: values of several types",
    "enums",
    {"shade": "dark", "rank": 10, "rights": 3, "only": "other", "by_value": {"a": 7, "b": None}},
    "POST /values/enums",
    advertised={"rank": {"enum": [1, 10]}},
)
case("enums: null is one of them", "enums", {"shade": None}, "POST /values/enums")
case(
    "enums: none of them",
    "enums",
    {"shade": "black", "rank": 2, "only": "x"},
    "POST /values/enums",
    blames=["shade", "rank", "only"],
)


@router.get("/values/enums/{rank}")
async def enums_in_path(rank: Rank, shade: Annotated[list[Shade], Query()]) -> list[Any]:
    return [rank, shade]


case(
    "enums: in path and query",
    "enums_in_path",
    {"rank": 10, "shade": ["dark"]},
    "GET /values/enums/10",
    params={"shade": "dark"},
)


# Values with a schema of their own.


class Celsius:
    def __init__(self, degrees: float) -> None:
        self.degrees = degrees


Warmth = Annotated[
    Any,
    BeforeValidator(lambda value: Celsius(float(str(value).removesuffix(" C")))),
    PlainSerializer(lambda value: f"{value.degrees:g} C"),
    WithJsonSchema({"type": "string", "pattern": "^[0-9.]+ C$", "examples": ["20 C"]}),
]


class Weather(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"warmth": "20 C"}]})

    warmth: Warmth
    matching: Pattern[str] | None = None
    ratio: Fraction | None = None


@router.post("/values/weather")
async def weather(body: Weather) -> Weather:
    return body


case(
    "a type of one's own",
    "weather",
    {"warmth": "20.0 C", "matching": "^a+$", "ratio": "1/3"},
    "POST /values/weather",
    advertised={"warmth": {"pattern": "^[0-9.]+ C$", "examples": ["20 C"]}},
    schema_says="cannot tell",
)
case(
    "a type of one's own: wrong",
    "weather",
    {"warmth": "cold", "matching": "("},
    "POST /values/weather",
    schema_says="cannot tell",
    blames=["warmth", "matching"],
)
