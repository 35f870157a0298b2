"""Two endpoints, and pages of NiceGUI at /ui."""

from fastapi import FastAPI
from nicegui import ui

app = FastAPI(title="Beside NiceGUI")


@app.get("/add")
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@app.get("/words")
def words(text: str) -> list[str]:
    """Split a text at its blanks."""
    return text.split()


@ui.page("/")
def page() -> None:
    ui.label("A page")


ui.run_with(app, mount_path="/ui", storage_secret="for this run only")
