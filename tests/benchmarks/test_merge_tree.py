"""The benchmark of merges: a tree of processes gives the same result as one process."""

import pickle
from pathlib import Path

from benchmarks.merge_totals import varied
from benchmarks.merge_tree import Merger
from sseclient_cli.measure.samples import Latency
from sseclient_cli.measure.totals import Totals


def totals_of(number: int) -> Totals:
    totals = Totals(planned=1, opened=1, events=number, cpu_percent=[float(number)])
    totals.latencies[Latency.GAP].record({1000 * number: 3})
    return varied(totals, number)


def test_a_tree_gives_the_result_of_one_process(tmp_path: Path) -> None:
    files = [tmp_path / str(number) for number in range(5)]
    for number, file in enumerate(files):
        file.write_bytes(pickle.dumps(totals_of(number)))
    with Merger(tmp_path) as merger:
        merger.in_sequence(files, tmp_path / "alone", are_held=False)
        tree, result = merger.in_tree(files, 2)
    expected, found = (pickle.loads(file.read_bytes()) for file in (tmp_path / "alone", result))
    assert found.cpu_percent == [0.0, 1.0, 2.0, 3.0, 4.0]  # in the order of the workers
    assert (found.events, found.hosts.keys()) == (10, expected.hosts.keys())
    assert found.latencies[Latency.GAP].encoded() == expected.latencies[Latency.GAP].encoded()
    assert (tree.levels, len(tree.inner)) == (3, 3)
