"""Operations of an API, read from its OpenAPI document and, if it runs in this process, from its routes."""

from toolway.openapi.caller_rules import CallerRules
from toolway.openapi.fastapi_app import read_application
from toolway.openapi.loader import is_document, load_document, parse_yaml, redact_url
from toolway.openapi.operation import (
    Api,
    Body,
    Credentials,
    Location,
    Operation,
    Parameter,
    Response,
    Schema,
    Serialization,
    SkippedOperation,
)
from toolway.openapi.parameter_names import NO_PARAMETERS, ParameterNames, read_guard_names, read_route_names
from toolway.openapi.path_template import PathTemplate, compile_tolerant_pattern
from toolway.openapi.reader import MALFORMED_ERRORS, read_document
from toolway.openapi.references import follow_pointer, split_pointer
from toolway.openapi.routes import (
    find_path,
    has_endpoint,
    has_path,
    iter_applications,
    may_inspect_callers,
)

__all__ = [
    "MALFORMED_ERRORS",
    "NO_PARAMETERS",
    "Api",
    "Body",
    "CallerRules",
    "Credentials",
    "Location",
    "Operation",
    "Parameter",
    "ParameterNames",
    "PathTemplate",
    "Response",
    "Schema",
    "Serialization",
    "SkippedOperation",
    "compile_tolerant_pattern",
    "find_path",
    "follow_pointer",
    "has_endpoint",
    "has_path",
    "is_document",
    "iter_applications",
    "load_document",
    "may_inspect_callers",
    "parse_yaml",
    "read_application",
    "read_document",
    "read_guard_names",
    "read_route_names",
    "redact_url",
    "split_pointer",
]
