"""What an operator writes wrong is refused when the settings are read, in words that say what to write instead."""

from __future__ import annotations

import json
import traceback
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import AliasChoices, AliasPath, Field, ValidationError

from toolway import Settings, Toolway
from toolway.errors import ConfigurationError


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


def test_settings_of_an_applications_own_may_come_under_other_names() -> None:
    class Own(Settings):
        region: str = Field("", validation_alias="SHOP_REGION")
        store: str = Field("", validation_alias=AliasChoices("SHOP_STORE", AliasPath("SHOP", "store")))

    class Open(Settings, extra="allow"):
        pass

    own = Own.model_validate({"SHOP_REGION": "eu", "SHOP_STORE": "north"})
    assert (own.region, own.store) == ("eu", "north")
    assert Open.model_validate({"whatever": 1}).model_extra == {"whatever": 1}


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("TOOLWAY_ALOWED_HOSTS", "TOOLWAY_ALLOWED_HOSTS"), ("TOOLWAY_STATEFULL", "TOOLWAY_STATEFUL"),
        ("TOOLWAY_PUBLIC_URI", "TOOLWAY_PUBLIC_URL"), ("toolway_forward_header", "TOOLWAY_FORWARD_HEADERS"),
    ],
)  # fmt: skip
def test_a_variable_that_is_almost_a_setting_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, meant: str) -> None:
    assert problem_of_environment(monkeypatch, name, "1") == f"{name} is not a known setting; did you mean {meant}?"
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
    "state_keys": (["hunter2"], '["hunter2"]', "expected secrets of at least 32 bytes"),
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


@pytest.mark.parametrize("given", [{"state_keys": ["hunter2"]}, {}, "stateful"])
def test_what_is_no_settings_is_refused_by_a_server(given: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Toolway(FastAPI(), settings=given)
    assert str(caught.value) == f"expected settings=Settings(...), got an object of type {type(given).__name__!r}"


@pytest.mark.parametrize(("text", "value"), [("true", True), ("0", False), ("if_possible", "if_possible")])
def test_whom_to_ask_is_yes_or_no_or_whoever_can_be_asked(
    monkeypatch: pytest.MonkeyPatch, text: str, value: object
) -> None:
    monkeypatch.setenv("TOOLWAY_CONFIRM", text)
    assert Settings().confirm == value


EXPECTED = {
    "allowed_hosts": "expected a host without a scheme or a path, such as 'api.example.com' or 'localhost:8000'",
    "allowed_origins": "expected an origin with its scheme and without a path, such as 'https://app.example.com'",
}


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        *(("allowed_hosts", entry) for entry in (
            "http://127.0.0.1", "127.0.0.1/", "api.example.com/mcp", "::1", "[::1", "localhost:*", "*.example.com",
            "localhost:", "localhost:http", "user@localhost", " localhost", "a b", "",
        )),
        *(("allowed_origins", entry) for entry in (
            "example.com", "localhost:3000", "https://", "https://example.com/", "https://example.com/app",
            "https://*.example.com", "http://localhost:*", "https://me@example.com", "https://example.com?x", "",
        )),
    ],
)  # fmt: skip
def test_a_host_or_an_origin_that_no_request_can_have_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, entry: str
) -> None:
    told = f"{name} (TOOLWAY_{name.upper()}): {EXPECTED[name]}, got {entry!r}"
    assert problem(**{name: ["*", entry]}) == told
    assert problem_of_environment(monkeypatch, f"TOOLWAY_{name.upper()}", json.dumps([entry])) == told


def test_hosts_and_origins_as_requests_have_them_are_kept_in_lower_case() -> None:
    hosts = ["API.example.com", "my_service:8000", "localhost", "127.0.0.1:80", "[::1]", "[FE80::1]:8443", "*"]
    origins = [
        "https://App.example.com", "http://localhost:3000", "http://[::1]:8000", "null", "NULL", "*", "file://",
        "vscode-webview://1a2b", "chrome-extension://abc",
    ]  # fmt: skip
    settings = Settings(allowed_hosts=hosts, allowed_origins=origins)
    assert settings.allowed_hosts == [host.lower() for host in hosts]
    assert settings.allowed_origins == [origin.lower() for origin in origins]


@pytest.mark.parametrize(
    "address",
    ["api.example.com", "localhost:8000", "//api.example.com", "ftp://api.example.com", "https://", "http://a b",
 "https://api.example.com:port", "https://api.example.com:", ""],
)  # fmt: skip
def test_a_public_url_has_a_scheme_and_a_host(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    told = f"expected an address with its scheme, such as 'https://api.example.com', got {address!r}"
    assert problem(public_url=address) == f"public_url (TOOLWAY_PUBLIC_URL): {told}"
    assert told in problem_of_environment(monkeypatch, "TOOLWAY_PUBLIC_URL", address)


@pytest.mark.parametrize(
    ("address", "words"),
    [("https://[::1", "Invalid IPv6 URL"), ("https://api.example.com:99999", "Port out of range 0-65535")],
)
def test_a_public_url_is_an_address_that_can_be(address: str, words: str) -> None:
    assert problem(public_url=address) == f"public_url (TOOLWAY_PUBLIC_URL): {words}"


def test_a_password_in_a_public_url_is_refused_and_not_told() -> None:
    told = problem(public_url="https://bob:hunter2@api.example.com")
    assert told.endswith("expected an address without a user name or password")


@pytest.mark.parametrize("rest", ["/shop", "/shop/", "?a=b", "/#top"])
def test_a_public_url_with_a_path_is_refused_with_where_that_belongs(rest: str) -> None:
    told = problem(public_url=f"https://api.example.com{rest}")
    shown = rest.replace("a=b", "...")  # which may be a key
    assert f"expected an address without a path, got 'https://api.example.com{shown}'" in told
    assert "uvicorn --root-path /shop" in told


@pytest.mark.parametrize(
    "address",
    ["https://api.example.com", "HTTP://localhost:8000/", "http://[::1]:80", "http://b\u00fccher.example"],
)
def test_a_public_url_is_kept_as_it_is(address: str) -> None:
    assert Settings(public_url=address).public_url == address


def test_a_setting_that_was_renamed_is_refused_with_its_new_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert problem(base_url="http://a") == "the setting 'base_url' is now named 'public_url'"
    told = problem_of_environment(monkeypatch, "TOOLWAY_BASE_URL", "http://a")
    assert told == "TOOLWAY_BASE_URL is now named TOOLWAY_PUBLIC_URL"
