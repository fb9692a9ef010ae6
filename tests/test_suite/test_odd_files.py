"""What lies in the folder of a suite where its own files are to be."""

import json
import os
import socket

import pytest

from lgd_mm.errors import UserError
from lgd_mm.suite.launcher import end_orphan


def put(path, kind, victim):
    path.parent.mkdir(parents=True, exist_ok=True)
    victim.write_text('precious')
    dict(soft=lambda: path.symlink_to(victim), hard=lambda: os.link(victim, path), pipe=lambda: os.mkfifo(path),
         folder=path.mkdir, own=lambda: path.write_text('my notes'))[kind]()


@pytest.mark.parametrize('kind', ['soft', 'hard', 'pipe', 'folder', 'own'])
@pytest.mark.parametrize('name', ['.suite.lock', 'results.json'])
def test_of_the_suite(fake, kind, name):
    path, victim = fake.folder / 'runs' / name, fake.folder / 'victim'
    put(path, kind, victim)
    with pytest.raises(UserError, match=rf'{name}.* (cannot be|is) .*move it away, or give another folder'):
        fake.runner(seeds=[0]).run()
    assert victim.read_text() == 'precious' and os.path.lexists(path)
    assert not (fake.folder / 'runs/random').exists()


@pytest.mark.parametrize(('name', 'kind', 'reason'), [
    *((name, kind, reason) for name in ('.lock', 'output.log') for kind, reason in [
        ('soft', 'it is a link'), ('hard', 'it is a link to another file'), ('pipe', 'it is a pipe'),
        ('folder', 'Is a directory')]),
    ('.lock', 'own', 'is a file of somebody else')])
def test_of_one_row(fake, name, kind, reason):
    """Its cell fails with a sentence, and the others go on."""
    path, victim = fake.folder / 'runs/random/seed0/one' / name, fake.folder / 'victim'
    put(path, kind, victim)
    if name != '.lock':
        begun = dict(hash=fake.runner().runs[0].hash(), done=False, seconds=0)
        (path.parent / 'run.json').write_text(json.dumps(begun))
    results = fake.runner(seeds=[0], labels=['random', 'LGD'], names=['one']).run()
    told = {(cell.entry, cell.task): cell.error for cell in results.cells}
    assert reason in told['random', 'one'] and 'move it away' in told['random', 'one']
    assert 'Error:' not in told['random', 'one'] and told['LGD', 'one'] is None
    assert victim.read_text() == 'precious'


@pytest.mark.parametrize('content', ['there 0', 'there 1', '1', '-5', 'there -1', '9' * 5000, 'my notes', '7\n8'])
def test_no_other_process_is_ended(tmp_path, content):
    """Numbers 0 and 1 would send a signal to this group of processes, and to all there are."""
    (tmp_path / '.lock').write_text(content)
    with pytest.raises(UserError, match='is a file of somebody else: move it away'):
        end_orphan(tmp_path)
    assert (tmp_path / '.lock').read_text() == content


@pytest.mark.parametrize('content', ['', '\0' * 12, 'there 7', '7', f'{socket.gethostname()} 4000000'])
def test_what_a_process_left_that_has_ended(tmp_path, content):
    (tmp_path / '.lock').write_text(content)
    end_orphan(tmp_path)


def test_results_of_another_suite_stay(fake):
    fake.runner(seeds=[0], labels=['random']).run()
    before = (fake.folder / 'runs/results.json').read_bytes()
    other = fake.runner(seeds=[0], labels=['random'])
    object.__setattr__(other.suite, 'name', 'other')
    with pytest.raises(UserError, match='results.json is of suite fake_suite, and would be replaced .* of suite other'):
        other.run()
    assert (fake.folder / 'runs/results.json').read_bytes() == before
