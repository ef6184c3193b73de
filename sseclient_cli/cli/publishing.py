"""The publisher of ``sse bench``: its plan from options, and its process during a run."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from sseclient_cli.cli.child_server import RunningServer
from sseclient_cli.cli.demo import demo_url, is_demo
from sseclient_cli.cli.options.connection import ConnectionOptions
from sseclient_cli.cli.options.publishing import DEFAULT_RATE_PER_S, PublishOptions
from sseclient_cli.cli.options.request import RequestOptions
from sseclient_cli.errors import UsageError
from sseclient_cli.request.body import read_body

if TYPE_CHECKING:
    from sseclient_cli.request.target import Target
    from sseclient_cli.run.plan import Plan
    from sseclient_cli.run.publish_plan import PublishPlan
    from sseclient_cli.run.publisher import Publisher

DEMO_PATH = "/channels/bench"
"""The channel of ``--publish demo``."""


def is_publishing(options: PublishOptions) -> bool:
    """Return whether the run has a publisher. Raises UsageError for options without their main one."""
    if options.publish_url is not None and options.publish_command is not None:
        raise UsageError("--publish and --publish-command exclude each other: leave one out")
    is_wanted = options.publish_url is not None or options.publish_command is not None
    for option, value in (
        ("--publish-rate", options.publish_rate_per_s),
        ("--publish-body", options.publish_body),
        ("--publish-header", options.publish_headers),
        ("--publish-method", options.publish_method),
    ):
        if value is not None and not is_wanted:
            raise UsageError(f"{option} needs a publisher: add --publish URL or --publish-command COMMAND")
        if value is not None and options.publish_url is None and option in ("--publish-header", "--publish-method"):
            raise UsageError(f"{option} applies to --publish URL, not to --publish-command")
    return is_wanted


def publish_plan_of(
    options: PublishOptions, plan: Plan, stream: Target, server: RunningServer | None, connection: ConnectionOptions
) -> PublishPlan | None:
    """Return the plan of the publisher of a run; None without one. Raises UsageError for a wrong option."""
    import secrets

    from sseclient_cli.run.publish_plan import publish_plan

    if not is_publishing(options):
        return None
    template = template_of(options)
    return publish_plan(
        plan,
        run_id=secrets.token_hex(4),
        template=template,
        rate_per_s=options.publish_rate_per_s or DEFAULT_RATE_PER_S,
        target=_target(options, template, stream, server, connection),
        command=_command(options.publish_command),
    )


def template_of(options: PublishOptions) -> str:
    """Return the body with its placeholders."""
    from sseclient_cli.run.publish_plan import DEFAULT_TEMPLATE, TOKEN

    if options.publish_body is None:
        return DEFAULT_TEMPLATE
    template = read_body(options.publish_body)
    if TOKEN not in template:
        raise UsageError(
            f"--publish-body has no {TOKEN}, by which an event is recognized: write it like '{DEFAULT_TEMPLATE}'"
        )
    if options.publish_command is not None:
        template = template.removesuffix("\n")
        if "\n" in template:
            raise UsageError("--publish-body has several lines: --publish-command takes one line for each event")
    return template


def _target(
    options: PublishOptions, template: str, stream: Target, server: RunningServer | None, connection: ConnectionOptions
) -> Target | None:
    """Return the target of the publish requests, with the connection options of the streams as far as they apply."""
    from sseclient_cli.cli.request import requested
    from sseclient_cli.request.proxied import through_given_proxy
    from sseclient_cli.request.source_addresses import is_own
    from sseclient_cli.run.publish_plan import NUMBER, TOKEN

    url = options.publish_url
    if url is None:
        return None
    if is_demo(url):
        if server is None:
            raise UsageError("--publish demo is the bundled server: it needs the URL demo")
        url = demo_url(server.url, url, DEMO_PATH)
    if "{" in url:
        raise UsageError("--publish takes no placeholder: only --publish-body has {token} and {n}")
    sample = template.replace(TOKEN, "0").replace(NUMBER, "0")
    elsewhere = replace(connection, connect_to=None, unix_socket=None, source_address=None)
    request = RequestOptions(headers=options.publish_headers, method=options.publish_method)
    # Replaces @, which reads a file.
    target = requested(url, replace(request, data=sample.removeprefix("@") or " "), elsewhere)
    if target.origin == stream.origin:
        # The same server: its address, and the addresses of this machine, are those of the streams. On a cluster, this
        # machine may have other addresses than theirs.
        target = replace(
            target,
            connect_to=stream.connect_to,
            unix_socket=stream.unix_socket,
            source_addresses=tuple(filter(is_own, stream.source_addresses)),
        )
    return through_given_proxy(target, connection.proxy)


def _command(text: str | None) -> tuple[str, ...]:
    if text is None:
        return ()
    try:
        command = tuple(shlex.split(text))
    except ValueError as exc:
        raise UsageError(f"--publish-command {text!r}: {str(exc).lower()}") from exc
    if not command:
        raise UsageError("--publish-command is empty")
    return command


@contextmanager
def publishing(plan: PublishPlan | None) -> Iterator[Publisher | None]:
    """Start the publisher of a run, and end it after the block. Yield None without one."""
    if plan is None:
        yield None
        return
    from sseclient_cli.run.publisher import Publisher

    with Publisher(plan) as publisher:
        yield publisher
