"""Rules about the token cost of tool definitions, all of which are part of the model's context."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from toolway.lint.finding import Finding, Level, Rule
from toolway.lint.lint_context import BYTES_PER_TOKEN, Check, LintContext, json_size

__all__ = ["CHECKS"]

_CHOICE_LIMIT, _CURSOR_LIMIT, _VSCODE_LIMIT = 20, 40, 128
_MAX_TOKENS = 10_000
_MAX_BYTES = 4_000
_MAX_OUTPUT_BYTES = 2_000

S5 = Rule(
    "S5",
    "warn",
    "Large definition",
    "A lean tool has 0.5 to 1 kB; a large one takes up context in every request.",
    "Use fewer fields: a smaller response model, a body with only what agents need, shorter descriptions.",
)
C1 = Rule(
    "C1",
    "warn",
    "Many tools in one list",
    "Agents choose worse among more than 20, Cursor accepts about 40, and VS Code rejects more than 128.",
    'Narrow the selection with Toolway(app, include={"tags": [...]}) or expose="marked", or mount several servers.',
)
C2 = Rule(
    "C2",
    "warn",
    "Definitions of more than 10,000 tokens",
    "They are part of the context of every request, whether or not a tool is called.",
    "Use fewer and leaner tools; the cost table shows the most expensive ones.",
)


C3 = Rule(
    "C3",
    "warn",
    "Most tools come from a mounted application",
    "The internals of a mounted user interface or API crowd out the endpoints that agents need.",
    'Exclude the path of the mount: Toolway(app, exclude={"paths": [...]}).',
)


def _check_size(context: LintContext) -> Iterator[Finding]:
    for tool in context.tools:
        whole, taken = json_size(tool.whole_definition(wrapped=False)), json_size(tool.input_schema)
        output = json_size(tool.output_schema) if tool.output_schema is not None else 0
        if whole > _MAX_BYTES:
            yield S5.at(tool, f"the definition has {whole:,} bytes: input schema {taken:,}, output schema {output:,}")
        elif output > _MAX_OUTPUT_BYTES and output > taken:
            yield S5.at(tool, f"the output schema has {output:,} bytes, more than the input schema's {taken:,}")


def _check_count(context: LintContext) -> Iterator[Finding]:
    tools = len(context.tools)
    if tools > _CHOICE_LIMIT:
        level: Level = "error" if tools > _VSCODE_LIMIT else "warn"
        limit = next(limit for limit in (_VSCODE_LIMIT, _CURSOR_LIMIT, _CHOICE_LIMIT) if tools > limit)
        yield C1.overall(f"{tools} tools, more than {limit}", level)


def _check_total_size(context: LintContext) -> Iterator[Finding]:
    tokens = sum(context.sizes.values()) // BYTES_PER_TOKEN
    if tokens > _MAX_TOKENS:
        yield C2.overall(f"about {tokens:,} tokens for {len(context.tools)} tools")


def _check_mounted_share(context: LintContext) -> Iterator[Finding]:
    """Check only applications that also have endpoints of their own; an API may be mounted as a whole."""
    mounted = (tool.operation.path for tool in context.tools if tool.operation.template.mounts)
    tops = Counter(f"/{path.split('/')[1]}" for path in mounted)
    total = len(context.tools)
    for top, number in tops.most_common(1):
        if total > _CHOICE_LIMIT and total / 2 < number < total:
            exclude = f'exclude={{"paths": ["{top}/*"]}}'
            yield C3.overall(
                f"{number} of {total} tools come from the application mounted at {top}; {exclude} removes them"
            )


CHECKS: dict[Rule, Check] = {S5: _check_size, C1: _check_count, C2: _check_total_size, C3: _check_mounted_share}
