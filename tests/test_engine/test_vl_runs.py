"""Runs of DistillVLM: resumed as if never stopped, in two processes as in one, and refused before a batch that does not
fit."""

import json

import pytest
import torch
from mmengine.config import Config

from lgd_mm.engine.launch import train
from lgd_mm.engine.report_work_dir import report_work_dir
from lgd_mm.engine.summary import next_step
from lgd_mm.errors import UserError
from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.safety.bounded_build import check_network
from lgd_mm.safety.saved_config import read_saved_run
from tests.isolation import forget_runs
from tests.tiny import train_in_two
from tests.vl_runs import options_of, write_config, write_files

PRETRAINING, CAPTIONING = 'distill-vlm_pretrain_coco-captions.py', 'distill-vlm_caption_coco.py'
#: 9 texts are no whole number of batches, and no even number.
TRAIN, VAL = 9, 5


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    return write_files(tmp_path_factory.mktemp('files') / 'root', TRAIN, VAL)


def run(files, folder, config=PRETRAINING, epochs=4, options=None, **arguments):
    """Train in this process; the checkpoint of the last epoch."""
    task = 'pretrain' if config == PRETRAINING else 'caption'
    settings = options_of(files, task, epochs, True) | {'train_dataloader.batch_size': 4} | (options or {})
    forget_runs()
    folder.mkdir(exist_ok=True)
    train(str(write_config(folder / 'config.py', config, settings)), work_dir=str(folder / 'run'), **arguments)
    return load_checkpoint_file(folder / f'run/epoch_{epochs}.pth')


@pytest.fixture(scope='module')
def whole(files, tmp_path_factory):
    return run(files, tmp_path_factory.mktemp('whole'), options={'train_dataloader.num_workers': 1})


def test_resumed_with_its_queue_as_if_it_had_never_stopped(files, whole, tmp_path):
    """With dropout, so that the networks' own random numbers count; bit by bit, the optimiser too."""
    options = {'model.student.transformer.dropout': 0.1}
    forget_runs()
    undisturbed = run(files, tmp_path / 'one', options=options)
    resumed = run(files, tmp_path / 'two', options=options, resume=str(tmp_path / 'one/run/epoch_2.pth'))
    state = undisturbed['state_dict']
    assert {'queue.embeddings', 'queue.position', 'projection.weight'} <= set(state)
    assert not any('teacher' in key for key in state)
    assert resumed['state_dict'].keys() == state.keys()
    assert all(torch.equal(value, resumed['state_dict'][key]) for key, value in state.items())
    for number, moments in undisturbed['optimizer']['state'].items():
        assert all(torch.equal(value, resumed['optimizer']['state'][number][key]) for key, value in moments.items())
    halfway = load_checkpoint_file(tmp_path / 'one/run/epoch_2.pth')['state_dict']
    assert not torch.equal(halfway['queue.embeddings'], state['queue.embeddings'])


def test_a_seed_gives_the_same_student_in_any_number_of_workers(files, whole, tmp_path):
    again = run(files, tmp_path)
    assert all(torch.equal(value, again['state_dict'][key]) for key, value in whole['state_dict'].items())
    other = run(files, tmp_path / 'other', options={'randomness.seed': 1})
    assert not torch.equal(other['state_dict']['queue.embeddings'], whole['state_dict']['queue.embeddings'])


def test_a_run_is_read_from_its_folder_and_built_within_its_weights(files, tmp_path):
    """As data: no teacher is looked for, and words come from the file of the config and must be the checkpoint's."""
    checkpoint = run(files, tmp_path, CAPTIONING, epochs=1)
    cfg = read_saved_run(tmp_path / 'run/config.py')
    assert cfg.val_evaluator.type == 'lgd_mm.CaptionScores' and 'weights' not in cfg.model.teacher
    assert cfg.val_dataloader.dataset.source.type == 'COCOCaption'
    model = check_network(cfg.model.student, 'mmpretrain', checkpoint['state_dict'], 'run')
    state = {key.removeprefix('student.'): value for key, value in checkpoint['state_dict'].items()
             if key.startswith('student.')}
    assert not any(model.load_state_dict(state))
    with pytest.raises(UserError, match='is of a model without a backbone, and this report is of those with one'):
        report_work_dir(tmp_path / 'run')
    huge = dict(cfg.model.student, transformer=dict(cfg.model.student.transformer, width=2**16))
    with pytest.raises(UserError, match='describes a network far larger than'):
        check_network(huge, 'mmpretrain', state, 'run')


def test_what_is_said_at_the_end_of_a_pre_training(tmp_path):
    cfg = Config.fromfile(write_config(tmp_path / 'config.py', PRETRAINING, {'work_dir': str(tmp_path)}))
    (tmp_path / 'student.safetensors').touch()
    assert next_step('', cfg) == f'student: {tmp_path}/student.safetensors'


@pytest.mark.slow
def test_two_processes_equal_one_with_an_odd_number_of_texts(files, tmp_path):
    """The queue, the student, and the scores of five captions, one of which is written twice."""
    one = run(files, tmp_path, CAPTIONING, epochs=2, options={'val_dataloader.batch_size': 2})
    config = write_config(tmp_path / 'two.py', CAPTIONING, options_of(files, 'caption', 2, True) | {
        'train_dataloader.batch_size': 2, 'val_dataloader.batch_size': 1})
    done = train_in_two(config, '--work-dir', tmp_path / 'two')
    assert done.returncode == 0, done.stderr[-3000:]
    assert f'next: python tools/test.py {config} {tmp_path}/two/epoch_2.pth' in done.stdout
    two = load_checkpoint_file(tmp_path / 'two/epoch_2.pth')
    for key, value in one['state_dict'].items():
        torch.testing.assert_close(two['state_dict'][key], value, atol=2e-5, rtol=2e-5, msg=key)
    scores = []
    for folder in (tmp_path / 'run', tmp_path / 'two'):
        rows = next(folder.glob('*/vis_data/scalars.json')).read_text().splitlines()
        scores.append({key: value for key, value in json.loads(rows[-1]).items() if key.startswith('caption/')})
    assert scores[0] and scores[1] == pytest.approx(scores[0])


@pytest.mark.parametrize(('options', 'sentence'), [
    ({'model.student.transformer.region_width': 31},
     r'regions of 30 numbers with their boxes, and model.student.transformer.region_width is 31: set it to 30'),
    ({'model.teacher.transformer.region_width': 99}, r'model.teacher.transformer.region_width is 99: set it to 38'),
    ({'train_dataloader.dataset.teacher_regions': None}, 'train_dataloader.dataset has no teacher_regions, which'),
    ({'train_dataloader.dataset.vocabulary': 'other.txt'},
     'train_dataloader.dataset.vocabulary has other word pieces than model.student.vocabulary'),
    ({'train_dataloader.dataset.lengths': (40, 12, 20)},
     'train_dataloader.dataset.lengths has 52 words and tags, and model.student.transformer.positions is 40'),
    ({'model.teacher.transformer.heads': 3, 'model.teacher.transformer.width': 48}, 'model.student has 4 heads and'),
    ({'model.teacher.transformer.positions': 30}, 'model.teacher reads 30 words and model.student 40')])
def test_what_does_not_fit_is_told_before_the_first_batch(files, tmp_path, options, sentence):
    words = (files / 'vocab.txt').read_text().split('\n')
    (tmp_path / 'other.txt').write_text('\n'.join([*words[:-1], 'zebra']))
    options = {key: str(tmp_path / value) if value == 'other.txt' else value for key, value in options.items()}
    with pytest.raises(UserError, match=sentence):
        run(files, tmp_path / 'run', options=options)
    assert not list((tmp_path / 'run').rglob('*.pth'))


def test_a_validation_with_the_regions_of_another_network(files, tmp_path):
    with pytest.raises(UserError, match='regions_other.* are of another network than those of train_dataloader'):
        write_other(files, tmp_path / 'regions_other')
        run(files, tmp_path / 'run', CAPTIONING, epochs=1, options={
            'val_dataloader.dataset.regions': str(tmp_path / 'regions_other')})


def write_other(files, folder):
    from lgd_mm.datasets.regions import RegionStore
    ours = RegionStore(files / 'regions/student_val')
    about = {key: ours.about[key] for key in ('width', 'most', 'tags', 'grid', 'boxes')}
    other = RegionStore.create(folder, dict(about, detector=dict(config='c', weights='w')), ours.names)
    other.write(0, [ours.row(name) for name in ours.names])
