"""What an operator writes wrong is refused when the settings are read, in words that say what to write instead."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import ValidationError

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


WRONG = {
    "confirm": ("sometimes", "sometimes", "expected true, false or if_possible, got 'sometimes'"),
    "state_keys": (["hunter2"], '["hunter2"]', "expected secrets of 32 or more bytes"),
    "forward_headers": (["x y"], '["x y"]', "expected the name of a header, such as 'x-tenant', got 'x y'"),
    "max_body_bytes": (0, "0", "Input should be greater than 0"),
    "stateful": ("maybe", "maybe", "Input should be a valid boolean"),
    "store_url": (3, None, "Input should be a valid string"),
}


@pytest.mark.parametrize(
    ("name", "value", "words"), [(name, given, words) for name, (given, _, words) in WRONG.items()]
)
def test_a_value_that_cannot_be_is_refused_with_what_can(name: str, value: Any, words: str) -> None:
    assert problem(**{name: value}).startswith(f"{name} (TOOLWAY_{name.upper()}): {words}")


@pytest.mark.parametrize(
    ("name", "text", "words"), [(name, text, words) for name, (_, text, words) in WRONG.items() if text]
)
def test_a_variable_that_cannot_be_is_refused_with_what_can(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, words: str
) -> None:
    told = problem_of_environment(monkeypatch, f"TOOLWAY_{name.upper()}", text)
    assert told.startswith(f"{name} (TOOLWAY_{name.upper()}): {words}")


@pytest.mark.parametrize("value", [["hunter2"], "hunter2", {"key": "hunter2"}])
def test_a_secret_that_cannot_be_is_not_told(value: object) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Settings.model_validate({"state_keys": value})
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_what_is_no_settings_at_all_is_for_pydantic_to_refuse() -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(3)


@pytest.mark.parametrize(("text", "value"), [("true", True), ("0", False), ("if_possible", "if_possible")])
def test_whom_to_ask_is_yes_or_no_or_whoever_can_be_asked(
    monkeypatch: pytest.MonkeyPatch, text: str, value: object
) -> None:
    monkeypatch.setenv("TOOLWAY_CONFIRM", text)
    assert Settings().confirm == value
