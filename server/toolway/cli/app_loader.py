"""Loading of APP, such as ``module:app``, ``module:make()`` or an OpenAPI document, into a Toolway."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import sys
import sysconfig
import traceback
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from fastapi import FastAPI

from toolway.app import Toolway, engine_of
from toolway.catalog import Selection
from toolway.cli.credentials import Credentials, with_credentials
from toolway.cli.files import default_attribute, module_name
from toolway.cli.output import complain
from toolway.cli.project import find_project
from toolway.errors import AppNotFoundError, ConfigurationError, ToolwayError
from toolway.mounts import engines_of, mounted_on, mounts_on
from toolway.openapi import is_document, iter_applications

__all__ = ["Source", "find_source", "load_one", "load_toolway", "names_source", "told"]

_ATTRIBUTE = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"
_APPLICATION = re.compile(
    rf"(?:(?P<file>[^:]+\.py)|(?P<module>\w[\w-]*(?:\.\w[\w-]*)*))(?::(?P<attribute>{_ATTRIBUTE})(?P<made>\(.*\))?)?",
    re.DOTALL,
)
_STDLIB = sysconfig.get_path("stdlib")
_TOOLWAY = str(Path(__file__).parents[1])
_LONGEST = 300
"""Characters shown of an exception that the application raised."""


@dataclass(frozen=True, slots=True)
class Source:
    """The application that a command is about, and how to load it."""

    text: str
    """APP as typed, or as the project names it."""
    folder: Path
    """The folder to import it from."""
    base_url: str | None = None
    """The URL of the API that an OpenAPI document describes."""
    selection: Selection = field(default_factory=Selection)
    """Filters added to those of the application."""
    credentials: Credentials = field(default_factory=Credentials)
    """Credentials of calls that arrive without HTTP."""

    @property
    def is_document(self) -> bool:
        return is_document(self.text)

    @property
    def words(self) -> tuple[str, ...]:
        """The command-line arguments that name it, from any working folder."""
        if not self.is_document:
            return (self.text,)
        text = self.text if "://" in self.text else str(Path(self.text).absolute())
        return (text, "--base-url", self.base_url) if self.base_url else (text,)


def names_source(word: str) -> bool:
    """Return whether a word is APP rather than a tool name, which has neither a colon nor a dot."""
    return ":" in word.partition("=")[0] or word.endswith(".py") or is_document(word)


def find_source(
    app: str | None,
    folder: Path,
    base_url: str | None = None,
    selection: Selection | None = None,
    credentials: Credentials | None = None,
) -> Source:
    """Return the given application, or the one that the nearest ``pyproject.toml`` names.

    The filters of ``[tool.toolway]`` also apply, unless that table is for another application.

    Args:
        app: APP as typed, if any.
        folder: the folder to import it from.
        base_url: the URL of the API that an OpenAPI document describes.
        selection: filters from the command line.
        credentials: credentials of calls that arrive without HTTP.

    Raises:
        AppNotFoundError: no application was given, and no ``pyproject.toml`` names one.
        ConfigurationError: ``pyproject.toml`` is not valid.
    """
    folder, selection = folder.resolve(), selection or Selection()
    project = find_project(folder)
    if app is None:
        if project is None or project.app is None:
            raise AppNotFoundError(
                "no application given: pass it as module:attribute, or set app in [tool.toolway] of pyproject.toml"
            )
        return Source(project.app, project.folder, base_url, project.selection.narrow(selection), credentials or {})
    if project is not None and project.app in {None, app}:
        selection = project.selection.narrow(selection)
    return Source(app, folder, base_url, selection, credentials or {})


def load_toolway(source: Source) -> Toolway:
    """Return the Toolway of an application, or one for the API that an OpenAPI document describes.

    The Toolway of an application is the one mounted first, or the only one made for it, or a new one.

    Raises:
        AppNotFoundError: the module or attribute does not exist, its import or factory fails, or the attribute is not a
            FastAPI application.
        ConfigurationError: a ``TOOLWAY_...`` environment variable is not valid, the base URL of a document's API is
            missing, or the application has several Toolways and none is mounted.
        DocumentError: the OpenAPI document cannot be read.
    """
    found = _found(source)
    return _configured(found if isinstance(found, Toolway) else _toolway(found, source.text), source)


def load_one(source: Source) -> Toolway:
    """Load the Toolway that a command is about, and print on stderr how to pass the application's other Toolways.

    Raises:
        AppNotFoundError: see `load_toolway`.
        ConfigurationError: see `load_toolway`.
        DocumentError: see `load_toolway`.
    """
    found = _found(source)
    if isinstance(found, Toolway):
        return _configured(found, source)
    toolway = _configured(_toolway(found, source.text), source)
    if others := " or ".join(dict.fromkeys(_others(toolway))):
        here = f"the Toolway mounted at {toolway.path!r}" if toolway.path else f"all operations of {source.text!r}"
        complain(f"using {here}; for {others} pass that Toolway as module:attribute")
    return toolway


def _configured(toolway: Toolway, source: Source) -> Toolway:
    """Apply the command's credentials to a Toolway, and its filters to all that the same server would serve."""
    engine = engine_of(toolway)
    engine.settings = with_credentials(engine.settings, source.credentials)
    if source.selection != Selection():
        mounted = (mount.engine for app in iter_applications(engine.site) for mount in mounts_on(app))
        for each in {id(each): each for each in (engine, *mounted)}.values():
            each.source.narrow(source.selection)
    return toolway


def _others(toolway: Toolway) -> Iterator[str]:
    site = engine_of(toolway).site
    for app in iter_applications(site):
        for mount in mounts_on(app):
            if mount.engine.toolway is not toolway:
                yield repr(mount.path) + ("" if app is site else f" of {app.title!r}")


def _found(source: Source) -> FastAPI | Toolway:
    if source.is_document:
        from toolway.cli.documents import toolway_of_document  # noqa: PLC0415 - HTTP clients are slow to import

        return toolway_of_document(source.text, source.base_url, source.credentials)
    if source.base_url is not None:
        raise ConfigurationError(f"--base-url applies only to OpenAPI documents; {source.text!r} runs in this process")
    parts = _APPLICATION.fullmatch(source.text)
    if parts is None or (parts["module"] and not parts["attribute"]):
        raise AppNotFoundError(
            f"expected APP as module:attribute (main:app), module:factory(), a file or an OpenAPI document, "
            f"got {source.text!r}"
        )
    with _own_arguments(source.text):
        found = _imported(parts, source)
    if not isinstance(found, FastAPI | Toolway):
        hint = f"; if it is a factory, pass {source.text}()" if inspect.isroutine(found) else ""
        raise AppNotFoundError(f"expected a FastAPI application at {source.text!r}, found {_kind(found)}{hint}")
    return found


@contextmanager
def _own_arguments(text: str) -> Generator[None]:
    """Hide the arguments of toolway from an application that reads the command line when it is imported."""
    ours, sys.argv = sys.argv, [text]
    try:
        yield
    finally:
        sys.argv = ours


def _imported(parts: re.Match[str], source: Source) -> Any:
    sys.path.insert(0, str(source.folder))
    file: str | None = parts["file"]
    module = _module(parts["module"] or module_name(parts["file"], source.folder), source.folder)
    if file is not None and Path(module.__file__ or "") != (source.folder / file).resolve():
        raise AppNotFoundError(f"{module.__file__!r} was imported instead of {file!r}; rename the file")
    attribute = parts["attribute"] or default_attribute(module, parts["file"])
    found = _attribute(module, attribute)
    return _made(found, source.text, parts["made"]) if parts["made"] else found


def _module(name: str, folder: Path) -> ModuleType:
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
        raise AppNotFoundError(f"importing {name!r} failed: {told(error)}") from error


def _attribute(module: ModuleType, path: str) -> Any:
    found: Any = module
    for name in path.split("."):
        if not hasattr(found, name):
            raise AppNotFoundError(f"{module.__name__!r} has no {path!r}{_nearest(name, found)}")
        found = getattr(found, name)
    return found


def _nearest(name: str, found: object) -> str:
    apps = (
        [key for key, value in vars(found).items() if isinstance(value, FastAPI)] if hasattr(found, "__dict__") else []
    )
    near = get_close_matches(name, dir(found), n=3) or apps
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else ""


def _made(factory: Any, text: str, brackets: str) -> Any:
    if not callable(factory):
        name = text.removesuffix(brackets)
        raise AppNotFoundError(f"{name!r} is not callable (it is {_kind(factory)}); remove the parentheses")
    if inspect.iscoroutinefunction(factory):
        raise AppNotFoundError(f"{text!r} is an async function; expected a regular one that returns the application")
    values, named = _given(brackets)
    try:
        return cast("Callable[..., Any]", factory)(*values, **named)
    except (Exception, SystemExit) as error:  # the application's code runs here
        raise AppNotFoundError(f"{text!r} failed: {told(error)}") from error


def _given(brackets: str) -> tuple[list[Any], dict[str, Any]]:
    """Return a factory's arguments; only literals are allowed, so that APP runs no code except the application's."""
    try:
        call = cast("ast.Call", ast.parse(f"factory{brackets}", mode="eval").body)
        named = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords if keyword.arg}
        if isinstance(call.func, ast.Name) and len(named) == len(call.keywords):
            return [ast.literal_eval(value) for value in call.args], named
    except (SyntaxError, ValueError):
        pass
    raise AppNotFoundError(
        f"expected literal arguments for the factory, such as make('eu', debug=True), got {brackets!r}"
    )


def _toolway(app: FastAPI, text: str) -> Toolway:
    engine = mounted_on(app)
    return _made_for(app, text) if engine is None else engine.toolway


def _made_for(app: FastAPI, text: str) -> Toolway:
    """Return the Toolway made for an application but not mounted, whose filters apply; or a new one."""
    made = [engine.toolway for engine in engines_of(app) if not engine.mounts]
    if len(made) > 1:
        raise ConfigurationError(
            f"{text!r} has several Toolway instances and none is mounted; mount one, or pass one as module:attribute"
        )
    return made[0] if made else Toolway(app)


def _kind(found: object) -> str:
    if isinstance(found, ModuleType):
        return f"the module {found.__name__!r}"
    if inspect.isroutine(found) or isinstance(found, type):
        return f"the {'class' if isinstance(found, type) else 'function'} {found.__name__!r}"
    return f"an instance of {type(found).__name__!r}"


def told(error: BaseException) -> str:
    """Describe an exception of the application in one line, with the file and line that raised it."""
    text = " ".join(str(error).split())
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    return ": ".join(filter(None, (type(error).__name__, shown))) + _place(error)


def _place(error: BaseException) -> str:
    """Return the innermost file and line of the application, or else of an installed package."""
    if isinstance(error, SyntaxError):  # its message already has the file and line
        return ""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not _is_machinery(frame.filename)]
    theirs = [frame for frame in frames if "site-packages" not in frame.filename] or frames
    return f" ({theirs[-1].filename}, line {theirs[-1].lineno})" if theirs else ""


def _is_machinery(filename: str) -> bool:
    """Return whether a frame belongs to Python or to toolway rather than to the application."""
    is_python = filename.startswith(_STDLIB) and "site-packages" not in filename
    return "<" in filename or is_python or filename.startswith(_TOOLWAY)
