"""The compatibility layer uses public names, and these internal ones; do not add to the list."""

from __future__ import annotations

from tests.foundation.project import PACKAGE
from tests.foundation.test_imports import PUBLIC_MODULES, imported_names, parse

INTERNAL = {
    "toolway.protocol.http.worker_processes.is_one_of_several",
    "toolway.app.engine_of",
    "toolway.catalog.Catalog",
    "toolway.catalog.Selection",
    "toolway.catalog.EndpointTool",
    "toolway.catalog.marker_fields.read_operation_marker",
    "toolway.catalog.schema.definitions.Definitions",
    "toolway.headers.stays_with_connection",
    "toolway.host.lifespan.run_within",
    "toolway.openapi.Api",
    "toolway.openapi.Operation",
    "toolway.openapi.Response",
    "toolway.openapi.has_endpoint",
    "toolway.openapi.has_path",
    "toolway.protocol.http.jsonrpc.HTTPRejection",
    "toolway.protocol.http.request_checks.is_allowed_host",
    "toolway.settings.read_settings",
    "toolway.sources.Application",
}


def test_the_compatibility_layer_imports_no_other_internal_name() -> None:
    modules = sorted((PACKAGE / "compat").rglob("*.py"))
    names = {name for module in modules for name in imported_names(parse(module), module)}
    ours = {name for name in names if name.startswith("toolway.") and not name.startswith("toolway.compat.")}
    assert {name for name in ours if name.rpartition(".")[0] not in PUBLIC_MODULES} == INTERNAL
