from __future__ import annotations

import pytest
import voluptuous as vol

from mynah_http.config import SCHEMA

check = vol.Schema(SCHEMA)


def test_the_defaults_are_local_and_quiet():
    assert check({}) == {
        "host": "127.0.0.1",
        "port": 8000,
        "max_body_mb": 16,
        "allowed_origins": [],
        "mdns": True,
        "request_timeout": 60,
        "shutdown_timeout": 5,
        "access_log": False,
    }


def test_every_key_is_described():
    assert all(key.description for key in SCHEMA)


def test_origins_are_written_as_browsers_send_them():
    assert check({"allowed_origins": ["HTTPS://Page.Example:8443/"]})["allowed_origins"] == [
        "https://page.example:8443"
    ]


@pytest.mark.parametrize(
    "config",
    [
        {"port": 70000},
        {"host": ""},
        {"max_body_mb": 0},
        {"request_timeout": 0},
        {"tls": {"certificate": "a.pem"}},
        {"allowed_origins": ["page.example"]},
        {"allowed_origins": ["https://page.example/path"]},
        {"allowed_origins": ["*"]},
        {"allowed_origins": [7]},
        {"prot": 8000},
    ],
)
def test_what_cannot_be_meant_is_refused(config):
    with pytest.raises(vol.Invalid):
        check(config)
