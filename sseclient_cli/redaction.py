"""Credentials in URLs and headers, replaced before a URL or a header goes into any text.

Every message, report and document takes URLs and header values from here. The rule is by name (``token=...``,
``X-Api-Key: ...``) and, whatever the name, by the shape of the value: userinfo, a JSON Web Token, a URL or a query
inside of a value. A false alarm costs a readable value; a miss costs a password. So the list of names is generous.

The functions take any text, malformed URLs included, and never raise.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote_plus

REDACTED = "REDACTED"

MAX_NESTING = 5
"""URLs inside of query values inside of URLs ...: what is nested deeper is replaced as a whole."""

# Anywhere in a name: access_token, X-Amz-Signature, PHPSESSID. Not max_tokens, a parameter of every LLM, nor author.
_CREDENTIAL_PARTS = re.compile(
    r"auth(?!or(?!i))|assertion|cookie|credential|csrf|hmac|jwt|passcode|passphrase|passw|saml|secret|sess(ion|_?id)"
    r"|signature|token(?!s)|xsrf|key$"
    # `code` is a credential in OAuth and for a second factor. Others, such as status_code, are none.
    r"|^code$|(access|activation|device|invite|invitation|login|mfa|one_?time|reset|security|user|verification)_?code$",
    re.IGNORECASE,
)
# As a word of a name: api_pass, X-Pwd, userPass. Inside of longer words they mean nothing (`compass`, `inside`).
_CREDENTIAL_WORDS = frozenset(
    {"cred", "creds", "hotp", "key", "otp", "pass", "pin", "psk", "pw", "pwd", "sid", "sig", "ticket", "totp"}
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")

# The lookbehind keeps it linear: a server may send 64 KB of `eyJeyJ...`.
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

    In a malformed URL, all from ``//`` to the last ``@`` counts as userinfo: that is where a password with an unescaped
    ``/`` or ``?`` stands.
    """
    return _redacted_url(url, MAX_NESTING, malformed=malformed)


def redacted_text(text: str) -> str:
    """Return text with the credentials of all URLs in it replaced."""
    return _JSON_WEB_TOKEN.sub(REDACTED, _URL_IN_TEXT.sub(lambda url: redacted_url(url[0]), text))


def redacted_header(name: str, value: str) -> str:
    """Return the value of a header, or what may be shown of it."""
    if is_credential(name) or _AUTHORIZATION.match(value):
        return REDACTED
    return _redacted_plain(value, MAX_NESTING)


def carries_credential(name: str, value: str) -> bool:
    """Return whether a header holds a credential, by its name or inside of its value (the query of a Referer)."""
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
    # Both separators are in use; joined again, each stays as it was.
    return "".join(part if part in ("&", ";") else _redacted_pair(part, depth) for part in re.split("([&;])", query))


def _redacted_pair(pair: str, depth: int) -> str:
    name, equals, value = pair.partition("=")
    if not equals:
        return _redacted_value(pair, depth)
    # A nested URL may be the name itself: `?http://h/?token=x`.
    if is_credential(unquote_plus(name)):
        return f"{name}={REDACTED}" if value else pair
    return f"{_redacted_value(name, depth)}={_redacted_value(value, depth)}"


def _redacted_value(value: str, depth: int) -> str:
    """Return a percent-encoded value without the credentials of a URL, a query or a token inside of it."""
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
    """Return a value that is not encoded without the credentials of a URL, a query or a token inside of it."""
    shown = _JSON_WEB_TOKEN.sub(REDACTED, value)
    if "//" in shown or "?" in shown or "#" in shown:
        return _redacted_url(shown, depth)
    return _redacted_query(shown, depth) if "=" in shown else shown
