"""The suite's reports: ``report.md``, and one HTML file that needs nothing beside it."""

from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from lgd_mm.errors import UserError
from lgd_mm.io.files import write_text
from lgd_mm.report.charts import SERIES, Bar, bar_chart, described
from lgd_mm.report.page import render_page
from lgd_mm.suite import figures, table
from lgd_mm.suite.comparisons import comparisons
from lgd_mm.suite.costs import cost_columns
from lgd_mm.suite.curves import cells_without_work_dirs, training_charts
from lgd_mm.suite.markdown import markdown_report
from lgd_mm.suite.marks import leaders
from lgd_mm.suite.predictions import Picture, draw_predictions, find_models
from lgd_mm.suite.schema import Results


def write_report(results: Results, folder: str | Path) -> None:
    """Write ``report.md`` and ``report.html``, each whole or not at all.

    Curves and predictions come from the work dirs of the cells; what is gone is named in the page.

    Args:
        results (Results): The content of ``results.json``.
        folder (str | Path): Made if missing.

    Raises:
        UserError: If a run's scalars are damaged.
    """
    page = _page(results)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {'report.md': markdown_report(results), 'report.html': page}.items():
        write_text(folder / name, text)


def _page(results: Results) -> str:
    images, troubles = _predictions(results)
    return render_page(
        Path(__file__).with_name('report.html.jinja'),
        results=results,
        columns=figures.columns(results),
        leaders=leaders(results),
        machine=vars(results.machine),
        notes=table.notes(results),
        bars=_bar_charts(results),
        costs=cost_columns(results),
        charts=training_charts(results),
        images=images,
        troubles=troubles,
        missing=cells_without_work_dirs(results),
        colours=len(SERIES),
        find_figure=figures.find_figure,
        format_figure=table.format_figure,
        format_memory=table.format_memory,
        format_row_time=table.format_row_time,
        format_seconds=table.format_seconds,
        **comparisons(results))


def _bar_charts(results: Results) -> list[tuple[str, Markup]]:
    """A chart for each metric that was measured, with a bar for each entry."""
    charts = []
    for index, column in enumerate(figures.columns(results)):
        bars = []
        for label in (entry.label for entry in results.entries):
            figure = figures.find_figure(results, label, column)
            shown, _ = table.format_figure(results, label, column)
            bars.append(Bar(label, figure.mean, figure.std, figure.values, '') if figure else
                        Bar(label, None, None, (), shown))
        if any(bar.mean is not None for bar in bars):
            title = f'{column.task}: {column.heading}'
            words = '; '.join(' '.join((bar.label, *table.format_figure(results, bar.label, column))) for bar in bars)
            charts.append((title, described(bar_chart(f'bar-{index}', bars), f'bar-{index}', title, words)))
    return charts


def _predictions(results: Results) -> tuple[dict[str, Sequence[Picture]], list[str]]:
    """Images of each task that has some, and sentences that tell what lacks."""
    images: dict[str, Sequence[Picture]] = {}
    troubles = []
    for task in results.tasks:
        try:
            models, gone = find_models(results, task)
            if gone:
                troubles.append(f'{task.name}: the checkpoint of {", ".join(gone)} is not available')
            if drawn := draw_predictions(models):
                images[task.name] = drawn
        except UserError as error:
            troubles.append(f'{task.name}: {error}')
        except Exception as error:  # of a model or a data set: the figures are worth a report without its images
            troubles.append(f'{task.name}: {type(error).__name__}: {error}')
    return images, troubles
