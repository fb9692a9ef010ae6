"""A suite config in YAML, with data sets of one's own and a backbone for each row."""

import pytest
import yaml

from lgd_mm.errors import UserError
from lgd_mm.io.digests import folder_digest
from lgd_mm.suite.config import read_suite
from lgd_mm.suite.plan import choose, iterations
from tests.own_sets import FASTER, write_coco_set


@pytest.fixture
def suite(tmp_path):
    """A folder with a suite, and what is in its file."""
    write_coco_set(tmp_path / 'nuts', train=5)
    content = dict(
        seeds=[0, 1],
        entries=[dict(label='random', backbone='mobilenetv2'),
                 dict(label='LGD', pretrain='configs/lgd/r18_pretrain.py', inputs=['nuts'],
                      options=[f'train_dataloader.dataset.data_root={tmp_path / "nuts"}'])],
        tasks=[dict(name='boxes', config=FASTER, data='nuts', metrics={'coco/bbox_mAP': dict(title='AP', scale=100)})])
    return tmp_path, content


def read(folder, content):
    (folder / 'suite.yaml').write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return read_suite(str(folder / 'suite.yaml'))


def test_paths_are_from_the_file(suite):
    """Those of ready configs from the package; the runs lie beside the file."""
    folder, content = suite
    found = read(folder, content)
    assert (found.work_dir, found.tasks[0].data, found.entries[1].inputs) == (
        folder, folder / 'nuts', (folder / 'nuts', ))
    assert found.tasks[0].config.is_absolute() and found.tasks[0].config.is_file()
    content['work_dir'] = '~nobody-at-all/runs'  # as a shell leaves it
    assert read(folder, content).work_dir == folder / '~nobody-at-all/runs'
    assert (found.seeds, found.title, found.tasks[0].metrics[0].scale) == ((0, 1), 'suite', 100)


def test_runs_read_the_data(suite):
    """It is an argument of the tool and in the hash; a row has its own backbone, its pre-training that of its config.
    """
    folder, content = suite
    random, pretraining, boxes = choose(read(folder, content), seeds=[0])
    assert ['--data', str(folder / 'nuts')] == random.command[4:6]
    assert random.command[6:8] == ['--backbone', 'mobilenetv2'] and '--backbone' not in boxes.command
    assert '--data' not in pretraining.command and '--backbone' not in pretraining.command
    assert iterations(random) == 12 * 3  # epochs, five images two by two
    assert random.missing_input() is None
    before = random.hash(), pretraining.hash()
    (folder / 'nuts' / 'annotations' / 'val.json').write_text('{}')
    folder_digest.cache_clear()
    assert not {random.hash(), pretraining.hash()} & {*before}


def test_data_may_lie_elsewhere(suite, tmp_path):
    """The same content is the same run."""
    folder, content = suite
    before = [run.hash() for run in choose(read(folder, content))]
    (folder / 'nuts').rename(folder / 'moved')
    moved = yaml.safe_load(yaml.safe_dump(content).replace('nuts', 'moved'))
    assert [run.hash() for run in choose(read(folder, moved))] == before


@pytest.mark.parametrize(('change', 'sentence'), [
    (lambda content: 'a: &a [b]\nc: *a\n', "has the key 'a'; there are: title, note, "),
    (lambda content: '- a\n', 'is no suite: it must be keys with values'),
    (lambda content: 'title: !!python/object/apply:os.system [ls]\n', 'suite.yaml cannot be read .* correct it'),
    (lambda content: '<<: {title: a}\n', 'cannot be read .it merges mappings'),
    (lambda content: {**content, 'seeds': 'many'}, "seeds is 'many': it must be a list of different whole numbers"),
    (lambda content: {**content, 'tasks': [{**content['tasks'][0], 'data': 'gone'}]}, r'tasks\[0\].data: .*gone is n'),
    (lambda content: {**content, 'tasks': [{**content['tasks'][0], 'data': 3}]}, 'data is 3: it must be a string'),
    (lambda content: {**content, 'tasks': [dict(task='coco/mask-rcnn', data='nuts')]}, 'has both task and data'),
    (lambda content: {**content, 'entries': [dict(label='a', backbone=['b'])]}, r"backbone is \['b'\]: it must"),
    (lambda content: {**content, 'entries': [dict(label='a', pretrain='gone.py')]}, 'pretrain: .*gone.py does not'),
])
def test_mistakes(suite, change, sentence):
    """Each names the key."""
    folder, content = suite
    with pytest.raises(UserError, match=sentence):
        read(folder, change(content))
