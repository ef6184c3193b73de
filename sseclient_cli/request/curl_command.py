r"""Parse a pasted curl command (from a browser's "Copy as cURL (bash)", or from the documentation of an API).

Pure: it reads no file, runs no program and expands no variable. Options that only concern output are ignored. Any other
unsupported option is an error that names it, because without the option the request would be a different one.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field

from sseclient_cli.errors import UsageError
from sseclient_cli.sse.content_coding import readable_codings

_IS_CURL = re.compile(r"\s*curl(?:\.exe)?(?:\s|$)")
_FOR_CMD = re.compile(r"\^\"|\s\^\s*[\r\n]")

# The quotes of a POSIX shell and bash's $'...', and the characters outside of quotes that a shell would interpret.
_SHELL = re.compile(
    r"(?P<single>'[^']*')|\$'(?P<ansi>(?:[^'\\]|\\.)*)'|\"(?P<double>(?:[^\"\\]|\\.)*)\""
    r"|(?P<continued>\\\r?\n)|(?P<escaped>\\.)|(?P<operator>[|;&<>\n`]|\$\()|(?P<variable>\$\{?[A-Za-z_]\w*\}?)",
    re.DOTALL,
)
_IN_DOUBLE_QUOTES = re.compile(r"\\.|(?P<variable>\$\{?[A-Za-z_]\w*\}?)|(?P<operator>`|\$\()", re.DOTALL)
_ESCAPED_IN_DOUBLE_QUOTES = re.compile(r"\\([\\\"$`\n])")
_ANSI_ESCAPE = re.compile(
    r"\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})|(.))", re.DOTALL
)
_ANSI_CHARACTERS = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "a": "\a",
    "b": "\b",
    "e": "\x1b",
    "E": "\x1b",
    "f": "\f",
    "v": "\v",
}

_LONG_OF = {
    "H": "header", "b": "cookie", "d": "data", "X": "request", "k": "insecure", "u": "user", "A": "user-agent",
    "e": "referer", "E": "cert", "L": "location", "s": "silent", "S": "show-error", "N": "no-buffer", "v": "verbose",
    "i": "include", "f": "fail", "#": "progress-bar", "o": "output", "w": "write-out", "D": "dump-header",
    "m": "max-time", "x": "proxy", "F": "form", "G": "get", "I": "head", "T": "upload-file", "c": "cookie-jar",
    "j": "junk-session-cookies", "q": "disable", "O": "remote-name", "g": "globoff",
}  # fmt: skip

_VALUES = frozenset({
    "header", "cookie", "data", "data-raw", "data-binary", "data-ascii", "json", "request", "user", "user-agent",
    "referer", "url", "cacert", "cert", "key", "unix-socket", "oauth2-bearer",
})  # fmt: skip
"""The supported options with a value."""

_FLAGS = frozenset({"insecure", "compressed", "http2", "http2-prior-knowledge"})

_IGNORED_FLAGS = frozenset({
    "location", "silent", "show-error", "no-buffer", "verbose", "include", "fail", "fail-with-body", "fail-early",
    "progress-bar", "no-progress-meter", "globoff", "path-as-is", "http1.1", "http3", "no-keepalive",
    "junk-session-cookies", "disable", "tcp-nodelay", "remote-name", "styled-output", "trace-time", "create-dirs",
})  # fmt: skip
_IGNORED_VALUES = frozenset({
    "output", "write-out", "dump-header", "stderr", "trace", "trace-ascii", "cookie-jar", "output-dir",
})  # fmt: skip

_HINTS = {
    "get": "put the parameters into the URL",
    "head": "a stream is requested with GET or POST",
    "data-urlencode": "encode the text and give it with data-raw",
}

_ARGUMENT_OF = {
    "max-time": "duration_s",
    "connect-timeout": "connect_timeout_s",
    "form": "body",
    "connect-to": "connect_to",
    "resolve": "connect_to",
    "proxy": "proxy",
    "interface": "source_address",
    "retry": "retry_statuses",
}
"""The argument that does the same here, for an option of curl that is refused."""

# Headers that curl and this client compute from the body.
_OWN_HEADERS = frozenset({"content-length", "transfer-encoding"})


@dataclass(frozen=True, slots=True)
class Data:
    """One of curl's data options. ``is_file``: the text is the name of a file.

    ``without_line_ends``: curl removes the line ends of the file's content.
    """

    text: str
    is_file: bool = False
    without_line_ends: bool = False


@dataclass(slots=True)
class CurlCommand:
    """The request of a curl command. ``headers`` are ``Name: value``; ``data`` is joined with ``&``, as curl does."""

    url: str = ""
    method: str | None = None
    headers: list[str] = field(default_factory=list)
    cookies: list[str] = field(default_factory=list)
    data: list[Data] = field(default_factory=list)
    user: str | None = None
    bearer: str | None = None
    insecure: bool = False
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    unix_socket: str | None = None
    http2: bool = False

    def header_names(self) -> set[str]:
        """Return the names of the headers in lower case."""
        return {header.partition(":")[0].strip().lower() for header in self.headers}


def is_curl_command(text: str) -> bool:
    """Return whether the text is a curl command and not a URL."""
    return _IS_CURL.match(text) is not None


def parse_curl_command(text: str) -> CurlCommand:
    """Parse a curl command. Raises UsageError that names the unsupported part."""
    words = _words(text)[1:]
    command = CurlCommand()
    compressed = False
    for name, value in _options(words):
        if name == "compressed":
            compressed = True
        elif name == "insecure":
            command.insecure = True
        elif name in ("http2", "http2-prior-knowledge"):
            command.http2 = True
        else:
            _take(command, name, value)
    if not command.url:
        raise UsageError("the curl command has no URL: paste it whole, in single quotes")
    names = command.header_names()
    if compressed:
        # The codings that curl decodes depend on its build; these are ours, and they replace the pasted header.
        command.headers = [header for header in command.headers if not header.lower().startswith("accept-encoding:")]
        command.headers.append(f"Accept-Encoding: {', '.join(readable_codings())}")
    if command.bearer is not None and "authorization" in names:
        raise UsageError("the curl command has --oauth2-bearer and an Authorization header: leave one out")
    return command


def _take(command: CurlCommand, name: str, value: str) -> None:
    """Take one option with its value."""
    if name == "url":
        if command.url:
            # Without its text: if quotes are missing, it may be a part of a header.
            raise UsageError("the curl command has more than one URL: leave one out, and check the quotes")
        command.url = value
    elif name == "header":
        _take_header(command, value)
    elif name == "cookie":
        command.cookies.append(value)
    elif name in ("data", "data-ascii", "data-binary", "data-raw", "json"):
        is_file = value.startswith("@") and name != "data-raw"
        command.data.append(Data(value[1:] if is_file else value, is_file, name in ("data", "data-ascii")))
        if name == "json":
            wanted = {"content-type": "Content-Type: application/json", "accept": "Accept: application/json"}
            command.headers += [line for key, line in wanted.items() if key not in command.header_names()]
    elif name in ("user-agent", "referer"):
        command.headers.append(f"{'User-Agent' if name == 'user-agent' else 'Referer'}: {value}")
    else:
        attribute = {
            "request": "method", "user": "user", "cacert": "ca_file", "cert": "cert_file", "key": "key_file",
            "unix-socket": "unix_socket", "oauth2-bearer": "bearer",
        }[name]  # fmt: skip
        setattr(command, attribute, value)


def _take_header(command: CurlCommand, value: str) -> None:
    if value.startswith("@"):
        raise UsageError(f"the curl command reads headers from a file ({value}): write each of them out")
    name, colon, rest = value.partition(":")
    if not colon and name.endswith(";"):
        command.headers.append(f"{name[:-1]}:")  # curl: a header without a value
    # `Name:` removes one of curl's own headers; `:authority:` belongs to the request line of HTTP/2.
    elif name and rest.strip() and name.lower() not in _OWN_HEADERS:
        command.headers.append(value)


def _options(words: list[str]) -> list[tuple[str, str]]:
    """Return the relevant options by their long names, with their values ("" for flags)."""
    found: list[tuple[str, str]] = []
    rest = iter(words)
    for word in rest:
        if word == "^":
            raise UsageError(
                "this is a command for Windows' cmd: choose 'Copy as cURL (bash)' or 'Copy as cURL (POSIX)'"
            )
        if not word.startswith("-") or word == "-":
            found.append(("url", word))
            continue
        letters = "" if word.startswith("--") else word[1:]
        pending = [word[2:]] if not letters else []
        while letters or pending:
            shown = f"--{pending[0]}" if pending else f"-{letters[0]}"
            name = pending.pop() if pending else _LONG_OF.get(letters[0], "")
            letters = letters[1:]
            if name in _FLAGS:
                found.append((name, ""))
            elif name in _VALUES or name in _IGNORED_VALUES:
                value = letters or next(rest, None)
                letters = ""
                if value is None:
                    raise UsageError(f"{shown} of the curl command has no value: is the command complete?")
                if name in _VALUES:
                    found.append((name, value))
            elif name not in _IGNORED_FLAGS:
                argument = _ARGUMENT_OF.get(name)
                hint = _HINTS.get(name, "leave it out" if argument else "leave it out if the request does not need it")
                raise UsageError(
                    f"{shown} of the curl command is not supported: {hint}",
                    code="curl-option",
                    arguments=[argument] if argument else (),
                )
    return found


def _words(text: str) -> list[str]:
    """Split the text into words as bash does, without expansion."""

    def plain(match: re.Match[str]) -> str:
        if match["continued"]:
            return ""
        if match["ansi"] is not None:
            return shlex.quote(_ansi(match["ansi"]))
        if match["double"] is not None:
            for inner in _IN_DOUBLE_QUOTES.finditer(match["double"]):
                _refuse(inner["variable"], inner["operator"])
            return shlex.quote(
                _ESCAPED_IN_DOUBLE_QUOTES.sub(lambda escape: escape[1].replace("\n", ""), match["double"])
            )
        _refuse(match["variable"], match["operator"])
        return match[0]

    if _FOR_CMD.search(text):
        raise UsageError("this is a command for Windows' cmd: choose 'Copy as cURL (bash)' or 'Copy as cURL (POSIX)'")
    try:
        return shlex.split(_SHELL.sub(plain, text.strip()))
    except ValueError as exc:
        raise UsageError(f"the curl command cannot be read ({exc}): paste it whole, in single quotes") from exc


def _refuse(variable: str | None, operator: str | None) -> None:
    if variable:
        name = variable.strip("${}")
        raise UsageError(
            f"{variable} of the curl command is not expanded: write its value",
            code="curl-variable",
            values={"variable": name},
        )
    if operator:
        raise UsageError(f"{operator!r} in the curl command is for a shell: paste only the curl command, in its quotes")


def _ansi(text: str) -> str:
    """Decode the escapes of bash's $'...'."""

    def character(match: re.Match[str]) -> str:
        byte, short, long, octal, other = match.groups()
        if byte or octal:
            code = (int(byte, 16) if byte else int(octal, 8)) & 0xFF
            # One byte of UTF-8: a character may consist of several escapes.
            return chr(code) if code < 0x80 else chr(0xDC00 + code)
        if short or long:
            code = int(short or long, 16)
            return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"
        return _ANSI_CHARACTERS.get(other, other if other in "\\'\"?" else f"\\{other}")

    return _ANSI_ESCAPE.sub(character, text).encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
