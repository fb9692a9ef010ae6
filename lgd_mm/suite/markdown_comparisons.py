"""The comparisons of entries in ``report.md``: differences, sizes of objects, classes."""

from collections.abc import Sequence

from lgd_mm.suite.class_gains import class_gains
from lgd_mm.suite.figures import columns
from lgd_mm.suite.forest import format_difference
from lgd_mm.suite.marks import Difference, differences
from lgd_mm.suite.markup import plain, table_of
from lgd_mm.suite.reference import reference_of
from lgd_mm.suite.schema import Results
from lgd_mm.suite.sizes import SizeFigures, size_figures


def comparison_parts(results: Results) -> list[str]:
    """Headings, tables and lists.

    Args:
        results (Results): The content of ``results.json``.

    Returns:
        list[str]: Blocks of Markdown; none where there is nothing to compare.
    """
    reference = reference_of(results)
    parts: list[str] = []
    if reference and (found := differences(results, reference)):
        parts += [f'## Differences from {plain(reference)}', _difference_table(results, found),
                  '- Percent, each with its own 95 % interval over seeds and test images; bold is more than chance '
                  'explains, among all of them.']
    if sizes := size_figures(results):
        parts += ['## By the size of objects', _size_table(results, sizes),
                  '- Small objects have up to 32 x 32 pixels, medium ones up to 96 x 96, large ones more.']
    if reference and (gains := class_gains(results, reference)):
        parts += [f'## Classes, against {plain(reference)}', '\n'.join(
            '- ' + plain(f'{each.label}, {each.column.task}, {each.column.heading}: {each.sentence()}.')
            for each in gains)]
    return parts


def _difference_table(results: Results, found: Sequence[Difference]) -> str:
    cells = {(each.label, each.column): f'**{format_difference(each)}**' if each.significant else
             format_difference(each) for each in found}
    shown = [column for column in columns(results) if any(column == of for _, of in cells)]
    labels = dict.fromkeys(each.label for each in found)
    return table_of([['entry', *(plain(f'{column.task}: {column.heading}') for column in shown)], *(
        [plain(label), *(cells.get((label, column), '–') for column in shown)] for label in labels)])


def _size_table(results: Results, sizes: Sequence[SizeFigures]) -> str:
    return table_of([['entry', *(plain(each.title) for each in sizes)], *(
        [plain(entry.label), *(_figure(each, entry.label) for each in sizes)] for entry in results.entries)])


def _figure(sizes: SizeFigures, label: str) -> str:
    figure = sizes.figures.get(label)
    return '–' if figure is None else f'{figure.mean:.1f}' + ('' if figure.std is None else f' ± {figure.std:.1f}')
