"""What an agent sees: tools, resources and prompts, and which operations are any of them."""

from toolway.catalog.arguments import Argument, BodyPlan, Place
from toolway.catalog.builder import Catalog, build_catalog
from toolway.catalog.combine import combine_catalogs
from toolway.catalog.filters import Exposure, Filter, Selection
from toolway.catalog.prompt import Prompt
from toolway.catalog.resource import Resource
from toolway.catalog.schema.output import WRAPPER
from toolway.catalog.skill import Skill, SkillFile, read_skills
from toolway.catalog.suggestions import Completion
from toolway.catalog.tool import Annotations, Tool

__all__ = [
    "WRAPPER",
    "Annotations",
    "Argument",
    "BodyPlan",
    "Catalog",
    "Completion",
    "Exposure",
    "Filter",
    "Place",
    "Prompt",
    "Resource",
    "Selection",
    "Skill",
    "SkillFile",
    "Tool",
    "build_catalog",
    "combine_catalogs",
    "read_skills",
]
