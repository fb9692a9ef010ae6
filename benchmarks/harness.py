"""Forms of the same work, timed alternately in one run."""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from lgd_mm.runs.environment import environment


@dataclass(frozen=True)
class Case:
    """Forms that do the same.

    Attributes:
        name (str): Of the work.
        forms (dict[str, Callable[[], object]]): Each does all of it once.
        baseline (str): The form that the others are compared with.
    """

    name: str
    forms: dict[str, Callable[[], object]]
    baseline: str


def main(cases: Callable[[bool], list[Case]], doc: str) -> None:
    """Time all cases, print the table, and write the rows where ``--json`` says.

    Args:
        cases (Callable[[bool], list[Case]]): Makes the cases, small ones if it is given True.
        doc (str): What is compared.
    """
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument('--quick', action='store_true', help='small cases')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the rows')
    parser.add_argument('--rounds', type=int, default=9, metavar='N', help='rounds over all forms (default: 9)')
    args = parser.parse_args()
    rows = [row for case in cases(args.quick) for row in _rows(case, args.rounds)]
    table = Table('case', 'form', 'baseline', 'times as fast', 'spread', 'n')
    for row in rows:
        table.add_row(row['case'], row['form'], row['baseline'], f'{row["ratio"]:.2f}', f'{row["spread"]:.2f}',
                      str(row['n']))
    Console().print(table)
    if args.json:
        args.json.write_text(json.dumps(dict(rows=rows, **environment()), indent=1) + '\n')


def _rows(case: Case, rounds: int) -> list[dict]:
    """Median and interquartile range of the ratios of each round, after one round that does not count."""
    seconds: dict[str, list[float]] = {form: [] for form in case.forms}
    for _ in range(rounds + 1):
        for form, run in case.forms.items():
            start = time.perf_counter()
            run()
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            seconds[form].append(time.perf_counter() - start)
    rows = []
    for form in [form for form in case.forms if form != case.baseline]:
        ratios = [base / mine for base, mine in zip(seconds[case.baseline][1:], seconds[form][1:])]
        low, _, high = statistics.quantiles(ratios, n=4) if rounds > 1 else (0, 0, 0)
        rows.append(dict(case=case.name, form=form, baseline=case.baseline, ratio=statistics.median(ratios),
                         spread=high - low, n=rounds))
    return rows
