"""A run or a shard on its way to another machine: complete, and without a readable secret."""

import pickle
import socket
import stat
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme
from certificates import Authority

from sseclient_cli.errors import InternalError, LimitError, UsageError
from sseclient_cli.measure.answer_choice import LlmChoice
from sseclient_cli.payload.llm_api import LlmApi
from sseclient_cli.request.per_stream import with_values
from sseclient_cli.request.target import Address, ResolvedTarget, Target
from sseclient_cli.request.urls_file import WeightedUrl
from sseclient_cli.run.hosts.shipment import Shipment, packed
from sseclient_cli.run.plan import Plan
from sseclient_cli.run.spec import RunSpec, Shard

URL = "https://127.0.0.1:7/{token}"
SECRETS = ("hush-header", "hush-body", "hush-value", "PRIVATE KEY", "hush-words")


@pytest.fixture(name="spec")
def spec_with_secrets(tmp_path: Path) -> RunSpec:
    authority = Authority(trustme.CA(), tmp_path)
    certificate, key = authority.client()
    (tmp_path / "words.json").write_text("hush-words", "utf-8")
    target = Target.parse(
        URL, headers=["Authorization: Bearer hush-header"], body="hush-body", ca_file=authority.file,
        cert_file=certificate, key_file=key,
    )  # fmt: skip
    target = with_values([target], [WeightedUrl(URL)], {"token": ("hush-value",)}, values_file="users.csv")
    llm = LlmChoice(LlmApi.OPENAI_CHAT, tokenizer=str(tmp_path / "words.json"))
    plan = Plan(connections=2, duration_s=5, ramp_up_s=0, llm=llm)
    return RunSpec(target=target, plan=plan, against=replace(target, url="https://127.0.0.1:8/"))


def shard_of(spec: RunSpec) -> Shard:
    chain = (ResolvedTarget(spec.target, Address(socket.AF_INET, ("127.0.0.1", 7))),)
    return spec.shard(chain, chain, others=chain)


def shard_without_files() -> Shard:
    target, plan = Target.parse("http://h/"), Plan(connections=1, duration_s=1, ramp_up_s=0)
    return Shard(chain=(ResolvedTarget(target, Address(socket.AF_INET, ("127.0.0.1", 7))),), plan=plan)


def files_of(target: Target, plan: Plan) -> list[Path]:
    tls = target.tls
    assert plan.llm is not None
    named = (tls.ca_file, tls.cert_file, tls.key_file, plan.llm.tokenizer)
    return [Path(name) for name in named if name is not None]


def test_a_shard_arrives_with_the_contents_of_its_files(spec: RunSpec) -> None:
    shard = shard_of(spec)
    before = files_of(shard.chain[0].target, shard.plan)
    contents = [file.read_bytes() for file in before]
    shipment = pickle.loads(pickle.dumps(packed(shard)))
    for file in before:
        file.unlink()
    with shipment.unpacked() as arrived:
        requests = [*arrived.chain, *(arrived.against or ()), *arrived.others]
        assert len(requests) == 3
        files = files_of(requests[0].target, arrived.plan)
        assert [files_of(each.target, arrived.plan) for each in requests] == [files] * 3
        assert [file.read_bytes() for file in files] == contents
        assert not set(files) & set(before)
        assert requests[0].target.of_stream(0).url == "https://127.0.0.1:7/hush-value"
        assert requests[0].target.headers == shard.chain[0].target.headers
        assert requests[0].target.tls.context() is not None
        [folder] = {file.parent for file in files}
        if sys.platform != "win32":
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert not folder.exists()


def test_a_run_has_its_files_too(spec: RunSpec) -> None:
    with packed(spec).unpacked() as arrived:
        assert arrived.against is not None
        for target in (arrived.target, arrived.against):
            assert all(file.exists() for file in files_of(target, arrived.plan))


def test_content_without_files_arrives_unchanged() -> None:
    spec = RunSpec(target=Target.parse("http://h/"), plan=Plan(connections=1, duration_s=1, ramp_up_s=0))
    with packed(spec).unpacked() as arrived:
        assert arrived == spec


@pytest.mark.parametrize("content", [b"hush-value", pickle.dumps(Plan).replace(b"Plan", b"Nalp")])
def test_content_that_cannot_be_unpacked_is_an_error_without_its_values(content: bytes) -> None:
    shipment: Shipment[Shard] = Shipment(content, {})
    with pytest.raises(InternalError, match=r"^a run cannot be read on this machine: \w+$") as error:
        shipment.unpacked().__enter__()
    assert error.value.__suppress_context__


def test_files_that_cannot_be_written_are_an_error_of_the_machine(
    spec: RunSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipment = packed(spec)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(LimitError, match="cannot write the files of the run on this machine: no such file"):
        shipment.unpacked().__enter__()
    with packed(shard_without_files()).unpacked():  # needs no directory
        pass


def test_a_shipment_shows_no_value(spec: RunSpec) -> None:
    shipment = packed(shard_of(spec))
    shown = f"{shipment!r} {shipment} {[shipment]} {shipment.unpacked} {vars(type(shipment))}"
    assert "Shipment" in shown
    assert not [secret for secret in SECRETS if secret in shown]


def test_content_that_cannot_be_packed_is_an_error_without_its_values(spec: RunSpec) -> None:
    class Hidden:
        def __reduce__(self) -> Any:
            raise pickle.PicklingError("hush-header")

    odd = replace(spec.target, per_stream=Hidden())  # type: ignore[arg-type]
    with pytest.raises(InternalError) as error:
        packed(replace(spec, target=odd))
    assert str(error.value) == "a run cannot be sent to another machine: PicklingError"
    assert error.value.__suppress_context__


def test_a_file_that_cannot_be_read_is_named_with_its_argument(spec: RunSpec, tmp_path: Path) -> None:
    (tmp_path / "words.json").unlink()
    with pytest.raises(UsageError, match=r"cannot read .*words\.json: no such file") as error:
        packed(spec)
    assert error.value.arguments == ("tokenizer",)
