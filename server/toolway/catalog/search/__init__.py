"""Search over tools: words, their stems and synonyms, and embeddings where the extra ``search`` is installed."""

from toolway.catalog.search.index import Match, SearchIndex
from toolway.catalog.search.tool_fields import index_fields

__all__ = ["Match", "SearchIndex", "index_fields"]
