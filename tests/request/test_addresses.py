"""Name resolution with the resolver of this machine."""

import socket
from pathlib import Path

import pytest
from namespaces import can_unshare, printed_with

from sseclient_cli.errors import NameNotResolvedError
from sseclient_cli.request.addresses import resolve, with_others
from sseclient_cli.request.target import Address, ResolvedTarget, Target

NEEDS_NAMESPACES = pytest.mark.skipif(not can_unshare("-mn"), reason="needs root and unshare")


def test_an_address_resolves_to_itself() -> None:
    assert resolve(Target(url="http://127.0.0.1:8000/"), 1) == (Address(socket.AF_INET, ("127.0.0.1", 8000)),)
    (address,) = resolve(Target(url="http://[::1]/"), 1)
    assert (address.family, address.socket_address[:2]) == (socket.AF_INET6, ("::1", 80))


def test_connect_to_and_a_unix_socket_replace_the_address_of_the_url() -> None:
    target = Target(url="http://nothing.test/", connect_to=("127.0.0.1", 81))
    assert resolve(target, 1) == (Address(socket.AF_INET, ("127.0.0.1", 81)),)
    target = Target(url="http://nothing.test/", unix_socket="/run/sse")
    assert resolve(target, 1) == (Address(socket.AF_UNIX, "/run/sse"),)
    resolved = ResolvedTarget(target, Address(socket.AF_UNIX, "/run/sse"))
    assert with_others(resolved, 1) == resolved


def test_a_name_without_an_address_is_an_error_before_a_run_and_ignored_after_an_answer() -> None:
    # A DNS label has at most 63 characters: the resolver fails without a query.
    target = Target(url=f"http://{'n' * 64}.invalid/")
    with pytest.raises(NameNotResolvedError, match="has no address: check its spelling"):
        resolve(target, 5)
    resolved = ResolvedTarget(target, Address(socket.AF_INET, ("127.0.0.1", 80)))
    assert with_others(resolved, 5) == resolved


@NEEDS_NAMESPACES
def test_the_other_addresses_of_a_name_have_the_family_of_the_one_that_answered(tmp_path: Path) -> None:
    hosts = "".join(f"{address} pool.test\n" for address in ("fd00::1", "127.0.0.2", "127.0.0.3", "127.0.0.4"))
    script = """
        import socket
        from dataclasses import replace
        from sseclient_cli.request.addresses import resolve, with_others
        from sseclient_cli.request.target import Address, ResolvedTarget, Target

        target = Target(url="http://pool.test:8000/")
        resolved = with_others(ResolvedTarget(target, Address(socket.AF_INET, ("127.0.0.3", 8000))), 5)
        print(resolved.address.socket_address, sorted(other.socket_address for other in resolved.others))
        print(sorted(a.socket_address for a in resolve(replace(target, source_addresses=("127.0.0.1",)), 5)))
        print(len({address.family for address in resolve(target, 5)}))
    """
    assert printed_with("/etc/hosts", hosts, script, tmp_path) == [
        "('127.0.0.3', 8000) [('127.0.0.2', 8000), ('127.0.0.4', 8000)]",
        "[('127.0.0.2', 8000), ('127.0.0.3', 8000), ('127.0.0.4', 8000)]",
        "1",
    ]


@NEEDS_NAMESPACES
def test_a_lookup_without_an_answer_ends_at_the_time_limit(tmp_path: Path) -> None:
    script = """
        import socket, time
        from sseclient_cli.request.addresses import resolve
        from sseclient_cli.errors import NameNotResolvedError
        from sseclient_cli.request.target import Target

        silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        silent.bind(("127.0.0.53", 53))
        began_s = time.monotonic()
        try:
            resolve(Target(url="http://nothing.example/"), 0.5)
        except NameNotResolvedError as exc:
            print(exc)
        print(silent.recv(512) != b"" and time.monotonic() - began_s < 4)
    """
    lines = printed_with("/etc/resolv.conf", "nameserver 127.0.0.53\n", script, tmp_path)
    message = "the host name of nothing.example:80 was not resolved within 0.5 s: check the name servers"
    assert lines == [message, "True"]
