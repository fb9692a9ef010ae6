"""The results as ``report.md``: readable as it is, and as a page on a code host."""

from collections.abc import Iterable

from lgd_mm.suite import table
from lgd_mm.suite.costs import costs_markdown
from lgd_mm.suite.figures import columns
from lgd_mm.suite.markdown_comparisons import comparison_parts
from lgd_mm.suite.marks import leaders
from lgd_mm.suite.markup import fenced, plain, table_of
from lgd_mm.suite.schema import Results


def markdown_report(results: Results) -> str:
    """Table, notes, comparisons, failures and commands.

    Args:
        results (Results): The content of ``results.json``.

    Returns:
        str: GitHub-flavoured Markdown.
    """
    failed = [cell for cell in results.cells if cell.state == 'failed']
    parts = [f'# {plain(results.title)}']
    if results.note:
        parts.append(plain(results.note))
    parts += [fenced(results.command, 'bash'), _table(results), '\n'.join(f'- {note}' for note in _notes(results))]
    parts += costs_markdown(results)
    parts += comparison_parts(results)
    if failed:
        parts.append('## Failed')
        for cell in failed:
            parts += [f'**{plain(cell.entry)}, {plain(cell.task)}**', fenced(cell.error or '')]
    parts += ['## Commands', '<details>\n<summary>The command of each run, from the root of the repository</summary>',
              fenced('\n'.join(_commands(results)), 'bash'), '</details>']
    return '\n\n'.join(parts) + '\n'


def _table(results: Results) -> str:
    shown = columns(results)
    leading = leaders(results)
    headings = [f'{plain(column.task)}: {plain(column.heading)}' for column in shown]
    lines = [['entry', *headings, 'time per seed']]
    for label in (entry.label for entry in results.entries):
        figures = [' '.join(table.format_figure(results, label, column)).strip() for column in shown]
        marked = [f'**{figure}**' if leading[column.task, column.key] == label else figure
                  for column, figure in zip(shown, figures)]
        lines.append([plain(label), *marked, table.format_row_time(results, label)])
    return table_of(lines)


def _notes(results: Results) -> list[str]:
    versions = ', '.join(f'{name} {version}' for name, version in results.versions.items())
    return [*map(plain, table.notes(results)), *([f'Versions: {plain(versions)}.'] if versions else [])]


def _commands(results: Results) -> Iterable[str]:
    """Each run's command below a line that tells what it made."""
    for cell in results.cells:
        for seed, command, digest in zip(cell.seeds, cell.commands, cell.hashes):
            yield ' '.join(f'# {cell.entry}, {cell.task}, seed {seed}, hash {digest[:12]}'.split())
            yield f'python {command}'
