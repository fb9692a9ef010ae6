"""The report as Markdown."""

from lgd_mm.suite.markdown import markdown_report
from tests.test_suite.made_up import cell, metric, results

TASKS = {'probe': [metric('top-1')], 'UPerNet': [metric('mIoU')]}


def test_everything_but_images_is_told() -> None:
    text = markdown_report(results(TASKS, ['random', 'LGD'], [
        cell('random', 'probe', {'top-1': (20.0, 1.0)}),
        cell('LGD', 'pre-training'),
        cell('LGD', 'probe', {'top-1': (31.25, 1.0)}),
        cell('LGD', 'UPerNet', seeds=(), state='failed', error='seed 0: exit code 1\nline | of the ``` log'),
    ], note='What it *is*.'))
    lines = text.splitlines()

    assert lines[0] == '# Made up'
    assert 'What it \\*is\\*.' in lines
    table = lines.index('| entry | probe: top-1 | UPerNet: mIoU | time per seed |')
    assert lines[table + 1:table + 5] == [
        '| --- | ---: | ---: | ---: |',
        '| random | 20.0 ± 1.0 | – | 1 min 00 s |',
        '| LGD | **31.2 ± 1.0** | failed | 2 min 00 s |',
        '',
    ]
    assert any('n = 3 seeds (0, 1, 2)' in line for line in lines)
    assert '- Versions: torch 2.11.0.' in lines
    failed = lines.index('## Failed')
    assert lines[failed + 2:failed + 8] == [
        '**LGD, UPerNet**', '', '````', 'seed 0: exit code 1', 'line | of the ``` log', '````']
    command = lines.index('python tools/train.py LGD/seed2/probe.py')
    assert lines[command - 1] == '# LGD, probe, seed 2, hash 000000000000'
    assert lines.count('<details>') == lines.count('</details>') == 1


def test_names_are_no_markup() -> None:
    evil = 'a|b <script> *c* _d_ [e](f)'
    cells = [cell(evil, evil, {'top-1': (1.0, None)}, seeds=(0, ))]
    text = markdown_report(results({evil: [metric('top-1')]}, [evil], cells, title=evil))
    outside = text[:text.index('<details>')]
    assert '<script>' not in outside
    row = next(line for line in outside.splitlines() if line.startswith('| a'))
    assert row == r'| a\|b &lt;script&gt; \*c\* \_d\_ \[e\](f) | 1.0 | 1 min 00 s |'
