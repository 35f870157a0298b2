"""The configuration of authorization, and its validation."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import Depends
from pydantic import HttpUrl, ValidationError

from toolway.compat.fastapi_mcp import AuthConfig, OAuthMetadata

SERVER = {"issuer": "https://login.example", "token_endpoint": "https://login.example/token"}
PROXIES: dict[str, Any] = {"issuer": "https://login.example", "setup_proxies": True}


def test_the_defaults_are_fastapi_mcps() -> None:
    config = AuthConfig(issuer="https://login.example")
    assert config.model_dump() == {
        "version": "2025-03-26",
        "dependencies": None,
        "issuer": "https://login.example",
        "oauth_metadata_url": None,
        "authorize_url": None,
        "audience": None,
        "default_scope": "openid profile email",
        "client_id": None,
        "client_secret": None,
        "custom_oauth_metadata": None,
        "setup_proxies": False,
        "setup_fake_dynamic_registration": True,
        "metadata_path": "/.well-known/oauth-authorization-server",
    }


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({}, "at least one of 'issuer', 'custom_oauth_metadata' and 'dependencies'"),
        ({"dependencies": []}, "at least one of"),
        (PROXIES, "needs a 'client_id'"),
        ({**PROXIES, "client_id": "me"}, "needs a 'client_secret'"),
        ({**PROXIES, "issuer": None, "dependencies": [Depends(dict)]}, "needs an 'issuer' or an 'oauth_metadata_url'"),
        ({"issuer": "x", "version": "2025-06-18"}, "2025-03-26"),
        ({"issuer": "x", "authorize_url": "login"}, "URL"),
        ({"custom_oauth_metadata": SERVER}, "expected an authorization_endpoint"),
    ],
)
def test_missing_and_wrong_fields_are_rejected(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        AuthConfig(**fields)


@pytest.mark.parametrize("name", [name for name in OAuthMetadata.model_fields if name.endswith("_supported")])
def test_an_empty_list_in_the_metadata_is_rejected(name: str) -> None:
    with pytest.raises(ValidationError, match="at least 1 item"):
        OAuthMetadata(**{**SERVER, "authorization_endpoint": "https://login.example/go", name: []})


def test_dependencies_alone_are_enough() -> None:
    assert AuthConfig(dependencies=[Depends(dict)]).issuer is None


def test_proxies_without_registration_need_no_secret() -> None:
    assert AuthConfig(**PROXIES, client_id="me", setup_fake_dynamic_registration=False).client_secret is None


def test_metadata_may_be_a_dictionary_and_are_served_unchanged() -> None:
    written = {**SERVER, "authorization_endpoint": "https://login.example/go", "jwks_uri": "https://login.example/keys"}
    config = AuthConfig.model_validate({"custom_oauth_metadata": written})
    assert config.custom_oauth_metadata is not None
    assert config.custom_oauth_metadata.document() == written


def test_an_address_can_be_an_http_url() -> None:
    url = HttpUrl("https://login.example/go")
    config = AuthConfig.model_validate({"issuer": "https://login.example", "authorize_url": url})
    assert config.authorize_url == "https://login.example/go"


def test_the_secret_is_not_in_the_repr() -> None:
    assert "s3cret" not in repr(AuthConfig(**PROXIES, client_id="me", client_secret="s3cret"))
