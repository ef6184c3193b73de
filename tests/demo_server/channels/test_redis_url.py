"""The URL of Redis: what is refused, and what may be shown of it."""

from __future__ import annotations

import pytest

from demo_server.channels.redis_server import check_redis, redis_address
from demo_server.options import Options, RedisUnusableError


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://localhost", "localhost:6379"),
        ("redis://user:secret@localhost:7000/3", "localhost:7000"),
        ("rediss://:secret@[::1]/?ssl_ca_certs=x", "[::1]:6379"),
        ("unix:///run/redis.sock?password=secret", "/run/redis.sock"),
    ],
)
def test_address_has_no_secret(url: str, address: str) -> None:
    assert redis_address(url) == address


@pytest.mark.parametrize(
    "url",
    [
        "localhost:6379", "http://localhost", "redis://", "redis://localhost:99999", "redis://localhost/name", "unix://",
        "redis://:sec/ret@localhost", "redis://:12/secret@localhost", "redis://u:12?secret@localhost",
        "redis://u:12#secret@localhost", "redis://[secret", "redis://127.0.0.1:1/?secret=1", "redis://127.0.0.1:1/?db=secret",
    ],
)  # fmt: skip
def test_invalid_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(RedisUnusableError, match=r"^not a URL of Redis: use redis://") as caught:
        check_redis(url)
    assert "secret" not in str(caught.value)


def test_options_hide_the_url_when_they_are_shown() -> None:
    assert "secret" not in repr(Options(redis_url="redis://:secret@localhost"))
