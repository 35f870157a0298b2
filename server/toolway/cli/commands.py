"""The commands.

Exit codes: 0 for success, 1 for a tool that answered with an error, 2 for what the person has to correct; then there is
one line on stderr that says what.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar, cast

import anyio
import click

from toolway._toolway import Running, Toolway
from toolway.calls import CallContext, Outcome
from toolway.catalog import Catalog, build_catalog
from toolway.cli.loading import Source, find_source, load_toolway, told
from toolway.cli.show import show_catalog, show_catalog_json, show_outcome
from toolway.cli.values import read_arguments, read_json
from toolway.clients import CLIENTS, Launch
from toolway.errors import ConfigurationError, ToolwayError
from toolway.operations import load_document, read_document

__all__ = ["main"]

T = TypeVar("T")

_app_dir = click.option(
    "--app-dir",
    default=".",
    type=click.Path(path_type=Path),
    help="The folder to import APP from; this folder by default.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("toolway"), prog_name="toolway")
def _toolway() -> None:
    """Serve FastAPI endpoints to LLM agents as MCP tools.

    APP is module:attribute or module:factory(); for `list` also the path or URL of an OpenAPI document. Without it,
    pyproject.toml says it: [tool.toolway] app = "...".
    """


@_toolway.command()
@click.argument("app", required=False)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="Processes that serve.")
@_app_dir
def serve(app: str | None, host: str, port: int, workers: int, app_dir: Path) -> None:
    """Serve APP over HTTP: MCP at /mcp, Swagger UI at /docs."""
    from toolway.cli.serving import serve_http  # noqa: PLC0415 - the web server is slow to import

    serve_http(_application(app, app_dir), host, port, workers)


@_toolway.command()
@click.argument("app", required=False)
@_app_dir
def stdio(app: str | None, app_dir: Path) -> None:
    """Serve APP over stdin and stdout, for clients that start the server."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    source = _application(app, app_dir)
    _run(lambda: _serve_stdio(source))


async def _serve_stdio(source: Source) -> None:
    from toolway.protocol import standard_streams  # noqa: PLC0415 - the SDK is slow to import

    # The streams come first: what the application prints from here on cannot break the protocol.
    async with standard_streams() as serve_streams, _started(load_toolway(source)) as running:
        await serve_streams(running.server)


@_toolway.command("list")
@click.argument("app", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the definitions as an agent gets them.")
@_app_dir
def list_tools(app: str | None, as_json: bool, app_dir: Path) -> None:
    """List the tools of APP as an agent sees them."""
    catalog = _catalog(find_source(app, app_dir))
    (show_catalog_json if as_json else show_catalog)(catalog)


def _catalog(source: Source) -> Catalog:
    if source.is_document:
        return build_catalog(read_document(load_document(source.text)))

    async def read() -> Catalog:
        async with _started(load_toolway(source)) as running:
            return running.catalog

    with _stdout_kept():
        return _run(read)


@_toolway.command()
@click.argument("words", nargs=-1, required=True, metavar="[APP] NAME [KEY=VALUE]...")
@click.option("--json", "json_text", help="All arguments as one JSON object.")
@_app_dir
def call(words: tuple[str, ...], json_text: str | None, app_dir: Path) -> None:
    """Call one tool of APP, in this process."""
    has_app = ":" in words[0].partition("=")[0]
    app, rest = (words[0], words[1:]) if has_app else (None, words)
    if not rest:
        raise click.UsageError("missing the tool's NAME; `toolway list` shows them")
    source, given = _application(app, app_dir), read_json(json_text)

    async def run() -> Outcome:
        toolway = load_toolway(source)
        async with _started(toolway) as running:
            tool = running.calls.tool(rest[0])
            arguments = read_arguments(tool, rest[1:], given)
            return await running.calls.call(tool.name, arguments, CallContext.local(toolway.settings))

    with _stdout_kept():
        outcome = _run(run)
    show_outcome(outcome)
    sys.exit(1 if outcome.is_error else 0)


@_toolway.command()
@click.argument("client", type=click.Choice(sorted(CLIENTS)))
@click.argument("app", required=False)
@_app_dir
def config(client: str, app: str | None, app_dir: Path) -> None:
    """Print the block to paste into CLIENT, so that it starts APP by itself."""
    source = _application(app, app_dir)
    with _stdout_kept():
        title = load_toolway(source).app.title
    args = ("-m", "toolway", "stdio", "--app-dir", str(source.folder), source.text)
    block, where = CLIENTS[client](Launch(title, sys.executable, args))
    click.echo(block)
    click.echo(where, err=True)


def _application(app: str | None, folder: Path) -> Source:
    source = find_source(app, folder)
    if source.is_document:
        raise ConfigurationError(
            f"{source.text!r} is an OpenAPI document: it can be listed, but remote APIs cannot be called yet"
        )
    return source


@contextlib.asynccontextmanager
async def _started(toolway: Toolway) -> AsyncGenerator[Running, None]:
    async with contextlib.AsyncExitStack() as stack:
        try:
            running = await stack.enter_async_context(toolway.running())
        except ToolwayError:
            raise
        except Exception as error:  # somebody else's start-up runs here
            raise ConfigurationError(f"the application did not start: {told(error)}") from error
        yield running


@contextlib.contextmanager
def _stdout_kept() -> Generator[None, None, None]:
    """Send what the application prints to stderr; stdout is for the answer."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _run(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    try:
        return anyio.run(work)
    except BaseExceptionGroup as group:
        raise _cause(group) from group


def _cause(error: BaseException) -> BaseException:
    """The first of the exceptions that a task group has put together."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return error


def main() -> None:
    """Run the command line."""
    try:
        _toolway(standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        _complain(error.format_message())
    except ToolwayError as error:
        _complain(str(error))
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)
    except BrokenPipeError:
        # The reader has enough (`toolway list | head`); Python would complain once more while closing stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(0)


def _complain(text: str) -> None:
    click.echo(f"toolway: {' '.join(text.split())}", err=True)
    sys.exit(2)
