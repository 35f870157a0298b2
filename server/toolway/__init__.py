"""Ordinary FastAPI endpoints, served to LLM agents as MCP tools."""
