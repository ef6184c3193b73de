"""Judge the access of pages of other origins: the response to a GET with an Origin, and to its preflight request."""

from __future__ import annotations

from sseclient_cli.check.catalogue import Check, Result
from sseclient_cli.check.requests import Answer
from sseclient_cli.check.words import shown_header


def judge_cors(answer: Answer, origin: str, *, is_given: bool, with_credentials: bool) -> Result:
    """Judge a GET with an Origin. ``is_given``: the user named the origin, so it must be allowed."""
    check = Check.CORS
    if (reason := _without_answer(answer)) is not None:
        return check.not_checked(reason)
    allowed = answer.headers.get("access-control-allow-origin", "").strip()
    seen = f"Access-Control-Allow-Origin: {shown_header('', allowed)}"
    if not allowed:
        return _not_allowed(answer, origin, is_given=is_given)
    if allowed == origin:
        return _named(answer, seen, is_given=is_given)
    if allowed == "*":
        return _any_origin(seen, needs_credentials=with_credentials and is_given)
    return (check.fault if is_given or "," in allowed else check.ok)(f"{seen}: not for {origin}")


def _not_allowed(answer: Answer, origin: str, *, is_given: bool) -> Result:
    check = Check.CORS
    if answer.status not in (200, 403):
        return check.not_checked(f"the request got status {answer.status}")
    if is_given:
        return check.fault(f"pages of {origin} cannot read the stream: no Access-Control-Allow-Origin")
    return check.ok("only pages of the same origin can read the stream")


def _any_origin(seen: str, *, needs_credentials: bool) -> Result:
    if not needs_credentials:
        return Check.CORS.ok(f"{seen}: pages of any origin")
    return Check.CORS.warning(
        f"{seen}: browsers do not send cookies with it", "Name the origin, and allow credentials."
    )


def _named(answer: Answer, seen: str, *, is_given: bool) -> Result:
    check = Check.CORS
    credentials = answer.headers.get("access-control-allow-credentials", "").strip() == "true"
    if credentials and not is_given:
        return check.warning(
            f"{seen} for any origin, with credentials: every page can read the stream of a user who is logged in",
            "Compare the Origin with a list of your own origins.",
        )
    vary = {name.strip().lower() for name in answer.headers.get("vary", "").split(",")}
    if not vary & {"origin", "*"}:
        return check.warning(f"{seen} without Vary: Origin: a cache may give it to another origin")
    return check.ok(seen)


def judge_preflight(answer: Answer, cors: Answer, origin: str, wanted: tuple[str, ...]) -> Result:
    """Judge the response to OPTIONS; ``wanted`` are the headers to allow, in lower case."""
    check = Check.PREFLIGHT
    if (reason := _without_answer(answer)) is not None or answer.status is None:
        return check.not_checked(reason or "")
    if cors.headers.get("access-control-allow-origin", "").strip() not in ("*", origin):
        return check.not_checked("other origins are not allowed")
    if not 200 <= answer.status < 300:
        return check.warning(f"status {answer.status}: fetch() cannot send {' or '.join(wanted)} from another origin")
    if answer.headers.get("access-control-allow-origin", "").strip() not in ("*", origin):
        return check.warning(f"status {answer.status} without Access-Control-Allow-Origin")
    return _allowed_headers(answer, wanted)


def _allowed_headers(answer: Answer, wanted: tuple[str, ...]) -> Result:
    check = Check.PREFLIGHT
    allowed = {name.strip().lower() for name in answer.headers.get("access-control-allow-headers", "").split(",")}
    # "*" does not include Authorization (Fetch, "CORS non-wildcard request-header name").
    missing = [name for name in wanted if name not in allowed and ("*" not in allowed or name == "authorization")]
    if missing:
        return check.warning(f"Access-Control-Allow-Headers has no {', '.join(missing)}")
    return check.ok(f"status {answer.status}, allows {', '.join(wanted)}")


def _without_answer(answer: Answer) -> str | None:
    """Return why there is no response to judge; None if there is one."""
    if answer.status is None:
        return f"the request failed: {answer.problem}"
    return f"the request got status {answer.status}" if answer.is_limited else None
