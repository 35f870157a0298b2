"""Measurement of how well searches find tools."""
