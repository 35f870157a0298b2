"""Loading of APP, such as ``module:app``, ``module:make()`` or an OpenAPI document, into a Toolway."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from fastapi import FastAPI

from toolway.app import Toolway, engine_of
from toolway.catalog import Selection
from toolway.cli.app_runner import describe_exception
from toolway.cli.app_source import AppSource, Credentials
from toolway.cli.output_streams import print_error
from toolway.errors import AppNotFoundError, ConfigurationError, ToolwayError
from toolway.host.lifespan import run_within
from toolway.mounts import engines_of, mounted_on, mounts_on
from toolway.openapi import iter_applications, load_document, redact_url
from toolway.settings import Settings, read_settings
from toolway.sources import Remote

__all__ = ["load_and_list_others", "load_toolway"]

_ATTRIBUTE = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"
_APPLICATION = re.compile(
    rf"(?:(?P<file>[^:]+\.py)|(?P<module>\w[\w-]*(?:\.\w[\w-]*)*))(?::(?P<attribute>{_ATTRIBUTE})(?P<call>\(.*\))?)?",
    re.DOTALL,
)
_DEFAULT_NAMES = ("app", "api", "application")


def load_toolway(source: AppSource) -> Toolway:
    """Return the Toolway of an application, or one for the API that an OpenAPI document describes.

    The Toolway of an application is the one mounted first, or the only one made for it, or a new one.

    Raises:
        AppNotFoundError: the module or attribute does not exist, its import or factory fails, or the attribute is not a
            FastAPI application.
        ConfigurationError: a ``TOOLWAY_...`` environment variable is not valid, the base URL of a document's API is
            missing, or the application has several Toolways and none is mounted.
        DocumentError: the OpenAPI document cannot be read.
    """
    found = _load_object(source)
    return _apply_options(found if isinstance(found, Toolway) else _find_toolway(found, source.text), source)


def load_and_list_others(source: AppSource) -> Toolway:
    """Load the Toolway that a command is about, and print on stderr how to pass the application's other Toolways.

    Raises:
        AppNotFoundError: see `load_toolway`.
        ConfigurationError: see `load_toolway`.
        DocumentError: see `load_toolway`.
    """
    found = _load_object(source)
    if isinstance(found, Toolway):
        return _apply_options(found, source)
    toolway = _apply_options(_find_toolway(found, source.text), source)
    if others := " or ".join(dict.fromkeys(_iter_other_mounts(toolway))):
        here = f"the Toolway mounted at {toolway.path!r}" if toolway.path else f"all operations of {source.text!r}"
        print_error(f"using {here}; for {others} pass that Toolway as module:attribute")
    return toolway


def _apply_options(toolway: Toolway, source: AppSource) -> Toolway:
    """Apply the command's credentials to a Toolway, and its filters to all that the same server would serve."""
    engine = engine_of(toolway)
    engine.settings = _add_credentials(engine.settings, source.credentials)
    if source.selection != Selection():
        mounted = (mount.engine for app in iter_applications(engine.site) for mount in mounts_on(app))
        for each in {id(each): each for each in (engine, *mounted)}.values():
            each.source.narrow(source.selection)
    return toolway


def _iter_other_mounts(toolway: Toolway) -> Iterator[str]:
    site = engine_of(toolway).site
    for app in iter_applications(site):
        for mount in mounts_on(app):
            if mount.engine.toolway is not toolway:
                yield repr(mount.path) + ("" if app is site else f" of {app.title!r}")


def _load_object(source: AppSource) -> FastAPI | Toolway:
    if source.is_document:
        return _load_document(source)
    if source.base_url is not None:
        raise ConfigurationError(f"--base-url applies only to OpenAPI documents; {source.text!r} runs in this process")
    parts = _APPLICATION.fullmatch(source.text)
    if parts is None or (parts["module"] and not parts["attribute"]):
        raise AppNotFoundError(
            f"expected APP as module:attribute (main:app), module:factory(), a file or an OpenAPI document, "
            f"got {source.text!r}"
        )
    with _hide_arguments(source.text):
        found = _import_object(parts, source)
    if not isinstance(found, FastAPI | Toolway):
        hint = f"; if it is a factory, pass {source.text}()" if inspect.isroutine(found) else ""
        raise AppNotFoundError(
            f"expected a FastAPI application at {source.text!r}, found {_describe_object(found)}{hint}"
        )
    return found


def _add_credentials(settings: Settings, credentials: Credentials) -> Settings:
    """Return the settings with these credentials, which override those of the same name."""
    return settings.model_copy(update={name: {**getattr(settings, name), **new} for name, new in credentials.items()})


def _load_document(source: AppSource) -> Toolway:
    """Return a Toolway for the API of an OpenAPI document, which is called over HTTP."""
    import httpx2  # noqa: PLC0415 - slow to import, and only needed for a remote API

    settings = _add_credentials(read_settings(), source.credentials)
    document = load_document(source.text)
    if source.base_url is None:
        raise ConfigurationError(
            f"{redact_url(source.text)!r} needs the URL of its API: add --base-url, such as https://api.example.com"
        )
    shown = repr(source.base_url.rpartition("@")[2].partition("?")[0])  # without user, password and query
    try:
        address = httpx2.URL(source.base_url)
    except httpx2.InvalidURL as error:
        raise ConfigurationError(f"expected --base-url to be a URL, got {shown}: {error}") from error
    if address.scheme not in {"http", "https"} or not address.host:
        raise ConfigurationError(f"expected --base-url to be a URL such as https://api.example.com, got {shown}")
    client = httpx2.AsyncClient(
        base_url=source.base_url, **_client_credentials(settings), timeout=settings.stream_seconds
    )
    toolway = Toolway(Remote(document, client=client), settings=settings)
    run_within(toolway.app.router, lambda _app, _state: client)  # closes the client at shutdown
    return toolway


def _client_credentials(settings: Settings) -> dict[str, Any]:
    """Return the client options for the headers and query parameters of every request."""
    headers = dict(settings.local_headers)
    if settings.authorization is not None:
        headers["authorization"] = settings.authorization
    return {
        "headers": {name: value.get_secret_value() for name, value in headers.items()},
        "params": {name: value.get_secret_value() for name, value in settings.local_query.items()},
    }


@contextmanager
def _hide_arguments(text: str) -> Generator[None]:
    """Hide the arguments of toolway from an application that reads the command line when it is imported."""
    ours, sys.argv = sys.argv, [text]
    try:
        yield
    finally:
        sys.argv = ours


def _import_object(parts: re.Match[str], source: AppSource) -> Any:
    sys.path.insert(0, str(source.folder))
    file: str | None = parts["file"]
    module = _import_module(parts["module"] or _module_name(parts["file"], source.folder), source.folder)
    if file is not None and Path(module.__file__ or "") != (source.folder / file).resolve():
        raise AppNotFoundError(f"{module.__file__!r} was imported instead of {file!r}; rename the file")
    attribute = parts["attribute"] or _find_attribute(module, parts["file"])
    found = _resolve_attribute(module, attribute)
    return _call_factory(found, source.text, parts["call"]) if parts["call"] else found


def _module_name(file: str, folder: Path) -> str:
    """Return the module name of a file, and add its folder to the import path.

    A file inside packages is imported as a submodule of the outermost package.

    Raises:
        AppNotFoundError: the file does not exist.
    """
    path = (folder / file).resolve()
    if not path.is_file():
        raise AppNotFoundError(f"no file {file!r} in {str(folder)!r}")
    names = [] if path.stem == "__init__" else [path.stem]
    parent = path.parent
    while (parent / "__init__.py").is_file():
        names.insert(0, parent.name)
        parent = parent.parent
    sys.path.insert(0, str(parent))
    return ".".join(names)


def _find_attribute(module: ModuleType, file: str) -> str:
    """Return the name of the application in a module: ``app``, ``api``, ``application``, or the only one there.

    Raises:
        AppNotFoundError: the module has no application, or several.
    """
    found = [name for name, value in vars(module).items() if isinstance(value, FastAPI | Toolway)]
    for name in _DEFAULT_NAMES:
        if name in found:
            return name
    if len(found) == 1:
        return found[0]
    if found:
        raise AppNotFoundError(f"{file!r} has several applications: {', '.join(found)}; pass one as {file}:attribute")
    raise AppNotFoundError(f"{file!r} has no FastAPI application; if a function returns it, pass {file}:function()")


def _import_module(name: str, folder: Path) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise AppNotFoundError(
                f"no module {name!r} in {str(folder)!r}; set the folder to import from with --app-dir"
            ) from error
        raise AppNotFoundError(f"importing {name!r} failed: no module {error.name!r}; install it first") from error
    except ToolwayError:
        raise
    except (Exception, SystemExit) as error:  # the application's code runs here
        raise AppNotFoundError(f"importing {name!r} failed: {describe_exception(error)}") from error


def _resolve_attribute(module: ModuleType, path: str) -> Any:
    found: Any = module
    for name in path.split("."):
        if not hasattr(found, name):
            raise AppNotFoundError(f"{module.__name__!r} has no {path!r}{_suggest_attribute(name, found)}")
        found = getattr(found, name)
    return found


def _suggest_attribute(name: str, found: object) -> str:
    apps = (
        [key for key, value in vars(found).items() if isinstance(value, FastAPI)] if hasattr(found, "__dict__") else []
    )
    near = get_close_matches(name, dir(found), n=3) or apps
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else ""


def _call_factory(factory: Any, text: str, parentheses: str) -> Any:
    if not callable(factory):
        name = text.removesuffix(parentheses)
        raise AppNotFoundError(f"{name!r} is not callable (it is {_describe_object(factory)}); remove the parentheses")
    if inspect.iscoroutinefunction(factory):
        raise AppNotFoundError(f"{text!r} is an async function; expected a regular one that returns the application")
    values, named = _parse_factory_arguments(parentheses)
    try:
        return cast("Callable[..., Any]", factory)(*values, **named)
    except (Exception, SystemExit) as error:  # the application's code runs here
        raise AppNotFoundError(f"{text!r} failed: {describe_exception(error)}") from error


def _parse_factory_arguments(parentheses: str) -> tuple[list[Any], dict[str, Any]]:
    """Return a factory's arguments; only literals are allowed, so that APP runs no code except the application's."""
    try:
        call = cast("ast.Call", ast.parse(f"factory{parentheses}", mode="eval").body)
        named = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords if keyword.arg}
        if isinstance(call.func, ast.Name) and len(named) == len(call.keywords):
            return [ast.literal_eval(value) for value in call.args], named
    except (SyntaxError, ValueError):
        pass
    raise AppNotFoundError(
        f"expected literal arguments for the factory, such as make('eu', debug=True), got {parentheses!r}"
    )


def _find_toolway(app: FastAPI, text: str) -> Toolway:
    """Return the mounted Toolway of an application, or else the only one created for it, or else a new one."""
    if (engine := mounted_on(app)) is not None:
        return engine.toolway
    created = [engine.toolway for engine in engines_of(app) if not engine.mounts]
    if len(created) > 1:
        raise ConfigurationError(
            f"{text!r} has several Toolway instances and none is mounted; mount one, or pass one as module:attribute"
        )
    return created[0] if created else Toolway(app)


def _describe_object(found: object) -> str:
    if isinstance(found, ModuleType):
        return f"the module {found.__name__!r}"
    if inspect.isroutine(found) or isinstance(found, type):
        return f"the {'class' if isinstance(found, type) else 'function'} {found.__name__!r}"
    return f"an instance of {type(found).__name__!r}"
