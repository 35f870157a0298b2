"""What an operator can set, as arguments of `Toolway` or as environment variables ``TOOLWAY_...``."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AliasChoices,
    Field,
    ModelWrapValidatorHandler,
    SecretStr,
    ValidationError,
    WrapValidator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from toolway.errors import ConfigurationError
from toolway.settings_validators import (
    address,
    caller_names,
    confirming,
    forwardable,
    header_values,
    hosts,
    long,
    origins,
)

__all__ = ["Settings", "read_settings", "settings_of"]

_PREFIX = "TOOLWAY_"
_MISSPELT = 0.85
"""How like a setting a variable has to be; others that begin like ours may belong to somebody else."""


class Settings(BaseSettings):
    """Settings of a server; lists are JSON in the environment: ``TOOLWAY_ALLOWED_HOSTS='["api.example.com"]'``."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, extra="ignore", frozen=True)

    allowed_hosts: Annotated[list[str], AfterValidator(hosts)] = ["localhost", "127.0.0.1", "[::1]"]
    """Values of the Host header that are served; without a port any port fits, ``*`` serves every host."""

    allowed_origins: Annotated[list[str], AfterValidator(origins)] = []
    """Origins of browser pages that may call, besides pages of the server itself; ``*`` admits every origin."""

    max_body_bytes: int = Field(default=4 * 1024 * 1024, gt=0)
    """The largest request that is read."""

    body_seconds: float = Field(default=30, gt=0)
    """How long a client may take to send its request."""

    send_seconds: float = Field(default=30, gt=0)
    """How long a client may take to read the next 64 kB of its response; then its connection is closed."""

    shutdown_seconds: float = Field(default=10, ge=0)
    """How long calls may take to finish once the server has been asked to stop; longer ones are canceled, and answered
    with an error."""

    stateful: bool | None = None
    """Keep a session for each client of MCP 2024-11-05 to 2025-11-25, which ties it to one process. By default, a
    server that runs as one process keeps them only if it has tools that ask, and only for clients that can be asked."""

    fast_lane: bool = True
    """Answer calls and lists without the SDK where that is the same; False when looking for a fault."""

    direct: bool = True
    """Call endpoints without the ASGI stack where that is the same; False when looking for a fault."""

    stream_seconds: float = Field(default=30, gt=0)
    """How long a streamed answer is followed before it is closed with what came so far."""

    follow_seconds: float = Field(default=300, gt=0)
    """How long work that an endpoint has accepted is followed, where its tool is marked ``follow``; tasks follow it as
    long as they are kept."""

    progress_seconds: float = Field(default=5, ge=0)
    """How often a client that gave a progress token hears that its call is still running, unless the endpoint reports
    progress itself; clients extend their timeouts by it. 0 sends only what the endpoint reports."""

    max_result_bytes: int = Field(default=10 * 1024 * 1024, gt=0)
    """The largest answer that is handed on."""

    ignore_unknown_arguments: bool = False
    """Drop arguments that a tool does not have, in place of refusing the call."""

    list_ttl_seconds: float = Field(default=60, ge=0)
    """How long clients may keep lists of tools, resources and prompts; 0 has them ask each time."""

    resource_ttl_seconds: float = Field(default=0, ge=0)
    """How long clients may keep what they read of a resource whose answer has no Cache-Control header."""

    max_subscriptions: int = Field(default=1024, gt=0)
    """How many clients may listen for changes at once, per process."""

    store_url: str = "sqlite:///var/toolway/tasks.db"
    """Where long jobs are kept: ``sqlite:///path`` for workers of one machine, ``postgresql://...`` for any number."""

    task_queue: str = Field(default="default", min_length=1)
    """The name under which an application's tasks are kept; applications that share a store need different ones."""

    task_seconds: float = Field(default=24 * 60 * 60, gt=0)
    """How long a task and its result are kept, from its start; one that still runs by then is stopped."""

    tasks_at_once: int = Field(default=10, gt=0)
    """How many tasks run in one process at the same time; the others wait."""

    tasks_per_caller: int = Field(default=100, gt=0)
    """How many tasks that have not ended one caller may have."""

    base_url: Annotated[str, AfterValidator(address)] | None = None
    """The address at which the endpoints see themselves called, without a path: their Host header and their links.
    Defaults to the address of the MCP request, and over stdio to ``http://localhost``; over a connection with TLS,
    links are https in any case."""

    output_schemas: bool = True
    """Publish the output schemas of tools. Without them, a response that something outside of the endpoint reshapes is
    an ordinary success; structured content is sent in any case."""

    forward_headers: Annotated[list[str], AfterValidator(forwardable)] = []
    """Further headers of the caller that reach the endpoints, besides Authorization and those that they declare."""

    header_arguments: Annotated[list[str], AfterValidator(caller_names)] = []
    """Headers and cookies that are arguments of tools, although they would come from the MCP request only: those that
    dependencies declare, and those whose names claim who or where the caller is."""

    caller_headers: Annotated[list[str], AfterValidator(caller_names)] = []
    """Headers and cookies that every endpoint gets from the MCP request, and that are never arguments."""

    state_keys: Annotated[list[SecretStr], AfterValidator(long)] = []
    """Secrets of 32 or more bytes that seal what clients carry between requests, the same in all processes; the first
    seals, all open. Without any, a process has its own, and all workers of ``toolway serve`` share one."""

    state_seconds: float = Field(default=600, gt=0)
    """How long a question to a user can be answered."""

    confirm: Annotated[bool | Literal["if_possible"], WrapValidator(confirming)] = True
    """Ask for a yes before tools that are marked ``confirm``; ``if_possible`` lets clients that cannot be asked go on
    without one, False asks nobody, as in a replay."""

    authorization: SecretStr | None = None
    """The Authorization header of calls that come without HTTP (stdio and the command line); for an OpenAPI document on
    the command line, the one of all calls to its API."""

    local_headers: Annotated[dict[str, SecretStr], AfterValidator(header_values)] = {}
    """Further headers of calls that come without HTTP, such as API keys, ``Cookie`` or a tenant; for an OpenAPI
    document on the command line, of all calls to its API."""

    local_query: dict[str, SecretStr] = {}
    """Query parameters of the same calls, for API keys that are declared there."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Refuse arguments and variables that are misspelt, which would otherwise count for nothing.

        Only here the arguments stand apart: to forbid what is extra would forbid what a ``.env`` file has for others.
        """
        if cls.model_config.get("extra") != "allow":
            _refuse_arguments(init_settings(), set(_names(cls.model_fields)))
        _refuse_variables(os.environ, cls.model_fields)
        return init_settings, env_settings, dotenv_settings, file_secret_settings

    def replaced(self, **values: Any) -> Self:
        """Return these settings with other values, checked like any; None keeps a value.

        Raises:
            ConfigurationError: a value is not valid; the text says what was expected.
        """
        given = {name: value for name, value in values.items() if value is not None}
        if not given:
            return self
        checked = type(self)(**given)
        return self.model_copy(update={name: getattr(checked, name) for name in given})

    @model_validator(mode="wrap")
    @classmethod
    def _explain(cls, values: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Say of the first wrong value what was expected; Pydantic's error repeats values, secrets among them."""
        try:
            return handler(values)
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]
            if not problem["loc"]:  # it is of no setting
                raise
        name, text = problem["loc"][0], problem["msg"].removeprefix("Value error, ")
        raise ConfigurationError(f"{name} ({_PREFIX}{str(name).upper()}): {text}")


def _names(fields: Mapping[str, FieldInfo]) -> Iterator[str]:
    """The names under which settings are given, those that an application's own ones have besides included."""
    for name, field in fields.items():
        alias = field.validation_alias
        choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
        yield from (name, *(choice for choice in choices if isinstance(choice, str)))


def _refuse_arguments(names: Iterable[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            raise ConfigurationError(f"Settings has no {name!r}; the closest is {_closest(name, known, 0)[0]!r}")


def _refuse_variables(names: Iterable[str], known: Collection[str]) -> None:
    for name in names:
        if name.upper().startswith(_PREFIX) and _field(name) not in known:
            for near in _closest(name, known, _MISSPELT):
                raise ConfigurationError(f"{name} is no setting; did you mean {_PREFIX}{near.upper()}?")


def _closest(name: str, known: Collection[str], cutoff: float) -> list[str]:
    return get_close_matches(_field(name), known, n=1, cutoff=cutoff)


def _field(name: str) -> str:
    return name.lower().removeprefix(_PREFIX.lower())


def settings_of(given: Settings | None) -> Settings:
    """Return the settings that were given, or those of the environment.

    Raises:
        ConfigurationError: they are none, or a variable cannot be read.
    """
    if given is None:
        return read_settings()
    if not isinstance(given, Settings):  # pyright: ignore[reportUnnecessaryIsInstance] - the caller's mistake
        raise ConfigurationError(f"expected settings=Settings(...), got an object of type {type(given).__name__!r}")
    return given


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
        form = (
            """object, such as '{"X-API-Key": "..."}'"""
            if "LOCAL" in name
            else """list, such as '["api.example.com"]'"""
        )
        raise ConfigurationError(f"{_PREFIX}{name}: expected a JSON {form}") from error
