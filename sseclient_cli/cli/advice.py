"""The line that the command line writes for an error: its message, and the options that fix it.

Messages name facts and arguments, because programs that use the library read them too. Here an argument becomes the
option that sets it, and each code has its advice; ``render/error_words.py`` has the advice for a whole kind. The
options and the arguments that they set are declared once, in ``cli/options``. If a command lacks an option, its advice
is omitted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sseclient_cli.cli.options.grouped import Option, options_of
from sseclient_cli.errors import BadStatusError, ProxyError, SseError, WrongContentTypeError
from sseclient_cli.render.error_words import advice_on

Command = Callable[..., int]

NO_PATH = "no-path"
"""The code of a refusal whose reason may be the path of the URL: a note says which one to write."""

# By code. ``{proxy}`` is the option that sets the argument `proxy`, with its value; ``{proxy.name}`` the option alone.
BY_CODE = {
    "environment-proxy": "use it anyway with {proxy}, or connect directly with {proxy.name} ''",
    "socks-proxy": "use an http:// proxy with {proxy}, or none with {proxy.name} ''",
    "unknown-issuer": "trust it with {ca_file} or skip verification with {insecure}",
    "invalid-certificate": "skip verification with {insecure}",
    "client-certificate-required": "give one with {cert_file}",
    "client-certificate-refused": "check {cert_file.name} and {key_file.name}",
    "no-http1": "speak HTTP/2 with {http2}",
    "handshake-closed": "{cert_file} sends a client certificate",
    "handshake-refused": "{cert_file} sends a client certificate",
    "preflight-timeout": "wait longer with {head_timeout_s}, or skip this request with {no_preflight}",
    "open-files": "raise it with `ulimit -Hn`, or divide the connections with more {workers.name}",
    "windows-sockets": "divide the connections with more {workers.name}",
    "local-ports": "use more addresses with {source_address}, or widen net.ipv4.ip_local_port_range",
    "memory": "lower {connections.name} or {workers.name}, or use a larger machine",
    "worker-processes": "lower {workers.name}",
    "publish-time": "raise {duration_s.name}, or lower {ramp_up_s.name} or {warmup_s.name}",
    "publish-events": "lower {publish_rate_per_s.name}, {connections.name} or {duration_s.name}",
    "not-a-recording": "`sse watch URL --record FILE` makes a recording",
    "curl-variable": "use {bearer_env.name} {variable} for a token",
}
# By code and the first argument, if the advice depends on both.
BY_ARGUMENT = {
    ("plan", "ramp_up_s"): "raise {duration_s.name} or lower {ramp_up_s.name}",
    ("plan", "warmup_s"): "raise {duration_s.name} or lower {warmup_s.name}",
    ("plan", "storm_s"): "raise {duration_s.name} or lower {storm_s.name}",
    ("plan", "retry_statuses"): "add {on_end.name} reconnect",
    ("curl-option", "body"): "use {body.name} @FILE, and {headers.name} for its Content-Type",
}
_OF_ANY_ARGUMENT = {"curl-option": "use {argument}"}

_OF_STATUS = {
    406: "-H 'Accept: application/json, text/event-stream'",
    415: "-H 'Content-Type: application/json'",
}
SENT_ONCE = "sent-once"
"""The code of a refusal of a request of an LLM or MCP: no option retries it, and its method is that of the API."""

# The request was valid, and the server could not answer it at that moment.
_TEMPORARY = frozenset({429, 502, 503, 504})


def line_of(error: SseError, command: Command | None = None) -> str:
    """Return the line that a command with options for a request writes for an error that ends it."""
    options = _options_of(command)
    said = "; ".join([str(error), *getattr(error, "__notes__", ())])
    if fix := _fix(error, options):
        said += f"{'; ' if ': ' in said else ': '}{fix}"
    suggestion = _suggestion(error, options)
    return _with_options(said, error, options) + (f" ({suggestion})" if suggestion else "")


def message_of(error: SseError, command: Command) -> str:
    """Return the error's message with options instead of arguments."""
    return _with_options(str(error), error, _options_of(command))


def _options_of(command: Command | None) -> dict[str, Option]:
    return {} if command is None else options_of(command)


def _with_options(text: str, error: SseError, options: Mapping[str, Option]) -> str:
    for argument in error.arguments:
        if argument in options:
            text = text.replace(f"`{argument}`", options[argument].name)
    return text


def _fix(error: SseError, options: Mapping[str, Option]) -> str:
    """Return the advice for an error with this code; empty if the command lacks the options."""
    argument = error.arguments[0] if error.arguments else ""
    template = (
        BY_ARGUMENT.get((error.code, argument))
        or BY_CODE.get(error.code)
        or (_OF_ANY_ARGUMENT.get(error.code, "") if argument in options else "")
    )
    try:
        return template.format(**{**options, **error.values, "argument": options.get(argument)})
    except KeyError:
        return ""


def _suggestion(error: SseError, options: Mapping[str, Option]) -> str:
    """Return advice after this response of the server, or this error of a proxy."""
    if isinstance(error, BadStatusError):
        fix = _options_for_status(error, options)
        return f"try {fix}" if fix else ""
    if isinstance(error, WrongContentTypeError):
        other = (
            ", or with {} lines, ndjson, chunks or json".format(options["stream_format"].name)
            if "stream_format" in options
            else ""
        )
        return advice_on(error.kind) + other
    if isinstance(error, ProxyError):
        return "try --proxy URL for another proxy, --proxy '' for none"
    return ""


def _options_for_status(error: BadStatusError, options: Mapping[str, Option]) -> str:
    if error.code == SENT_ONCE and (error.status in _TEMPORARY or error.status == 405):
        return ""
    if error.status in _TEMPORARY:
        # In a run, only streams that reconnect retry.
        return f"{'--on-end reconnect ' if 'on_end' in options else ''}--retry-status {error.status}"
    if error.status == 405:
        return "" if error.code in ("redirect-changed-method", NO_PATH) else f"-X {_usable_method(error)}"
    return _OF_STATUS.get(error.status, "")


def _usable_method(error: BadStatusError) -> str:
    allowed = [name.strip() for name in error.headers.get("allow", "").split(",")]
    return next((name for name in allowed if name in ("GET", "POST", "PUT", "PATCH")), "METHOD")
