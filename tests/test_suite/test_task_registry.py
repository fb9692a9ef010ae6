"""The tasks of the registry: their files, and that no protocol changes without a new version."""

import json
import re
import shlex
from pathlib import Path

import pytest

from lgd_mm.engine.checks import preflight
from lgd_mm.errors import UserError
from lgd_mm.suite import config_tasks, task_registry
from lgd_mm.suite.config import read_suite
from lgd_mm.suite.definition import ROOT, resolved
from lgd_mm.suite.plan import choose
from lgd_mm.suite.run import Run
from lgd_mm.suite.schema import Metric
from lgd_mm.suite.task_registry import Family, RegisteredTask, TaskCard, read_family, registered_tasks
from tests.test_suite.protocols import protocol

TASKS = registered_tasks()
#: Task -> version -> its protocol, also of earlier versions.
PINNED = json.loads(Path(__file__).with_name('protocols.json').read_text())
WORLD = 'work_dirs/quickstart/data/world.json'
TEACHER = 'lgd_mm/datasets/shapes/teacher/open_clip_model.safetensors'
FILE = '''source: here
data: [data]
tasks:
  one:
    version: 1
    title: One
    config: configs/one.py
    metrics: [{key: a/b, title: B, scale: 100, better: higher}]
    test_images: 7
    card: It measures one thing.
'''


@pytest.mark.parametrize('name', TASKS)
def test_a_changed_protocol_is_a_new_version(name: str) -> None:
    """If it fails: raise the task's version in its file and add the pair to protocols.json; figures of two versions do
    not compare. A change that cannot change a figure gets the new number in the old version's place."""
    assert PINNED[name].get(str(TASKS[name].card.version)) == protocol(TASKS[name])


def test_what_is_pinned_is_there() -> None:
    assert set(PINNED) == set(TASKS)
    assert all(max(map(int, versions)) == TASKS[name].card.version for name, versions in PINNED.items())
    assert all(len(set(versions.values())) == len(versions) for versions in PINNED.values())


def test_the_pin_is_of_config_and_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    task = TASKS['shapes/upernet']
    before = protocol(task)
    changed = [dict(metrics=[Metric('mIoU', 'mIoU', 100, 'higher')]), dict(test_images=99),
               dict(config='configs/shapes/upernet_r18-slim_colours.py')]
    assert len({protocol(task._replace(card=TaskCard(**vars(task.card) | change))) for change in changed}
               | {before}) == 4


@pytest.mark.parametrize('name', TASKS)
def test_a_card_is_of_its_config(name: str) -> None:
    """The data that it names are those of the config, and so is whether something is trained."""
    card, family = TASKS[name].card, TASKS[name].family
    cfg = resolved(Path(card.config), ())
    assert card.test_only == (not cfg.get('train_cfg') or card.of is not None)
    for split in ('test', ) if card.test_only else ('train', 'val'):
        for key, path in preflight._named_paths(cfg, split):
            assert any(Path(path).is_relative_to(data) or Path(data).is_relative_to(path) for data in family.data), key
    assert 1 <= card.card.count('. ') + 1 <= 4 and len(card.card) < 420


def test_every_file_has_tasks_and_titles_tell_those_of_a_suite_apart() -> None:
    for family in {task.name.partition('/')[0] for task in TASKS.values()}:
        titles = [task.card.title for task in TASKS.values() if task.name.startswith(f'{family}/')]
        assert len(set(titles)) == len(titles) > 0


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Writes a file of tasks; the registry is that one alone."""
    def write(text: str) -> Path:
        (tmp_path / 'own.yaml').write_text(text)
        monkeypatch.setattr(task_registry, 'FOLDER', tmp_path)
        monkeypatch.setattr(task_registry, 'registered_tasks', lambda: registered_tasks(tmp_path))
        registered_tasks.cache_clear()
        return tmp_path / 'own.yaml'
    yield write
    registered_tasks.cache_clear()


def test_a_file_is_read(files) -> None:
    card = TaskCard(1, 'One', 'configs/one.py', [Metric('a/b', 'B', 100, 'higher')], 7, 'It measures one thing.')
    family = Family('here', ['data'], {'one': card})
    assert dict(registered_tasks(files(FILE).parent)) == {'own/one': RegisteredTask('own/one', card, family)}


@pytest.mark.parametrize('old, new, message', [
    ('version: 1', 'version: 0', 'has a version of 0, and it must be at least 1'),
    ('version: 1', 'version: one', "tasks['one'].version is 'one', and must be a whole number"),
    ('version: 1', 'version: true', 'version is True, and must be a whole number'),
    ('    version: 1\n', '', "tasks['one'] has no version"),
    ('test_images: 7', 'test_images: 0', 'has a test_images of 0, and it must be at least 1'),
    ('title: One', 'heading: One', "tasks['one'] has the key 'heading'; there are: version, title, config, metrics"),
    ('scale: 100', 'scale: 100, unit: px', "metrics[0] has the key 'unit'; there are: key, title, scale, better"),
    ('better: higher', 'better: more', "better is 'more', and must be 'higher' or 'lower'"),
    ('source: here', 'source: here\nauthor: me', "it has the key 'author'; there are: source, data, tasks"),
    ('data: [data]', 'data: data', "data is 'data', and must be a list"),
    ('title: One', 'title: !!python/object/apply:os.system [exit]', 'cannot be read (could not determine a construc'),
    ('title: One', '<<: {title: One}', 'cannot be read (it merges mappings'),
    ('title: One', 'title: [', 'cannot be read (while parsing'),
    (FILE, '', 'it is None, and must be an object'),
])
def test_a_damaged_file(files, old: str, new: str, message: str) -> None:
    file = files(FILE.replace(old, new))
    with pytest.raises(UserError) as caught:
        read_family(file)
    told = str(caught.value)
    assert told.startswith(f'{file}') and message in told and told.endswith('put it right or remove it')
    assert '\n' not in told


def test_a_suite_names_tasks(fake, files) -> None:
    files(FILE.replace('configs/one.py', str(fake.folder / 'train.py')).replace('test_images: 7', 'inputs: [x]\n'
                       '    test_images: 7'))
    own = dict(task='own/one', name='short', options=['max=1'], inputs=['y'], metrics={'a/b': 'other'}, version=1)
    fake.settings['tasks'] = ['own/one', own, fake.task('two', version=3)]
    fake.settings['entries'] = [fake.made('LGD')]
    one, other, two = fake.read().tasks
    assert (one.name, one.task, one.version, one.test_images, one.options, one.inputs) == (
        'One', 'own/one', 1, 7, (), (Path('x'), ))
    assert one.metrics == (Metric('a/b', 'B', 100, 'higher'), )
    assert (other.name, other.options, other.inputs) == ('short', ('max=1', ), (Path('x'), Path('y')))
    assert other.metrics == (Metric('a/b', 'other', 1, 'higher'), ) and other.config == one.config
    assert (two.task, two.version, two.test_images) == (None, 3, None)


@pytest.mark.parametrize('task, message', [
    ('shapes/uppernet', r"tasks\[0\]: there is no task 'shapes/uppernet': did you mean 'shapes/upernet'"),
    ('', r"tasks\[0\]: there is no task ''"),
    (7, 'tasks is .7, .*: it must be a list of names of tasks'),
    (dict(task=7), r'tasks\[0\].task is 7: it must be a string'),
    (dict(task='shapes/upernet', version=2),
     'asks for version 2 of task shapes/upernet, and this lgd_mm has version 1: update lgd_mm, or take version out'),
    (dict(task='shapes/upernet', version='1'), r"tasks\[0\].version is '1': it must be a whole number above 0"),
    (dict(task='shapes/upernet', version=0), r'tasks\[0\].version is 0: it must be a whole number above 0'),
    (dict(task='shapes/upernet', config='train.py'), 'has both task and config: config is that of the task'),
    (dict(task='shapes/upernet', test_images=3), 'has both task and test_images'),
    (dict(task='shapes/upernet', heading='x'), "has the key 'heading'; there are: name"),
])
def test_mistakes_in_a_suite(fake, task: object, message: str) -> None:
    fake.settings['tasks'][0] = task
    with pytest.raises(UserError, match=message):
        fake.read()


def test_an_earlier_version_is_in_an_earlier_lgd_mm(fake, files) -> None:
    files(FILE.replace('version: 1', 'version: 3'))
    with pytest.raises(UserError, match='version 2 of task own/one, and this .* has version 3: install the lgd_mm'):
        config_tasks.with_registry(dict(task='own/one', version=2), 'here')


def without_checkpoint(command: str) -> str:
    """A checkpoint's name is known once it is there; no folder, and nothing that a run keeps beside its figures, is
    part of its hash."""
    command = re.sub(r'work_dirs/(suite|dense|readme)/', 'work_dirs/', command)
    return re.sub(r'/(epoch|iter)_\d+\.pth| --log-samples', '', command)


@pytest.mark.parametrize('folder', ['ablation', 'harder', 'rivals', 'speed', 'suite'])
def test_finished_runs_of_before_are_recognised(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their commands are those of today's plan, so that their hashes are, on a CPU like that of the results."""
    content = json.loads((ROOT / 'docs/results' / folder / 'results.json').read_text())
    monkeypatch.setattr('lgd_mm.suite.plan.fast_bf16', lambda: '--amp' in json.dumps(content))
    planned = {without_checkpoint(shlex.join(run.command))
               for run in choose(read_suite(str(ROOT / f'configs/shapes/{content["suite"]}.py')))}
    made = {without_checkpoint(command) for cell in content['cells'] for command in cell['commands']}
    assert made <= planned


def test_what_a_hash_is_of_beside_the_command() -> None:
    """As it was when the suite's tasks were dicts."""
    runs = {run.task: run for run in choose(read_suite(str(ROOT / 'configs/shapes/suite.py')), ['LGD'], seeds=[0])}
    coco = ('coco/bbox_mAP', 'coco/segm_mAP')
    before = {
        'zero-shot': ('configs/shapes/zero-shot_r18-slim_shapes.py', True, (WORLD, TEACHER), ('accuracy/top1', )),
        'linear probe': ('configs/shapes/linear_r18-slim_shapes.py', False, (WORLD, ), ('accuracy/top1', )),
        'Mask R-CNN': ('configs/shapes/mask-rcnn_r18-slim_fpn_shapes.py', False, (WORLD, ), coco),
        'UPerNet': ('configs/shapes/upernet_r18-slim_shapes.py', False, (WORLD, ), ('mIoU', )),
    }
    del runs['pre-training']

    def about(run: Run) -> tuple:
        return str(run.config), run.checkpoint is not None, tuple(map(str, run.inputs)), run.metrics
    assert {name: about(runs[name]) for name in before} == before
    assert all(run.options == ('randomness.seed=0', ) and run.flags == () for run in runs.values())


def test_rows_that_are_one_student(fake) -> None:
    for name in ('a.pth', 'b.pth', 'c.pth'):
        (fake.folder / name).write_bytes(b'other' if name == 'c.pth' else b'weights')
    (fake.folder / 'link.pth').symlink_to(fake.folder / 'a.pth')

    def rows(*names: str) -> None:
        fake.settings['entries'] = [dict(label=f'row {name}', student=str(fake.folder / name)) for name in names]
        fake.read()
    rows('a.pth', 'c.pth')
    for other in ('b.pth', 'link.pth'):
        with pytest.raises(UserError, match=f"'row a.pth' and 'row {other}' are one student .*a.pth and .*{other}, wh"):
            rows('c.pth', 'a.pth', other)
    fake.settings['entries'] = [dict(label=label, student=str(fake.folder / 'a.pth')) for label in 'AB']
    with pytest.raises(UserError, match=r"entries 'A' and 'B' are one student \(.*/a.pth\): take one out"):
        fake.read()
