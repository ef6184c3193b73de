"""The tests of a comparison against published values."""

import pytest

from sseclient_cli.report.significance import fisher_p_value, t_quantile


@pytest.mark.parametrize(
    ("probability", "freedom", "quantile"),
    [(0.975, 5, 2.571), (0.975, 30, 2.042), (0.995, 10, 3.169), (0.999, 8, 4.501), (0.999, 20, 3.552)],
)
def test_quantiles_of_student_t(probability: float, freedom: float, quantile: float) -> None:
    assert t_quantile(probability, freedom) == pytest.approx(quantile, rel=0.01)


@pytest.mark.parametrize(
    ("table", "p_value"),
    [((3, 4, 1, 4), 0.4857), ((1, 10, 11, 14), 0.0028), ((0, 100, 0, 100), 1), ((0, 1000, 10, 1000), 0.0019)],
)
def test_fisher_p_value(table: tuple[int, int, int, int], p_value: float) -> None:
    # R: fisher.test(matrix(c(3, 1, 1, 3), 2)), the lady tasting tea, and alike
    assert fisher_p_value(*table) == pytest.approx(p_value, abs=1e-4)


def test_fisher_of_a_large_run_is_exact_and_fast() -> None:
    assert fisher_p_value(50_000, 100_000, 50_000, 100_000) == pytest.approx(1)
    assert fisher_p_value(0, 100_000, 50, 100_000) < 1e-10
