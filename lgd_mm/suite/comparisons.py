"""The parts of a report that compare entries: differences, costs, sizes of objects and classes."""

from typing import Any

from lgd_mm.report.charts import bar_chart, described
from lgd_mm.suite.class_gains import class_gains, class_tables, gain_charts
from lgd_mm.suite.forest import forest_charts, format_difference, format_p
from lgd_mm.suite.marks import differences
from lgd_mm.suite.pareto import COST, latency, pareto_charts
from lgd_mm.suite.reference import reference_of
from lgd_mm.suite.schema import Results
from lgd_mm.suite.sizes import size_figures


def comparisons(results: Results) -> dict[str, Any]:
    """What ``comparisons.html.jinja`` shows.

    Args:
        results (Results): The content of ``results.json``.

    Returns:
        dict[str, Any]: Its variables; empty ones where there is nothing to compare.
    """
    reference = reference_of(results)
    found = differences(results, reference) if reference else []
    gains = class_gains(results, reference) if reference else []
    sizes = size_figures(results)
    bars = [(each.title, described(bar_chart(f'size-{index}', each.bars(results)), f'size-{index}', each.title,
                                   'Mean, standard deviation and each seed; the table below has the figures.'))
            for index, each in enumerate(sizes)]
    return dict(
        reference=reference,
        differences=found,
        forest=forest_charts(results, found),
        format_difference=format_difference,
        format_p=format_p,
        pareto=pareto_charts(results),
        cost=COST,
        latency=latency,
        sizes=sizes,
        size_bars=bars,
        gains=gain_charts(gains),
        class_tables=class_tables(gains))
