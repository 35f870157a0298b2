"""Answers to the most frequent requests, written as bytes without the SDK."""
