"""What an operator can set, as arguments of `Toolway` or as environment variables ``TOOLWAY_...``."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from toolway.errors import ConfigurationError

__all__ = ["Settings", "read_settings"]

_PREFIX = "TOOLWAY_"


def _lower(names: list[str]) -> list[str]:
    return [name.lower() for name in names]


class Settings(BaseSettings):
    """Settings of a server; lists are JSON in the environment: ``TOOLWAY_ALLOWED_HOSTS='["api.example.com"]'``."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, extra="ignore", frozen=True)

    allowed_hosts: Annotated[list[str], AfterValidator(_lower)] = ["localhost", "127.0.0.1", "[::1]"]
    """Values of the Host header that are served; without a port any port fits, ``*`` serves every host."""

    allowed_origins: Annotated[list[str], AfterValidator(_lower)] = []
    """Origins of browser pages that may call, besides pages of the server itself; ``*`` admits every origin."""

    max_body_bytes: int = Field(default=4 * 1024 * 1024, gt=0)
    """The largest request that is read."""

    body_seconds: float = Field(default=30, gt=0)
    """How long a client may take to send its request."""

    stateful: bool = False
    """Keep a session per client on the handshake revisions (before 2026-07-28); ties a client to one process."""

    stream_seconds: float = Field(default=30, gt=0)
    """How long a streamed answer is followed before it is closed with what came so far."""

    max_result_bytes: int = Field(default=10 * 1024 * 1024, gt=0)
    """The largest answer that is handed on."""

    ignore_unknown_arguments: bool = False
    """Drop arguments that a tool does not have, in place of refusing the call."""

    base_url: str = "http://localhost"
    """The address at which the endpoints see themselves called: their Host header and links are made of it."""

    authorization: SecretStr | None = None
    """The Authorization header of calls that come without HTTP (stdio and the command line)."""


def read_settings() -> Settings:
    """Read the settings from the environment.

    Raises:
        ConfigurationError: a variable cannot be read; the text names it, and says what it should be.
    """
    try:
        return Settings()
    except SettingsError as error:  # a list that is no JSON
        field = re.search(r'field "(\w+)"', str(error))
        name = field[1].upper() if field else "..."
        raise ConfigurationError(f"""{_PREFIX}{name}: expected a JSON list, such as '["api.example.com"]'""") from error
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        name = "_".join(str(step) for step in problem["loc"]).upper()
        raise ConfigurationError(f"{_PREFIX}{name}: {problem['msg']}") from error
