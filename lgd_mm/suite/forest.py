"""Differences from the reference of a suite: in words, and drawn with their intervals."""

from collections.abc import Sequence

from markupsafe import Markup

from lgd_mm.report.charts import described
from lgd_mm.report.forest_chart import Row, forest_chart
from lgd_mm.suite.figures import columns
from lgd_mm.suite.marks import Difference
from lgd_mm.suite.schema import Results


def forest_charts(results: Results, found: Sequence[Difference]) -> list[tuple[str, Markup]]:
    """A chart for each metric with a row for each entry beside the reference.

    Args:
        results (Results): The content of ``results.json``.
        found (Sequence[Difference]): Of these results.

    Returns:
        list[tuple[str, Markup]]: Titles and charts; none for a metric without differences.
    """
    series = {entry.label: number for number, entry in enumerate(results.entries)}
    charts = []
    for index, column in enumerate(columns(results)):
        of_column = [each for each in found if each.column == column]
        if not of_column:
            continue
        rows = [Row(each.label, series[each.label], each.mean, each.low, each.high, each.significant)
                for each in of_column]
        title = f'{column.task}: {column.heading}'
        chart = forest_chart(f'forest-{index}', rows, f'minus {of_column[0].reference}, percent')
        words = '; '.join(f'{each.label} {format_difference(each)}' for each in of_column)
        charts.append((title, described(chart, f'forest-{index}', f'{title}, minus {of_column[0].reference}', words)))
    return charts


def format_difference(difference: Difference) -> str:
    """``+3.2 (1.0 to 5.4)``, or ``+3.2`` with one seed."""
    if difference.low is None or difference.high is None:
        return f'{difference.mean:+.1f}'
    return f'{difference.mean:+.1f} ({difference.low:.1f} to {difference.high:.1f})'


def format_p(p: float | None) -> str:
    """``0.012``, ``< 0.001``, or ``–`` if unknown."""
    if p is None:
        return '–'
    return f'{p:.3f}' if p >= 0.001 else '< 0.001'
