"""Settings of an operator: arguments of `Settings`, or environment variables ``TOOLWAY_...``."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Literal, Self, TypeAlias

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
    check_address,
    check_caller_names,
    check_confirm,
    check_forward_headers,
    check_header_values,
    check_hosts,
    check_keys,
    check_origins,
    check_output_schemas,
)

__all__ = ["OutputSchemas", "SchemaProfile", "Settings", "read_settings", "settings_of"]

SchemaProfile: TypeAlias = Literal["lean", "full", "portable", "strict"]
OutputSchemas: TypeAlias = bool | Literal["auto"]

_PREFIX = "TOOLWAY_"
_RENAMED = {"base_url": "public_url"}
"""Settings that had another name before 1.0."""
_MISSPELT = 0.85
"""The similarity from which a variable counts as a misspelled setting; others with the prefix are ignored."""


class Settings(BaseSettings):
    """Settings of a server; lists are JSON in the environment: ``TOOLWAY_ALLOWED_HOSTS='["api.example.com"]'``."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, extra="ignore", frozen=True)

    allowed_hosts: Annotated[list[str], AfterValidator(check_hosts)] = ["localhost", "127.0.0.1", "[::1]"]
    """Accepted values of the Host header. A value without a port allows every port; ``*`` allows every host."""

    allowed_origins: Annotated[list[str], AfterValidator(check_origins)] = []
    """Origins of browser pages that may call, in addition to the server's own pages; ``*`` allows every origin."""

    max_body_bytes: int = Field(default=4 * 1024 * 1024, gt=0)
    """The largest request body that is accepted."""

    body_seconds: float = Field(default=30, gt=0)
    """How long a client may take to send its request."""

    send_seconds: float = Field(default=30, gt=0)
    """How long a client may take to read the next 64 kB of its response before its connection is closed."""

    shutdown_seconds: float = Field(default=10, ge=0)
    """How long calls may take to finish after the server has been asked to stop. Calls that take longer are canceled
    and return an error."""

    stateful: bool | None = None
    """Keep a session for each client of MCP 2024-11-05 to 2025-11-25, which ties the client to one process. By default,
    a server that runs as one process opens sessions only if it has tools that ask the user, and only for clients that
    support it."""

    stream_seconds: float = Field(default=30, gt=0)
    """How long a streamed response is read. After that it is closed, and the result is what was received."""

    follow_seconds: float = Field(default=300, gt=0)
    """How long a job that an endpoint has accepted is polled, if its tool is marked ``follow``. A task polls it for
    as long as the task is kept."""

    progress_seconds: float = Field(default=5, ge=0)
    """The interval of progress notifications for calls with a progress token whose endpoint reports none itself.
    Clients extend their timeouts when they receive one. With 0, only the endpoint's own progress is sent."""

    max_result_bytes: int = Field(default=10 * 1024 * 1024, gt=0)
    """The largest response that is returned as a result."""

    result_tokens: int = Field(default=25_000, ge=0)
    """The longest result that an agent gets, in tokens of four bytes; a longer one is truncated, and the rest can be
    read with the tool ``read_result``. 0 never truncates."""

    result_seconds: float = Field(default=60 * 60, gt=0)
    """How long the rest of a truncated result can be read."""

    ignore_unknown_arguments: bool = False
    """Drop unknown arguments instead of rejecting the call."""

    list_ttl_seconds: float = Field(default=60, ge=0)
    """How long clients may cache lists of tools, resources and prompts; 0 disables caching."""

    resource_ttl_seconds: float = Field(default=0, ge=0)
    """How long clients may cache a resource whose response has no Cache-Control header."""

    max_subscriptions: int = Field(default=1024, gt=0)
    """How many subscriptions to changes may be open at once, per process."""

    store_url: str = "sqlite:///var/toolway/tasks.db"
    """The database of tasks, of truncated results, and of question states that were used: ``sqlite:///path`` for
    workers on one machine, ``postgresql://...`` for any number. It is created when the first one is stored."""

    task_queue: str = Field(default="default", min_length=1)
    """The name of the application's task queue; applications that share a store need different names."""

    task_seconds: float = Field(default=24 * 60 * 60, gt=0)
    """How long a task and its result are kept after the task has started. A task that is still running is stopped."""

    tasks_at_once: int = Field(default=10, gt=0)
    """How many tasks may run in one process at the same time; the others wait."""

    tasks_per_caller: int = Field(default=100, gt=0)
    """How many unfinished tasks one caller may have."""

    icons: list[str] = []
    """URLs of icons of the server, ``https:`` or ``data:``, which clients show beside its name."""

    public_url: Annotated[str, AfterValidator(check_address)] | None = None
    """The address that endpoints see in their requests (the Host header and the links they build), without a path.
    Defaults to the address of the MCP request, and to ``http://localhost`` over stdio. If the connection uses TLS,
    links are https in any case."""

    schemas: SchemaProfile = "lean"
    """How definitions of tools are listed: ``full`` as they are; ``lean`` shortened to `schema_tokens`; ``portable``
    and ``strict`` also rewritten for clients that accept only a part of JSON Schema."""

    schema_tokens: int = Field(default=1000, ge=100)
    """The longest definition of a tool, in tokens of four bytes, unless it is listed in full."""

    output_schemas: Annotated[OutputSchemas, WrapValidator(check_output_schemas)] = "auto"
    """List the output schemas of tools: always, never, or with ``auto`` while the whole list has less than 10,000
    tokens. Without its output schema, a response that does not match it, for example because middleware reshapes it, is
    an ordinary success. Structured content is sent in any case."""

    forward_headers: Annotated[list[str], AfterValidator(check_forward_headers)] = []
    """Additional headers of the MCP request to pass to endpoints, besides Authorization and the declared ones."""

    header_arguments: Annotated[list[str], AfterValidator(check_caller_names)] = []
    """Headers and cookies to expose as arguments of tools although they would be taken from the MCP request: those that
    dependencies declare, and those whose names assert an identity or an origin."""

    caller_headers: Annotated[list[str], AfterValidator(check_caller_names)] = []
    """Headers and cookies that every endpoint receives from the MCP request, and that are never arguments."""

    catalog: Literal["auto", "list", "search", "code"] = "auto"
    """How tools are offered: ``list`` lists all, ``search`` lists tools that find and call the others, ``code`` lists
    tools that find the others and run programs. ``auto`` is ``list``, or ``search`` for more than 128 tools or 25,000
    tokens. A client chooses in the URL: ``/mcp?catalog=list``."""

    code_tools: Literal["read_only", "all"] = "read_only"
    """The tools that programs of agents may call in code mode. With ``all``, the user is asked before each call of a
    tool that is destructive or marked ``confirm``."""

    code_seconds: float = Field(default=30, gt=0)
    """How long a program may take in code mode, without the time in which the user is asked."""

    code_compute_seconds: float = Field(default=5, gt=0)
    """How long a program may compute, without the time in which it waits for tools."""

    code_memory_bytes: int = Field(default=100_000_000, gt=0)
    """How much memory a program may use."""

    code_calls: int = Field(default=100, gt=0)
    """How many tools a program may call."""

    code_output_tokens: int = Field(default=25_000, gt=0)
    """The longest output of a program, at four bytes per token; the rest is cut off."""

    state_keys: Annotated[list[SecretStr], AfterValidator(check_keys)] = []
    """Secrets of 32 or more bytes that encrypt the state that clients carry between requests, the same in all
    processes. The first one encrypts, all of them decrypt. By default each process generates its own; the workers of
    ``toolway serve`` share one."""

    state_seconds: float = Field(default=600, gt=0)
    """How long a question to a user can be answered."""

    confirm: Annotated[bool | Literal["if_possible"], WrapValidator(check_confirm)] = True
    """Ask the user to confirm calls of tools that are marked ``confirm``. With ``if_possible``, clients without
    elicitation may call them without a confirmation. False never asks."""

    authorization: SecretStr | None = None
    """The Authorization header of calls over stdio and of ``toolway call``. For an OpenAPI document on the command
    line: of all requests to its API."""

    local_headers: Annotated[dict[str, SecretStr], AfterValidator(check_header_values)] = {}
    """Additional headers of the same calls as `authorization`, such as an API key, ``Cookie`` or a tenant."""

    local_query: dict[str, SecretStr] = {}
    """Query parameters of the same calls as `authorization`, for API keys that are declared in the query."""

    # Diagnostics: turn these off only to find out whether a wrong result comes from a shortcut.

    fast_lane: bool = True
    """Answer ``tools/call``, ``tools/list`` and ``server/discover`` without the MCP SDK where the answer is the same.
    A diagnostic: set it to False to find out whether a fault is in this shortcut."""

    direct: bool = True
    """Call endpoints without the application's ASGI stack where the result is the same. A diagnostic: set it to False
    to find out whether a fault is in this shortcut."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Reject misspelled arguments and variables, which Pydantic would ignore.

        The arguments are known apart from the other sources only here. ``extra="forbid"`` would also reject unrelated
        variables in a ``.env`` file.
        """
        if cls.model_config.get("extra") != "allow":
            _refuse_arguments(init_settings(), set(_names(cls.model_fields)))
        _refuse_variables(os.environ, cls.model_fields)
        return init_settings, env_settings, dotenv_settings, file_secret_settings

    def replaced(self, **values: Any) -> Self:
        """Return these settings with other values, which are validated; None keeps a value.

        Raises:
            ConfigurationError: a value is not valid; the text names what was expected.
        """
        given = {name: value for name, value in values.items() if value is not None}
        if not given:
            return self
        checked = type(self)(**given)
        return self.model_copy(update={name: getattr(checked, name) for name in given})

    @model_validator(mode="wrap")
    @classmethod
    def _explain(cls, values: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Raise an error for the first invalid value; Pydantic's own error would quote values, including secrets."""
        try:
            return handler(values)
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]
            if not problem["loc"]:  # it does not concern a single setting
                raise
        name, text = problem["loc"][0], problem["msg"].removeprefix("Value error, ")
        raise ConfigurationError(f"{name} ({_PREFIX}{str(name).upper()}): {text}")


def _names(fields: Mapping[str, FieldInfo]) -> Iterator[str]:
    """Yield the names of settings as arguments, including the aliases of fields that an application has added."""
    for name, field in fields.items():
        alias = field.validation_alias
        choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
        yield from (name, *(choice for choice in choices if isinstance(choice, str)))


def _refuse_arguments(names: Iterable[str], known: Collection[str]) -> None:
    for name in names:
        if name in _RENAMED and name not in known:
            raise ConfigurationError(f"the setting {name!r} is now named {_RENAMED[name]!r}")
        if name not in known:
            raise ConfigurationError(f"Settings has no {name!r}; the closest is {_closest(name, known, 0)[0]!r}")


def _refuse_variables(names: Iterable[str], known: Collection[str]) -> None:
    for name in names:
        field = _field(name)
        if name.upper().startswith(_PREFIX) and field not in known:
            if field in _RENAMED:
                raise ConfigurationError(f"{name} is now named {_PREFIX}{_RENAMED[field].upper()}")
            for near in _closest(name, known, _MISSPELT):
                raise ConfigurationError(f"{name} is not a known setting; did you mean {_PREFIX}{near.upper()}?")


def _closest(name: str, known: Collection[str], cutoff: float) -> list[str]:
    return get_close_matches(_field(name), known, n=1, cutoff=cutoff)


def _field(name: str) -> str:
    return name.lower().removeprefix(_PREFIX.lower())


def settings_of(given: Settings | None) -> Settings:
    """Return the given settings, or those of the environment.

    Raises:
        ConfigurationError: `given` is not a `Settings`, or a variable cannot be read.
    """
    if given is None:
        return read_settings()
    if not isinstance(given, Settings):  # pyright: ignore[reportUnnecessaryIsInstance] - the caller's mistake
        raise ConfigurationError(f"expected settings=Settings(...), got an object of type {type(given).__name__!r}")
    return given


def read_settings() -> Settings:
    """Read the settings from the environment.

    Raises:
        ConfigurationError: a variable cannot be read; the text names it and the expected format.
    """
    try:
        return Settings()
    except SettingsError as error:  # a list or an object that is not valid JSON
        field = re.search(r'field "(\w+)"', str(error))
        name = field[1].upper() if field else "..."
        form = (
            """object, such as '{"X-API-Key": "..."}'"""
            if "LOCAL" in name
            else """list, such as '["api.example.com"]'"""
        )
        raise ConfigurationError(f"{_PREFIX}{name}: expected a JSON {form}") from error
