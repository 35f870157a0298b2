"""The catalog that agents see: tools, resources, prompts and skills, and the filters that select them."""

from toolway.catalog.arguments import Argument, ArgumentLocation, BodyPlan
from toolway.catalog.builder import Catalog, build_catalog
from toolway.catalog.combine import combine_catalogs
from toolway.catalog.field_paths import ANY_FIELD, FieldTree, check_fields, parse_fields
from toolway.catalog.filters import Exposure, Filter, Selection
from toolway.catalog.listing import prepare_definitions
from toolway.catalog.marker_fields import FIELDS
from toolway.catalog.modes import (
    ALL_MODES,
    MODES,
    CatalogChoice,
    CatalogMode,
    choose_mode,
    read_mode,
    too_large_for_list,
)
from toolway.catalog.prompt import Prompt
from toolway.catalog.resource import Resource
from toolway.catalog.result_shape import find_result_schema, find_rows
from toolway.catalog.schema.output_schema import WRAPPER
from toolway.catalog.skill import Skill, SkillFile, read_skills
from toolway.catalog.suggestions import Completion
from toolway.catalog.tool import EndpointTool, Tool, ToolAnnotations, tool_uri
from toolway.catalog.view import VIEW_MEDIA_TYPE, View

__all__ = [
    "ALL_MODES",
    "ANY_FIELD",
    "FIELDS",
    "MODES",
    "VIEW_MEDIA_TYPE",
    "WRAPPER",
    "Argument",
    "ArgumentLocation",
    "BodyPlan",
    "Catalog",
    "CatalogChoice",
    "CatalogMode",
    "Completion",
    "EndpointTool",
    "Exposure",
    "FieldTree",
    "Filter",
    "Prompt",
    "Resource",
    "Selection",
    "Skill",
    "SkillFile",
    "Tool",
    "ToolAnnotations",
    "View",
    "build_catalog",
    "check_fields",
    "choose_mode",
    "combine_catalogs",
    "find_result_schema",
    "find_rows",
    "parse_fields",
    "prepare_definitions",
    "read_mode",
    "read_skills",
    "too_large_for_list",
    "tool_uri",
]
