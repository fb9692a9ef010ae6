"""A suite from its first run to its table, on a console."""

from rich.console import Console

from lgd_mm.errors import UserError
from lgd_mm.suite.costs import costs_table
from lgd_mm.suite.report import write_report
from lgd_mm.suite.runner import SuiteRunner
from lgd_mm.suite.schema import Results
from lgd_mm.suite.table import results_table


def execute(runner: SuiteRunner, console: Console) -> Results:
    """Run what is not done, write the report and show the table.

    Args:
        runner (SuiteRunner): Of the suite.
        console (Console): Where the table is shown.

    Returns:
        Results: The content of ``results.json``.

    Raises:
        UserError: If a run failed; the report has the others.
    """
    results = runner.run()
    folder = runner.suite.work_dir
    write_report(results, folder)
    console.print(results_table(results))
    if results.costs:
        console.print(costs_table(results))
    console.print(f'Report: {folder}/report.html and report.md   Figures: {folder}/results.json', highlight=False,
                  markup=False)
    if runner.failures:
        raise UserError(f'{len(runner.failures)} of {len(runner.runs)} runs failed, their logs tell why: correct it, '
                        'and the same command runs them')
    return results
