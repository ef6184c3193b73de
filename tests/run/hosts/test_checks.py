"""Checks of a machine before its share of a run: resources, source addresses, routes."""

import asyncio
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme
from certificates import Authority
from plain_server import serving
from scripted_server import head

from sseclient_cli.errors import LimitError, UsageError
from sseclient_cli.request.per_stream import with_values
from sseclient_cli.request.target import Target
from sseclient_cli.request.urls_file import WeightedUrl
from sseclient_cli.run.hosts.checks import check_host, check_resources, find_routes, own_source_addresses
from sseclient_cli.run.hosts.shipment import packed
from sseclient_cli.run.plan import Plan
from sseclient_cli.run.spec import RunSpec

HERE, ALSO_HERE, ELSEWHERE = "127.0.0.2", "127.0.0.3", "198.51.100.1"


def spec_of(url: str, *sources: str, **fields: Any) -> RunSpec:
    target = Target.parse(url, source_address=",".join(sources) or None, on_this_machine=False)
    return RunSpec(target=target, plan=Plan(connections=1_000_000, duration_s=5, ramp_up_s=0), **fields)


def test_each_machine_uses_those_source_addresses_that_it_has() -> None:
    target = spec_of("http://h/", HERE, ELSEWHERE, ALSO_HERE).target
    assert own_source_addresses(target).source_addresses == (HERE, ALSO_HERE)
    plain = Target.parse("http://h/")
    assert own_source_addresses(plain) == plain


def test_a_machine_without_any_of_the_source_addresses_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"none of the addresses 198\.51\.100\.1, 198\.51\.100\.2") as error:
        check_host(spec_of("http://127.0.0.1:1/", ELSEWHERE, "198.51.100.2"), 1, 1)
    assert error.value.arguments == ("source_address",)


def test_resources_are_those_of_the_share_of_this_machine() -> None:
    spec = spec_of("http://127.0.0.1:1/", workers=3)
    check_resources(spec, 100, 1)
    with pytest.raises(LimitError, match="70,000 connections exceed the limit") as error:
        check_resources(spec, 70_000, 16)
    assert error.value.code == "local-ports"


def test_two_targets_at_one_address_share_its_local_ports() -> None:
    spec = spec_of("http://127.0.0.1:1/")
    check_resources(replace(spec, against=Target.parse("http://127.0.0.1:2/")), 20_000, 16)
    with pytest.raises(LimitError, match=r"40,000 connections exceed .* local ports"):
        check_resources(replace(spec, against=Target.parse("http://127.0.0.1:1/b")), 20_000, 16)


def test_ports_are_those_of_the_source_addresses_that_the_machine_has() -> None:
    with pytest.raises(LimitError, match=r"40,000 connections exceed .* local ports"):
        check_host(spec_of("http://127.0.0.1:1/", HERE, ELSEWHERE), 40_000, 16)


def test_ports_of_all_addresses_of_the_target_together_are_enough() -> None:
    spec = spec_of("http://127.0.0.1:1/")
    spec = replace(spec, target=replace(spec.target, all_addresses=True))
    checked = check_host(spec, 40_000, 16)
    find_routes(checked, 20_000, with_preflight=False)
    with pytest.raises(LimitError, match=r"40,000 connections exceed .* local ports"):
        find_routes(checked, 40_000, with_preflight=False)


async def test_each_target_has_a_route_from_the_source_addresses_of_the_machine() -> None:
    paths = []

    async def serve(reader: Any, writer: Any) -> None:
        paths.append((await reader.readuntil(b"\r\n\r\n")).split()[1].decode())
        writer.write(head(200) if paths[-1] != "/old" else head(302, b"Location: /new\r\n"))

    async with serving(serve) as port:
        spec = spec_of(f"http://127.0.0.1:{port}/old", HERE, ELSEWHERE)
        checked = check_host(replace(spec, against=spec_of(f"http://127.0.0.1:{port}/b").target), 1, 1)
        # In a thread, as a Dask worker calls it: this thread has an event loop.
        first, second = await asyncio.to_thread(find_routes, checked, 1, with_preflight=True)
    assert paths == ["/old", "/new", "/b"]
    assert [each.target.source_addresses for each in first.chain] == [(HERE,), (HERE,)]
    assert [each.target.url.rpartition("/")[2] for each in (*first.chain, *second.chain)] == ["old", "new", "b"]


def test_a_route_can_be_sent_without_values_and_gets_those_and_the_files_of_the_target(tmp_path: Path) -> None:
    urls = [WeightedUrl("https://127.0.0.1:1/{token}"), WeightedUrl("https://127.0.0.1:2/")]
    ca_file = Authority(trustme.CA(), tmp_path).file
    targets = [Target.parse(each.url, ca_file=ca_file) for each in urls]
    target = with_values(targets, urls, {"token": ("hush",)}, values_file="users.csv", urls_file="urls.txt")
    spec = replace(spec_of("http://h/"), target=target)
    with packed(spec).unpacked() as arrived:
        [route] = find_routes(check_host(arrived, 1, 1), 1, with_preflight=False)
    assert b"hush" not in pickle.dumps(route)
    ours = route.of(target)
    assert ours.chain[0].target == target
    assert {each.target.tls.ca_file for each in (*ours.chain, *ours.others)} == {ca_file}
    assert len(ours.others) == 1
