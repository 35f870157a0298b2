"""What an API offers: its operations, read from its OpenAPI document."""

from toolway.openapi.caller_values import CallerRules
from toolway.openapi.declared import NO_PARAMETERS, ParameterNames, guard_names, route_names
from toolway.openapi.fastapi_app import (
    applications,
    has_endpoint,
    has_path,
    may_look_at_callers,
    path_of,
    read_application,
    responses_of,
)
from toolway.openapi.loader import is_document, load_document, parse_yaml, without_secrets
from toolway.openapi.model import (
    Api,
    Body,
    Credentials,
    Location,
    Operation,
    Parameter,
    Response,
    Schema,
    Serialization,
    Skipped,
)
from toolway.openapi.path_template import PathTemplate, tolerant_pattern
from toolway.openapi.reader import MALFORMED, read_document

__all__ = [
    "MALFORMED",
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
    "Skipped",
    "applications",
    "guard_names",
    "has_endpoint",
    "has_path",
    "is_document",
    "load_document",
    "may_look_at_callers",
    "parse_yaml",
    "path_of",
    "read_application",
    "read_document",
    "responses_of",
    "route_names",
    "tolerant_pattern",
    "without_secrets",
]
