"""The tools with which agents find, understand and call the tools of a large catalog."""

from toolway.search_mode.agent_tools import SEARCH_ORIGIN, build_search_tools
from toolway.search_mode.functions import RankedTool, SearchFunctions, rank_tools, with_signature

__all__ = ["SEARCH_ORIGIN", "RankedTool", "SearchFunctions", "build_search_tools", "rank_tools", "with_signature"]
