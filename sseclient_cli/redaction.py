"""Redact credentials in URLs and headers before they appear in any output.

All messages and reports get their URLs and header values from here. Credentials are found by name (``token=...``,
``X-Api-Key: ...``), and under any name by the form of the value: userinfo, a JSON Web Token, a URL or a query within a
value. A false positive hides a harmless value; a false negative leaks a password. The list of names is therefore broad.

The functions accept any text, malformed URLs included, and never raise.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from itertools import islice
from urllib.parse import quote, unquote_plus

from sseclient_cli.escaping import visible

REDACTED = "REDACTED"

MAX_SHOWN_CHARS = 300
"""How much of a text of the server is shown."""

LONG_CHARS = 8
"""A value of this length is a secret wherever it occurs; a shorter one may be a part of other words."""

RECOGNIZED_CHARS = 16
"""A longer value is recognised by this many first characters: a server, or a message of ours, may cut it after them."""

QUOTED_CHARS = 32
"""A part of a longer value is recognised anywhere by this many characters: sentences of a server share fewer of them
with a prompt."""

MAX_SEARCHED_CHARS = 64 * 1024
"""How much of a value is searched for such parts: a prompt may have megabytes, and each failure searches it."""

MAX_PLACES = 8
"""How many places of a value that begin alike are compared."""

MAX_NESTING = 5
"""Levels of URLs within query values of URLs. A value with deeper nesting is replaced as a whole."""

# Anywhere in a name: access_token, X-Amz-Signature, PHPSESSID. Excluded: max_tokens (a parameter of LLM APIs), author.
_CREDENTIAL_PARTS = re.compile(
    r"auth(?!or(?!i))|assertion|cookie|credential|csrf|hmac|jwt|passcode|passphrase|passw|saml|secret|sess(ion|_?id)"
    r"|signature|token(?!s)|xsrf|key$"
    # `code` is a credential in OAuth and as a second factor; status_code and similar names are not credentials.
    r"|^code$|(access|activation|device|invite|invitation|login|mfa|one_?time|reset|security|user|verification)_?code$",
    re.IGNORECASE,
)
# Only as a whole word of a name: api_pass, X-Pwd, userPass; not as a part of a longer word (`compass`, `inside`).
_CREDENTIAL_WORDS = frozenset(
    {"cred", "creds", "hotp", "key", "otp", "pass", "pin", "psk", "pw", "pwd", "sid", "sig", "ticket", "totp"}
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")

# The lookbehind keeps the search linear: a server may send 64 KB of `eyJeyJ...`.
_JSON_WEB_TOKEN = re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*)?")
_URL_IN_TEXT = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,20}://\S+")
_USERINFO = re.compile(r"//[^/?#]*@")
_PATH_PARAMETER = re.compile(r";([^;/=]+)=([^;/]*)")
_AUTHORIZATION = re.compile(r"\s*(basic|bearer|digest|token)\s+\S", re.IGNORECASE)


def is_credential(name: str) -> bool:
    """Return whether a header, parameter or field with this name holds a credential."""
    if _CREDENTIAL_PARTS.search(name.replace("-", "_")):
        return True
    return any(word.lower() in _CREDENTIAL_WORDS for word in _WORD.findall(name))


def redacted_url(url: str, *, malformed: bool = False) -> str:
    """Return a URL, absolute or relative, without its credentials.

    In a malformed URL, everything from ``//`` to the last ``@`` counts as userinfo: a password may contain an unescaped
    ``/`` or ``?``.
    """
    return _redacted_url(url, MAX_NESTING, malformed=malformed)


def redacted_text(text: str) -> str:
    """Return the text with the credentials of all its URLs replaced."""
    return _JSON_WEB_TOKEN.sub(REDACTED, _URL_IN_TEXT.sub(lambda url: redacted_url(url[0]), text))


def shown_text(text: str, most_chars: int = MAX_SHOWN_CHARS) -> str:
    """Return a text of the server as one line: redacted, truncated, escaped."""
    shown = redacted_text(" ".join(text.split()))
    return visible(shown[:most_chars] + ("…" if len(shown) > most_chars else ""), keep_lines=False)


def redacted_header(name: str, value: str) -> str:
    """Return the value of a header with its credentials replaced."""
    if is_credential(name) or _AUTHORIZATION.match(value):
        return REDACTED
    return _redacted_plain(value, MAX_NESTING)


def masked(text: str, values: Iterable[str]) -> str:
    """Return a text, such as one of a server, in which these values are replaced. A short one only as a whole word.

    A long value is also replaced where it is cut, in the form of a JSON string, and where a part of it stands: a server
    may quote the request.
    """
    for value in sorted({value for value in values if value}, key=len, reverse=True):
        if len(value) < LONG_CHARS:
            for form in {value, _quoted(value)}:
                text = re.sub(rf"(?<!\w){re.escape(form)}(?!\w)", REDACTED, text)
        else:
            # No more than the text can hold: a prompt may have megabytes.
            text = _without(text, _forms(value[: max(len(text), RECOGNIZED_CHARS)]))
            searched = value[:MAX_SEARCHED_CHARS]
            for form in {searched, " ".join(searched.split())} if len(value) > QUOTED_CHARS else ():
                text = _without_parts(text, form)
    return text


def _without_parts(text: str, value: str) -> str:
    """Replace the parts of a value with at least QUOTED_CHARS. Each of them holds one of these windows of the text."""
    window, at = QUOTED_CHARS // 2, 0
    while at + window <= len(text):
        found = re.finditer(re.escape(text[at : at + window]), value)
        parts = [_part_around(text, at, value, each.start()) for each in islice(found, MAX_PLACES)]
        begin, end = max(parts, key=lambda part: part[1] - part[0], default=(at, at))
        if end - begin < QUOTED_CHARS:
            at += window
            continue
        text = text[:begin] + REDACTED + text[end:]
        at = begin + len(REDACTED)
    return text


def _part_around(text: str, at: int, value: str, place: int) -> tuple[int, int]:
    """Return the part of a text around a character that is the same in a value around this place."""
    before = _same_chars(text[:at][::-1], value[max(place - at, 0) : place][::-1])
    return at - before, at + _same_chars(text[at:], value[place : place + len(text) - at])


def _forms(value: str) -> set[str]:
    """Return how a server may write a value: as it is, on one line, in a URL, in JSON."""
    plain = {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], _quoted(value)}
    one_line = (" ".join(form.split()) for form in plain)
    return {*plain, *(form for form in one_line if len(form) >= LONG_CHARS)}


def _quoted(value: str) -> str:
    return quote(value, safe="", errors="replace")  # a prompt may have half a surrogate pair


def _without(text: str, forms: Iterable[str]) -> str:
    heads = {form: form[:RECOGNIZED_CHARS] for form in forms}
    any_head = re.compile("|".join(map(re.escape, heads.values())))
    at = 0
    while found := any_head.search(text, at):
        rest = text[found.start() :]
        same = max(_same_chars(rest, form) for form, head in heads.items() if rest.startswith(head))
        text = text[: found.start()] + REDACTED + rest[same:]
        at = found.start() + len(REDACTED)
    return text


def _same_chars(text: str, form: str) -> int:
    """Return with how many characters both begin."""
    pairs = enumerate(zip(text, form, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(text), len(form)))


def carries_credential(name: str, value: str) -> bool:
    """Return whether a header contains a credential: by its name, or within its value (the query of a Referer)."""
    return is_credential(name) or redacted_header(name, value) != value


def _redacted_url(url: str, depth: int, *, malformed: bool = False) -> str:
    if malformed:
        begin, end = url.find("//"), url.rfind("@")
        if 0 <= begin < end:
            url = f"{url[:begin]}//{REDACTED}{url[end:]}"
    rest, hash_sign, fragment = url.partition("#")
    path, question_mark, query = rest.partition("?")
    path = _USERINFO.sub(f"//{REDACTED}@", path, count=1)
    path = _PATH_PARAMETER.sub(lambda found: ";" + _redacted_pair(f"{found[1]}={found[2]}", depth), path)
    path = _JSON_WEB_TOKEN.sub(REDACTED, path)
    return f"{path}{question_mark}{_redacted_query(query, depth)}{hash_sign}{_redacted_query(fragment, depth)}"


def _redacted_query(query: str, depth: int) -> str:
    # Both separators are in use; each one is kept.
    return "".join(part if part in ("&", ";") else _redacted_pair(part, depth) for part in re.split("([&;])", query))


def _redacted_pair(pair: str, depth: int) -> str:
    name, equals, value = pair.partition("=")
    if not equals:
        return _redacted_value(pair, depth)
    # The name itself may be a nested URL: `?http://h/?token=x`.
    if is_credential(unquote_plus(name)):
        return f"{name}={REDACTED}" if value else pair
    return f"{_redacted_value(name, depth)}={_redacted_value(value, depth)}"


def _redacted_value(value: str, depth: int) -> str:
    """Redact a percent-encoded value: the credentials of a URL, a query or a token within it."""
    if not value:
        return value
    decoded = unquote_plus(value)
    if not depth:
        return REDACTED if "=" in decoded or "%" in decoded or "@" in decoded else value
    shown = _redacted_plain(decoded, depth - 1)
    if shown == decoded and "%" in decoded and decoded != value:
        shown = _redacted_value(decoded, depth - 1)  # encoded twice
    return value if shown == decoded else quote(shown, safe="")


def _redacted_plain(value: str, depth: int) -> str:
    """Redact a decoded value: the credentials of a URL, a query or a token within it."""
    shown = _JSON_WEB_TOKEN.sub(REDACTED, value)
    if "//" in shown or "?" in shown or "#" in shown:
        return _redacted_url(shown, depth)
    return _redacted_query(shown, depth) if "=" in shown else shown
