"""A decorator that is used in a wrong way raises an error with the right one."""

from __future__ import annotations

from typing import Any

import pytest

from toolway import agent_prompt, agent_resource, agent_tool
from toolway.errors import ConfigurationError


async def read_order(order_id: str) -> str:
    return order_id


@pytest.mark.parametrize("marker", [agent_tool, agent_prompt])
@pytest.mark.parametrize("given", [read_order, "read_order"])
def test_a_marker_without_brackets_or_names_is_refused(marker: Any, given: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        marker(given)
    name = marker.__name__
    assert str(caught.value) == f"expected @{name}() or @{name}(name='...') above an endpoint, got {given!r}"


def test_a_resource_without_a_uri_is_refused() -> None:
    with pytest.raises(ConfigurationError) as caught:
        agent_resource(read_order)  # type: ignore[arg-type]
    expected = "expected a URI, such as @agent_resource('orders://{order_id}') above an endpoint"
    assert str(caught.value) == f"{expected}, got {read_order!r}"
