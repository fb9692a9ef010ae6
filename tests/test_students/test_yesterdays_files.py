"""What version 0.1 wrote still loads: its keys, the names its configs have for modules, its folders."""

import json

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from safetensors.torch import save_file

import lgd_mm
from lgd_mm.engine.checks.preflight import check_weights
from lgd_mm.registry import MODELS
from lgd_mm.safety.saved_config import read_saved_run
from lgd_mm.students import read_student
from lgd_mm.suite.run import _config_text
from lgd_mm.teacher_cache import CachedTeacher
from lgd_mm.teacher_cache.store import TeacherCache
from tests.test_suite.conftest import FakeSuite
from tests.tiny import lgd_model, write_tiny_teacher

#: Of a segmentation config of 0.1.
IMPORTS = "custom_imports = dict(allow_failed_imports=False, imports=['lgd_mm', 'lgd_mm.segmentation'])\n"
#: What a checkpoint of a pre-training holds beside the backbone.
HEAD = {
    'neck.mlp.0.weight': (64, 64), 'neck.mlp.0.bias': (64, ), 'neck.mlp.2.weight': (32, 64), 'neck.mlp.2.bias': (32, ),
    'lgka.textual_bank': (3, 32), 'lgka.visual_bank': (3, 32), 'lgka.counts': (3, ), 'lgka.vocabulary': (71, ),
}


@pytest.fixture(scope='module')
def teacher(tmp_path_factory):
    return write_tiny_teacher(tmp_path_factory.mktemp('teacher'))


@pytest.fixture(scope='module')
def model(teacher):
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return MODELS.build(lgd_model(teacher)).eval()


@pytest.fixture(scope='module')
def run(model, teacher, tmp_path_factory):
    """Folder of a pre-training."""
    folder, state = tmp_path_factory.mktemp('run'), model.state_dict()
    text = Config(dict(model=lgd_model(teacher), default_scope='mmpretrain')).pretty_text
    meta = dict(cfg=IMPORTS + text, epoch=1, iter=3, seed=0, experiment_name='tiny', mmengine_version='0.10.12',
                dataset_meta={}, batch=dict(pictures=4, in_epoch=1), run='0', teacher=model.teacher.fingerprint)
    torch.save(dict(meta=meta, state_dict=state, message_hub=dict(log_scalars={}, runtime_info={}, resumed_keys={}),
                    optimizer={}, param_schedulers=[], gradients=[]), folder / 'epoch_1.pth')
    (folder / 'last_checkpoint').write_text(str(folder / 'epoch_1.pth'))
    about = dict(backbone=lgd_model(teacher)['backbone'], teacher=lgd_model(teacher)['teacher'], image_size=224,
                 mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], vocabulary_digest='9020f440',
                 lgd_mm='0.1.0', iteration=3)
    weights = {key: value for key, value in state.items() if key.startswith('backbone.')}
    save_file(weights, folder / 'student.safetensors',
              metadata={'format': 'pt', **{key: json.dumps(value) for key, value in about.items()}})
    torch.save(dict(meta=about, state_dict=weights), folder / 'student.pth')
    return folder


@torch.no_grad()
def test_pretraining(run, model):
    state = torch.load(run / 'epoch_1.pth', weights_only=True)['state_dict']
    assert {key: tuple(value.shape) for key, value in state.items() if not key.startswith('backbone.')} == HEAD
    check_weights(model, state, run / 'epoch_1.pth')
    student, images = lgd_mm.load_student(run), torch.rand(2, 3, 64, 64)
    inputs = (255 * images - model.data_preprocessor.mean) / model.data_preprocessor.std
    torch.testing.assert_close(student.embed(images), torch.nn.functional.normalize(model.embed(inputs)))
    assert student.names == ('cat', 'dog', 'bicycle') and torch.equal(student.bank, state['lgka.textual_bank'])


@pytest.mark.parametrize('name', ['student.safetensors', 'student.pth'])
def test_student_file(run, model, name):
    weights, metadata = read_student(run / name)
    assert metadata['lgd_mm'] == '0.1.0' and metadata['iteration'] == 3
    assert all(torch.equal(value, weights[key]) for key, value in model.backbone.state_dict().items())
    student = lgd_mm.load_student(run / name)
    assert student.image_size == 224 and student.neck is None


def test_teacher_cache(teacher, model, tmp_path):
    """Its file of entries still says picture."""
    about = dict(format=2, teacher=dict(type='lgd_mm.OpenCLIPTeacher', model=teacher), embed_dim=32, pictures=2,
                 pipeline=[dict(type='lgd_mm.LoadImage'), dict(type='lgd_mm.RandomView', size=32)], data='e40b', seed=0,
                 fingerprint=model.teacher.fingerprint, views=1)
    (tmp_path / 'cache.json').write_text(json.dumps(about, indent=1))
    entries = np.zeros(2, [('embedding', '<f2', (32, )), ('view', '<f4', (12, )), ('picture', '<i8')])
    entries['embedding'][1], entries['picture'] = 0.5, [0, 1]
    (tmp_path / 'view0000').mkdir()
    np.save(tmp_path / 'view0000' / '00000.npy', entries)
    cache = TeacherCache(tmp_path)
    assert cache.missing() == [] and cache.entry(0, 1)['embedding'].tolist() == 32 * [0.5]
    assert cache.entry(0, 1)['picture'] == 1
    cached = CachedTeacher(str(tmp_path))
    assert cached.fingerprint == model.teacher.fingerprint == cached.original().fingerprint


def test_fine_tuned_run(tmp_path):
    """Its config names modules and classes as they were."""
    backbone = "dict(type='mmpretrain.ResNet', depth=18)"
    (tmp_path / 'resolved_config.py').write_text(
        f"{IMPORTS}default_scope = 'mmseg'\nmodel = dict(type='EncoderDecoder', backbone={backbone},\n"
        "    data_preprocessor=dict(type='lgd_mm.SegDataPreProcessor', mean=[1.0, 2.0, 3.0], std=[4.0, 5.0, 6.0]))\n"
        "test_dataloader = dict(batch_size=1, dataset=dict(type='lgd_mm.PicturesAndMasks', data_root='data'))\n"
        "test_evaluator = dict(type='lgd_mm.IoUMetric', iou_metrics=['mIoU'])\n")
    cfg = read_saved_run(tmp_path / 'resolved_config.py')
    assert cfg.custom_imports.imports == ['lgd_mm', 'lgd_mm.lean_mmseg']
    assert cfg.test_dataloader.dataset.type == 'lgd_mm.PicturesAndMasks'


@pytest.mark.filterwarnings('ignore:lgd_mm.segmentation is now:FutureWarning')
def test_suite_folder(tmp_path):
    """A run is known by its config: a module's new name there is not another run."""
    fake = FakeSuite(tmp_path)
    config = tmp_path / 'train.py'
    settings = config.read_text()
    config.write_text(IMPORTS + settings)
    text = _config_text(config)
    fake.runner(labels=['random'], seeds=[0]).run()
    before = fake.record('random/seed0/one')
    for later in ('version', 'tested', 'draws', 'classes'):
        del before[later]
    assert before['done'] and before.keys() == {
        'hash', 'done', 'seconds', 'entry', 'task', 'seed', 'command', 'work_dir', 'metrics', 'images_per_second',
        'peak_memory_mb', 'memory_of', 'versions', 'machine'}
    (tmp_path / 'runs/random/seed0/one/run.json').write_text(json.dumps(before))
    config.write_text(IMPORTS.replace('lgd_mm.segmentation', 'lgd_mm.lean_mmseg') + settings)
    assert _config_text(config) == text and 'lgd_mm.segmentation' in text
    fake.runner(labels=['random'], seeds=[0]).run()
    assert fake.record('random/seed0/one') == before and not list(tmp_path.glob('runs/**/*.old*'))
