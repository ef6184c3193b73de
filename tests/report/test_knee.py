"""The knee of a curve of load and latency."""

from sseclient_cli.report.knee import knee


def test_it_is_where_the_curve_turns_up() -> None:
    assert knee(((100, 1), (200, 1), (400, 1.2), (800, 20))) == 400
    assert knee(((800, 20), (200, 1), (100, 1), (400, 1.2))) == 400


def test_a_load_that_ran_several_times_has_the_median() -> None:
    assert knee(((100, 1), (200, 1), (400, 90), (400, 1.1), (400, 1.2), (800, 20))) == 400


def test_flat_curve_and_few_loads_have_no_knee() -> None:
    assert knee((load, 1.0) for load in (1, 2, 4, 8)) is None
    assert knee((load, load) for load in (1, 2, 4)) is None
    assert knee(((1, 1.0), (2, 1.0), (4, None), (8, 20.0))) is None


def test_curve_that_falls_at_the_end_or_bends_down_has_no_knee() -> None:
    for values in ((8, 9, 10, 2), (1, 15, 18, 20)):
        assert knee(zip((100, 200, 400, 800), values, strict=True)) is None
