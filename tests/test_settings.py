"""What an operator writes wrong is refused when the settings are read, in words that say what to write instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from toolway import ConfigurationError, Settings, Toolway


def problem(**given: Any) -> str:
    """Return what is said of settings that cannot be."""
    with pytest.raises(ConfigurationError) as caught:
        Settings(**given)
    return str(caught.value)


def problem_of_environment(patch: pytest.MonkeyPatch, name: str, value: str) -> str:
    """Return what is said of a variable that cannot be, to somebody who passes no settings."""
    patch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        Toolway(FastAPI())
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "closest"),
    [
        ("statefull", "stateful"), ("forward_header", "forward_headers"), ("TOOLWAY_STATEFUL", "stateful"),
        ("hosts", "allowed_hosts"),
    ],
)  # fmt: skip
def test_an_argument_that_is_no_setting_is_refused_with_the_closest_one(name: str, closest: str) -> None:
    assert problem(**{name: True}) == f"Settings has no {name!r}; the closest is {closest!r}"
    with pytest.raises(ConfigurationError, match=f"the closest is '{closest}'"):
        Settings.model_validate({name: True})


def test_settings_of_an_applications_own_have_further_names() -> None:
    class Own(Settings):
        region: str = ""

    assert Own(region="eu", stateful=True).region == "eu"
    with pytest.raises(ConfigurationError, match="Settings has no 'regoin'; the closest is 'region'"):
        Own.model_validate({"regoin": "eu"})


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("TOOLWAY_ALOWED_HOSTS", "TOOLWAY_ALLOWED_HOSTS"), ("TOOLWAY_STATEFULL", "TOOLWAY_STATEFUL"),
        ("TOOLWAY_BASE_URI", "TOOLWAY_BASE_URL"), ("toolway_forward_header", "TOOLWAY_FORWARD_HEADERS"),
    ],
)  # fmt: skip
def test_a_variable_that_is_almost_a_setting_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, meant: str) -> None:
    assert problem_of_environment(monkeypatch, name, "1") == f"{name} is no setting; did you mean {meant}?"
    assert "did you mean" in problem(stateful=True)


@pytest.mark.parametrize(
    "name", ["TOOLWAY_TEST_POSTGRES_URL", "TOOLWAY_PORT", "TOOLWAY_SERVICE_HOST", "TOOLWAY_DIRECTORY", "TOOLWAY_"]
)
def test_a_variable_that_is_like_no_setting_is_somebody_elses(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Kubernetes makes such variables of a service's name."""
    monkeypatch.setenv(name, "tcp://10.0.0.1:80")
    assert Toolway(FastAPI()).settings == Settings()


def test_a_variable_may_be_written_in_lower_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("toolway_stateful", "true")
    assert Settings().stateful


def test_a_file_of_variables_may_hold_those_of_others(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("TOOLWAY_STATEFUL=true\nTOOLWAY_PORT=80\nSECRET=x\n", "utf-8")
    assert Settings(_env_file=file).stateful
