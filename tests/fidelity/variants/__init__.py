"""Whole applications that differ from the main one: in their layers, documents, places and routers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fastapi import FastAPI

from tests.fidelity.application import Application
from tests.fidelity.apps import APPLICATIONS
from tests.fidelity.variants import addons, documents, layers, places, routers

__all__ = ["VARIANTS"]

VARIANTS: Mapping[str, Application] = {
    **layers.applications(APPLICATIONS["main"]),
    **documents.applications(),
    **places.applications(APPLICATIONS["main"]),
    **routers.applications(),
    **addons.applications(),
}


def __getattr__(name: str) -> Callable[[], FastAPI]:
    """Return the factory of an application, as servers ask for it: ``tests.fidelity.variants:lifespan()``."""
    if name in VARIANTS:
        return VARIANTS[name].make
    raise AttributeError(name)
