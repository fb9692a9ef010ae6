"""Accuracy of a suite's entries against the time that an image takes them."""

from markupsafe import Markup

from lgd_mm.report.charts import described
from lgd_mm.report.pareto_chart import Place, frontier, pareto_chart
from lgd_mm.suite.figures import columns, find_figure
from lgd_mm.suite.schema import Results

#: What :func:`latency` is.
COST = 'ms per image, one CPU thread'


def latency(results: Results, label: str) -> float | None:
    """Milliseconds that the backbone of an entry takes for an image on one thread; None where it was not measured.

    Args:
        results (Results): The content of ``results.json``.
        label (str): Of the entry.
    """
    cost = results.costs.get(label)
    return next((timing.milliseconds for timing in (cost.timings if cost else ())
                 if (timing.device, timing.threads) == ('CPU', 1)), None)


def pareto_charts(results: Results) -> list[tuple[str, Markup]]:
    """A chart for each metric.

    Args:
        results (Results): The content of ``results.json``.

    Returns:
        list[tuple[str, Markup]]: Titles and charts; none if fewer than two costs are known, as where all entries have
        the same backbone.
    """
    charts = []
    for index, column in enumerate(columns(results)):
        places = [Place(entry.label, series, cost, figure.mean, figure.std)
                  for series, entry in enumerate(results.entries)
                  if (figure := find_figure(results, entry.label, column)) and (cost := latency(results, entry.label))]
        if len({place.cost for place in places}) < 2:
            continue
        higher = column.better == 'higher'
        best = ', '.join(place.label for place in frontier(places, higher))
        title = f'{column.task}: {column.heading}'
        chart = pareto_chart(f'pareto-{index}', places, COST, column.heading, higher)
        charts.append((title, described(chart, f'pareto-{index}', f'{title} against {COST}',
                                        f'No other is both faster and better than: {best}.')))
    return charts
