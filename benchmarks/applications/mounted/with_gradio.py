"""Two endpoints, and a page of Gradio at /ui."""

import gradio
from fastapi import FastAPI

api = FastAPI(title="Beside Gradio")


@api.get("/add")
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@api.get("/words")
def words(text: str) -> list[str]:
    """Split a text at its blanks."""
    return text.split()


app = gradio.mount_gradio_app(api, gradio.Interface(fn=str.upper, inputs="text", outputs="text"), path="/ui")
