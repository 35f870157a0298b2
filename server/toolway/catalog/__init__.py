"""The catalog that agents see: tools, resources, prompts and skills, and the filters that select them."""

from toolway.catalog.arguments import Argument, ArgumentLocation, BodyPlan
from toolway.catalog.builder import Catalog, build_catalog
from toolway.catalog.combine import combine_catalogs
from toolway.catalog.filters import Exposure, Filter, Selection
from toolway.catalog.prompt import Prompt
from toolway.catalog.resource import Resource
from toolway.catalog.result_shape import find_row_schema
from toolway.catalog.schema.output_schema import WRAPPER
from toolway.catalog.skill import Skill, SkillFile, read_skills
from toolway.catalog.suggestions import Completion
from toolway.catalog.tool import EndpointTool, Tool, ToolAnnotations

__all__ = [
    "WRAPPER",
    "Argument",
    "ArgumentLocation",
    "BodyPlan",
    "Catalog",
    "Completion",
    "EndpointTool",
    "Exposure",
    "Filter",
    "Prompt",
    "Resource",
    "Selection",
    "Skill",
    "SkillFile",
    "Tool",
    "ToolAnnotations",
    "build_catalog",
    "combine_catalogs",
    "find_row_schema",
    "read_skills",
]
