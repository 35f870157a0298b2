"""What an agent sees: tools, their names and schemas, and which operations are tools at all."""

from toolway.catalog.arguments import Argument, BodyPlan, Place
from toolway.catalog.build import Catalog, build_catalog
from toolway.catalog.selection import Exposure, Filter, Selection
from toolway.catalog.tool import Annotations, Tool

__all__ = [
    "Annotations",
    "Argument",
    "BodyPlan",
    "Catalog",
    "Exposure",
    "Filter",
    "Place",
    "Selection",
    "Tool",
    "build_catalog",
]
