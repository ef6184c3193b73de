"""Requests beyond the limits of channels and subscribers; the tests lower these limits."""

from __future__ import annotations

from contextlib import ExitStack

import httpx
import pytest
from running_demo import running_demo

MAIN = "from demo_server.__main__ import main; main()"
TWO_CHANNELS = (
    "import demo_server.channels.channels as c, demo_server.endpoints.channels as e; "
    "c.MAX_CHANNELS = e.MAX_CHANNELS = 2; "
)
NO_BACKLOG = "import demo_server.channels.backlog as b; b.MAX_BACKLOG_BYTES = -1; "


def test_new_channel_is_refused_while_all_channels_have_subscribers() -> None:
    detail = "all 2 channels have subscribers, so c cannot be created: use one of them, or wait"
    with running_demo("--access-log", "none", code=TWO_CHANNELS + MAIN) as demo:
        client = demo.client
        with ExitStack() as stack:
            for name in ("a", "b"):
                stack.enter_context(client.stream("GET", f"/channels/{name}"))
            for refused in (client.get("/channels/c"), client.post("/channels/c", content="x")):
                assert (refused.status_code, refused.json()["detail"]) == (503, detail)
                assert refused.headers["retry-after"] == "5"
            assert client.post("/channels/a", content="x").json()["subscribers"] == 1
        demo.wait_until_idle(10)
        assert client.post("/channels/c", content="x").status_code == 201
        assert demo.end() == ""


@pytest.mark.parametrize("workers", [1, 2])
def test_channel_without_subscribers_is_replaced_by_a_new_one(workers: int) -> None:
    with running_demo("--access-log", "none", "--workers", str(workers)) as demo:
        answers = [demo.client.post(f"/channels/{number}", content="x") for number in range(300)]
        assert {answer.status_code for answer in answers} == {201}
        assert demo.end() == ""


def test_subscriber_is_refused_while_the_backlog_is_full() -> None:
    with running_demo("--access-log", "none", code=NO_BACKLOG + MAIN) as demo:
        refused: httpx.Response = demo.client.get("/channels/c")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert refused.json()["detail"] == "the subscribers of this server are 0 bytes behind: try again later"
        assert demo.client.post("/channels/c", content="x").status_code == 201
        assert demo.end() == ""
