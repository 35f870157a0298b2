"""What an API offers: its operations, read from its OpenAPI document."""

from toolway.operations.application import has_path, read_application
from toolway.operations.document import MALFORMED, read_document
from toolway.operations.loading import is_document, load_document
from toolway.operations.model import (
    Api,
    Body,
    Credentials,
    Location,
    Operation,
    Parameter,
    Response,
    Schema,
    Skipped,
)
from toolway.operations.paths import PathTemplate

__all__ = [
    "MALFORMED",
    "Api",
    "Body",
    "Credentials",
    "Location",
    "Operation",
    "Parameter",
    "PathTemplate",
    "Response",
    "Schema",
    "Skipped",
    "has_path",
    "is_document",
    "load_document",
    "read_application",
    "read_document",
]
