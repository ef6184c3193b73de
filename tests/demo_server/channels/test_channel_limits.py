"""What the demo server says when there is no room for a channel or a subscriber; the limits are lowered here."""

from __future__ import annotations

from contextlib import ExitStack

import httpx
import pytest
from running_demo import running_demo

MAIN = "from demo_server.__main__ import main; main()"
TWO_CHANNELS = "import demo_server.channels.channels as c, demo_server.endpoints.channels as e; c.MAX_CHANNELS = e.MAX_CHANNELS = 2; "
NO_BACKLOG = "import demo_server.channels.backlog as b; b.MAX_BACKLOG_BYTES = -1; "


def test_channel_beyond_the_last_one_with_subscribers_is_refused_until_there_is_room() -> None:
    detail = "there are 2 channels with subscribers, and no room for c: take one of them, or wait"
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
def test_channels_without_subscribers_make_room_for_others(workers: int) -> None:
    with running_demo("--access-log", "none", "--workers", str(workers)) as demo:
        answers = [demo.client.post(f"/channels/{number}", content="x") for number in range(300)]
        assert {answer.status_code for answer in answers} == {201}
        assert demo.end() == ""


def test_subscriber_is_refused_while_the_others_are_too_far_behind() -> None:
    with running_demo("--access-log", "none", code=NO_BACKLOG + MAIN) as demo:
        refused: httpx.Response = demo.client.get("/channels/c")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert refused.json()["detail"] == "the subscribers of this server are 0 bytes behind: try again later"
        assert demo.client.post("/channels/c", content="x").status_code == 201
        assert demo.end() == ""
