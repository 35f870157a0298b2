"""The commands of ``toolway``.

Exit codes:
    0: success.
    1: a tool returned an error, or lint has a finding that `--fail-on` names.
    2: wrong usage or configuration, described in one line on stderr.
    3: the application failed to shut down after the output was printed; described in one line on stderr.
    130: the command was interrupted.
    141: the reader of stdout closed it early, as `head` does.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from toolway.app import engine_of
from toolway.calls import CallContext, read_arguments
from toolway.catalog import Catalog, build_catalog, prepare_definitions
from toolway.cli.app_loader import load_and_list_others
from toolway.cli.app_runner import ShutdownError, run_async, start_app
from toolway.cli.app_source import AppSource, find_source, is_source, suggest_equivalent
from toolway.cli.catalog_output import (
    print_catalog,
    print_catalog_json,
    print_outcome,
    print_ranking,
    print_ranking_json,
)
from toolway.cli.lint_output import parse_fail_on, parse_rules, print_report, print_report_json
from toolway.cli.options import (
    credential_options,
    filter_options,
    parse_credentials,
    parse_json_arguments,
    parse_pairs,
    parse_selection,
)
from toolway.cli.output_streams import (
    configure_logging,
    configure_streams,
    echo,
    print_error,
    redirect_application_output,
)
from toolway.clients import CLIENTS, Launch, needed_environment, server_name
from toolway.elicitation import ReplayChannel
from toolway.errors import ConfigurationError, ToolwayError
from toolway.lint import lint
from toolway.openapi import load_document, read_document
from toolway.search_mode import rank_tools
from toolway.settings import settings_of
from toolway.sources import caller_rules

__all__ = ["main"]

_app_dir = click.option(
    "--app-dir",
    default=".",
    metavar="FOLDER",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder to import APP from. Defaults to the current folder.",
)


def _change_folder(_context: click.Context, _option: click.Parameter, folder: Path | None) -> None:
    if folder is not None:
        os.chdir(folder)


_chdir = click.option(
    "--chdir",
    metavar="FOLDER",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    is_eager=True,  # before --app-dir, which is relative to it
    expose_value=False,
    callback=_change_folder,
    help="Change to this folder first; relative paths start from it.",
)
_base_url = click.option("--base-url", metavar="URL", help="URL of the API, if APP is an OpenAPI document.")
_start = click.option(
    "--start",
    "starts",
    is_flag=True,
    help="Start APP first and shut it down afterwards, to include routes that are added at startup.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, invoke_without_command=True)
@click.version_option(version("toolway"), prog_name="toolway")
@click.pass_context
def _toolway(context: click.Context) -> None:
    """Serve FastAPI endpoints to LLM agents as MCP tools.

    APP is module:attribute, module:factory() with literal arguments in the parentheses, a file (main.py, main.py:app),
    or the path or URL of an OpenAPI document (with --base-url for the URL of its API). APP defaults to [tool.toolway]
    app or [tool.fastapi] entrypoint in pyproject.toml.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@_toolway.command()
@click.argument("app", required=False)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=8000,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 picks a free port.",
)
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="Number of worker processes.")
@filter_options
@_base_url
@_app_dir
def serve(
    app: str | None,
    host: str,
    port: int,
    workers: int,
    base_url: str | None,
    app_dir: Path,
    **filters: Any,
) -> None:
    """Serve APP over HTTP: MCP at /mcp, Swagger UI at /docs."""
    try:
        from toolway.cli.http_server import serve_http  # noqa: PLC0415 - the web server is slow to import
    except ModuleNotFoundError as error:
        if error.name != "uvicorn":
            raise
        raise ConfigurationError("`toolway serve` needs uvicorn: pip install 'toolway[serve]'") from error
    sys.exit(serve_http(find_source(app, app_dir, base_url, parse_selection(**filters)), host, port, workers))


@_toolway.command(short_help="Serve APP over stdin and stdout.")
@click.argument("app", required=False)
@filter_options
@credential_options
@_base_url
@_chdir
@_app_dir
def stdio(
    app: str | None,
    base_url: str | None,
    app_dir: Path,
    header: tuple[str, ...],
    query: tuple[str, ...],
    **filters: Any,
) -> None:
    """Serve APP over stdin and stdout, for clients that launch the server themselves."""
    from toolway.cli.stdio_server import serve_stdio  # noqa: PLC0415 - the SDK is slow to import

    serve_stdio(find_source(app, app_dir, base_url, parse_selection(**filters), parse_credentials(header, query)))


@_toolway.command("list", short_help="List the tools of APP as an agent sees them.")
@click.argument("app", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the definitions as JSON, as an agent receives them.")
@_start
@filter_options
@_app_dir
def list_tools(app: str | None, as_json: bool, starts: bool, app_dir: Path, **filters: Any) -> None:
    """List the tools, resources and prompts of APP as an agent sees them."""

    def show(catalog: Catalog) -> int:
        mode = settings_of(None).catalog
        if as_json:
            print_catalog_json(catalog, "list" if mode == "auto" else mode)
        else:
            print_catalog(catalog)
        return 0

    sys.exit(_run_with_catalog(find_source(app, app_dir, None, parse_selection(**filters)), show, starts=starts))


@_toolway.command(short_help="Search the tools of APP as an agent does.")
@click.argument("words", nargs=-1, required=True, metavar="[APP] TEXT")
@click.option("--json", "as_json", is_flag=True, help="Print the ranking as JSON.")
@click.option("--limit", default=10, show_default=True, type=click.IntRange(min=1), help="Show at most so many tools.")
@_start
@_app_dir
def find(words: tuple[str, ...], as_json: bool, limit: int, starts: bool, app_dir: Path) -> None:
    """Search the tools of APP as search_tools does, best first, and show which words each tool matches.

    Add search_words to a tool that should be found, or improve its description.
    """
    app, text = (words[0], words[1:]) if len(words) > 1 and is_source(words[0]) else (None, words)

    def show(catalog: Catalog) -> int:
        ranking = rank_tools(list(catalog.tools.values()), " ".join(text), limit)
        (print_ranking_json if as_json else print_ranking)(ranking)
        return 0 if ranking else 1

    sys.exit(_run_with_catalog(find_source(app, app_dir, None), show, starts=starts))


@_toolway.command("lint", short_help="Check APP for problems that trip up agents.")
@click.argument("app", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the whole report as JSON.")
@click.option("--all", "show_all", is_flag=True, help="Print every finding, not only the first five of each rule.")
@click.option(
    "--fail-on",
    callback=parse_fail_on,
    default="never",
    metavar="LEVEL|RULES",
    help="Exit with code 1 on findings of this level or worse (error, warn), or of these rules (such as D1,N1). "
    "Defaults to never.",
)
@click.option(
    "--only", callback=parse_rules, default="", metavar="RULES", help="Apply only these rules, such as D1,N1."
)
@click.option("--tool", "tools", multiple=True, metavar="NAME", help="Report only on this tool. Can be repeated.")
@_start
@filter_options
@_app_dir
def lint_tools(
    app: str | None,
    as_json: bool,
    show_all: bool,
    fail_on: frozenset[str],
    only: frozenset[str],
    tools: tuple[str, ...],
    starts: bool,
    app_dir: Path,
    **filters: Any,
) -> None:
    """Check APP for problems that trip up agents, suggest fixes, and report token costs."""

    def show(catalog: Catalog) -> int:
        report = lint(catalog, server_name(catalog.title), only=only, tools=tools)
        if as_json:
            print_report_json(report)
        else:
            print_report(report, show_all=show_all)
        return 1 if report.has_any(fail_on) else 0

    sys.exit(_run_with_catalog(find_source(app, app_dir, None, parse_selection(**filters)), show, starts=starts))


def _run_with_catalog(source: AppSource, show: Callable[[Catalog], int], *, starts: bool) -> int:
    """Read a catalog, show it before a started application shuts down, and return the exit code."""
    if source.is_document:
        settings, api = settings_of(None), read_document(load_document(source.text))
        rules = caller_rules(settings)
        publishes_output = settings.output_schemas is not False
        catalog = build_catalog(api, source.selection, rules=rules, publishes_output=publishes_output)
        return show(replace(catalog, tools=prepare_definitions(catalog.tools, settings)))
    with redirect_application_output():
        toolway = load_and_list_others(source)

        async def start_and_show() -> int:
            async with start_app(toolway) as running:
                return show(running.catalog)

        return run_async(start_and_show) if starts else show(toolway.read_catalog())


@_toolway.command(short_help="Call one tool of APP.")
@click.argument("words", nargs=-1, required=True, metavar="[APP] NAME [KEY=VALUE]...")
@click.option("--json", "json_text", metavar="OBJECT", help="Arguments as one JSON object; KEY=VALUE overrides it.")
@credential_options
@_base_url
@_app_dir
def call(
    words: tuple[str, ...],
    json_text: str | None,
    base_url: str | None,
    app_dir: Path,
    header: tuple[str, ...],
    query: tuple[str, ...],
) -> None:
    """Call one tool of APP in this process, or over HTTP if APP is an OpenAPI document.

    VALUE is passed unchanged to an argument that takes text, and parsed as JSON for any other: count=3, ids='["a",
    "b"]'.
    """
    app, rest = (words[0], words[1:]) if is_source(words[0]) else (None, words)
    if not rest or "=" in rest[0]:
        raise click.UsageError("missing tool NAME; `toolway list` shows all tools")
    credentials = parse_credentials(header, query)
    source = find_source(app, app_dir, base_url, None, credentials)
    given, pairs = parse_json_arguments(json_text), parse_pairs(rest[1:])
    with redirect_application_output():
        toolway = load_and_list_others(source)

        async def call_and_show() -> int:
            async with start_app(toolway) as running:
                running.policy.confirmation = None  # typing the command is the confirmation
                # No answers: a tool that asks its user fails with a message, because a command is not interactive.
                context = replace(CallContext.local(toolway.settings), asking=ReplayChannel(()))
                tool = running.calls.tool(rest[0], context)
                arguments = {**given, **read_arguments(tool, pairs)}
                outcome = await running.calls.perform(tool, arguments, context)
                print_outcome(outcome)
                return 1 if outcome.is_error else 0

        code = run_async(call_and_show)
    sys.exit(code)


@_toolway.command(short_help="Print the configuration of an MCP client.")
@click.argument("client", metavar="CLIENT", type=click.Choice(sorted(CLIENTS)))
@click.argument("app", required=False)
@_base_url
@_app_dir
def config(client: str, app: str | None, base_url: str | None, app_dir: Path) -> None:
    """Print the JSON snippet with which CLIENT launches APP, in the current folder.

    CLIENT is claude-code, claude-desktop or gemini-cli. The file to paste it into is printed on stderr.
    """
    source, here = find_source(app, app_dir, base_url), Path.cwd()
    with redirect_application_output():
        toolway = load_and_list_others(source)
        title, env = engine_of(toolway).title, needed_environment(toolway.read_catalog())
    block, where = CLIENTS[client](Launch(title, sys.executable, tuple(_iter_launch_arguments(source, here)), env))
    echo(block)
    echo(where, err=True)
    if env:
        echo(f"Replace each '...' in 'env' with a credential that the API declares: {', '.join(env)}.", err=True)


def _iter_launch_arguments(source: AppSource, here: Path) -> Iterator[str]:
    """Yield the arguments that serve an application from this folder when the client runs them in any other."""
    yield from ("-P", "-m", "toolway")  # -P: files in the client's folder must not shadow standard modules
    yield from ("stdio", "--chdir", str(here))
    if source.folder != here:
        yield from ("--app-dir", str(source.folder))
    yield from source.arguments


def main() -> None:
    """Run the ``toolway`` command, and exit with its code."""
    configure_streams()
    configure_logging()
    try:
        code = _toolway.main(prog_name="toolway", standalone_mode=False)
    except click.NoSuchOption as error:
        ours = suggest_equivalent(error.option_name.lstrip("-").replace("-", "_"), is_flag=True)
        print_error(
            f"no such option {error.option_name}; use {ours}" if ours else error.format_message() + _hint_at_help(error)
        )
        code = 2
    except click.UsageError as error:
        print_error(error.format_message() + _hint_at_help(error))
        code = 2
    except ToolwayError as error:
        print_error(str(error))
        code = 3 if isinstance(error, ShutdownError) else 2
    except (KeyboardInterrupt, click.Abort):
        code = 130
    except OSError as error:  # raised by `--help`, which click prints itself
        if error.errno != errno.ENOSPC:
            raise
        print_error(f"cannot write to stdout: {error.strerror}")
        code = 2
    sys.exit(code)


def _hint_at_help(error: click.UsageError) -> str:
    return f" (see `{error.ctx.command_path} --help`)" if error.ctx else ""
