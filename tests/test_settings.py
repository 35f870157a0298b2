"""Invalid settings are rejected when they are read, with the expected value in the message."""

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
    """Return the error message for invalid settings."""
    with pytest.raises(ConfigurationError) as caught:
        Settings(**given)
    return str(caught.value)


def problem_of_environment(patch: pytest.MonkeyPatch, name: str, value: str) -> str:
    """Return the error message for an invalid environment variable."""
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
def test_an_unknown_argument_is_rejected_with_the_closest_setting(name: str, closest: str) -> None:
    assert problem(**{name: True}) == f"Settings has no {name!r}; the closest is {closest!r}"
    with pytest.raises(ConfigurationError, match=f"the closest is '{closest}'"):
        Settings.model_validate({name: True})


def test_a_subclass_may_add_fields() -> None:
    class Own(Settings):
        region: str = ""

    assert Own(region="eu", stateful=True).region == "eu"
    with pytest.raises(ConfigurationError, match="Settings has no 'regoin'; the closest is 'region'"):
        Own.model_validate({"regoin": "eu"})


def test_fields_of_a_subclass_may_have_aliases() -> None:
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
def test_a_misspelled_variable_is_rejected(monkeypatch: pytest.MonkeyPatch, name: str, meant: str) -> None:
    assert problem_of_environment(monkeypatch, name, "1") == f"{name} is not a known setting; did you mean {meant}?"
    assert "did you mean" in problem(stateful=True)


@pytest.mark.parametrize(
    "name", ["TOOLWAY_TEST_POSTGRES_URL", "TOOLWAY_PORT", "TOOLWAY_SERVICE_HOST", "TOOLWAY_DIRECTORY", "TOOLWAY_"]
)
def test_a_variable_unlike_every_setting_is_ignored(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Kubernetes derives such variables from the name of a service."""
    monkeypatch.setenv(name, "tcp://10.0.0.1:80")
    assert Toolway(FastAPI()).settings == Settings()


def test_a_variable_may_be_in_lower_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("toolway_stateful", "true")
    assert Settings().stateful


def test_unrelated_variables_in_an_env_file_are_ignored(tmp_path: Path) -> None:
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
def test_an_invalid_argument_is_rejected_with_the_expected_value(name: str, value: Any, words: str) -> None:
    assert problem(**{name: value}).startswith(f"{name} (TOOLWAY_{name.upper()}): {words}")


@pytest.mark.parametrize(
    ("name", "text", "words"), [(name, text, words) for name, (_, text, words) in WRONG.items() if text]
)
def test_an_invalid_variable_is_rejected_with_the_expected_value(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, words: str
) -> None:
    message = problem_of_environment(monkeypatch, f"TOOLWAY_{name.upper()}", text)
    assert message.startswith(f"{name} (TOOLWAY_{name.upper()}): {words}")


@pytest.mark.parametrize("value", [["hunter2"], "hunter2", {"key": "hunter2"}])
def test_an_invalid_secret_is_not_quoted(value: object) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Settings.model_validate({"state_keys": value})
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_pydantic_rejects_data_that_is_not_an_object() -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(3)


@pytest.mark.parametrize("given", [{"state_keys": ["hunter2"]}, {}, "stateful"])
def test_toolway_rejects_settings_of_another_type(given: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Toolway(FastAPI(), settings=given)
    assert str(caught.value) == f"expected settings=Settings(...), got an object of type {type(given).__name__!r}"


@pytest.mark.parametrize(("text", "value"), [("true", True), ("0", False), ("if_possible", "if_possible")])
def test_confirm_is_true_false_or_if_possible(monkeypatch: pytest.MonkeyPatch, text: str, value: object) -> None:
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
def test_a_host_or_origin_that_no_request_can_have_is_rejected(
    monkeypatch: pytest.MonkeyPatch, name: str, entry: str
) -> None:
    message = f"{name} (TOOLWAY_{name.upper()}): {EXPECTED[name]}, got {entry!r}"
    assert problem(**{name: ["*", entry]}) == message
    assert problem_of_environment(monkeypatch, f"TOOLWAY_{name.upper()}", json.dumps([entry])) == message


def test_hosts_and_origins_are_converted_to_lower_case() -> None:
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
    message = f"expected an address with its scheme, such as 'https://api.example.com', got {address!r}"
    assert problem(public_url=address) == f"public_url (TOOLWAY_PUBLIC_URL): {message}"
    assert message in problem_of_environment(monkeypatch, "TOOLWAY_PUBLIC_URL", address)


@pytest.mark.parametrize(
    ("address", "words"),
    [("https://[::1", "Invalid IPv6 URL"), ("https://api.example.com:99999", "Port out of range 0-65535")],
)
def test_an_invalid_public_url_is_rejected_with_the_reason(address: str, words: str) -> None:
    assert problem(public_url=address) == f"public_url (TOOLWAY_PUBLIC_URL): {words}"


def test_a_password_in_a_public_url_is_rejected_and_not_quoted() -> None:
    message = problem(public_url="https://bob:hunter2@api.example.com")
    assert message.endswith("expected an address without a user name or password")


@pytest.mark.parametrize("rest", ["/shop", "/shop/", "?a=b", "/#top"])
def test_a_public_url_with_a_path_is_rejected_with_the_option_for_it(rest: str) -> None:
    message = problem(public_url=f"https://api.example.com{rest}")
    shown = rest.replace("a=b", "...")  # may be a key
    assert f"expected an address without a path, got 'https://api.example.com{shown}'" in message
    assert "uvicorn --root-path /shop" in message


@pytest.mark.parametrize(
    "address",
    ["https://api.example.com", "HTTP://localhost:8000/", "http://[::1]:80", "http://b\u00fccher.example"],
)
def test_a_public_url_is_kept_unchanged(address: str) -> None:
    assert Settings(public_url=address).public_url == address


def test_a_renamed_setting_is_rejected_with_its_new_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert problem(base_url="http://a") == "the setting 'base_url' is now named 'public_url'"
    message = problem_of_environment(monkeypatch, "TOOLWAY_BASE_URL", "http://a")
    assert message == "TOOLWAY_BASE_URL is now named TOOLWAY_PUBLIC_URL"
