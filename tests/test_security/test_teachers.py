"""A student's teacher, the teacher of a cache, and the folder of a teacher: data as well."""

import json
import shutil

import pytest
import torch
from mmengine.registry import MODELS, DefaultScope

import lgd_mm
from lgd_mm.api.teachers import SHAPES_FOLDER
from lgd_mm.errors import UserError
from lgd_mm.models.teachers import OpenCLIPTeacher
from lgd_mm.students.read import read_student_file
from lgd_mm.suite.compare import read_results
from lgd_mm.teacher_cache import CachedTeacher
from lgd_mm.teacher_cache.store import FORMAT
from lgd_mm.zoo.index import read_index
from tests.test_security.conftest import watched
from tests.test_security.payloads import PLANTED, teachers

#: What a folder's open_clip_config.json may ask for: its part, the key, the value, and what is said.
ASKED = {
    'code of the tokenizer': ('text_cfg', dict(hf_tokenizer_name='x', tokenizer_kwargs=dict(trust_remote_code=True)),
                              'tokenizer_kwargs has'),
    'a tokenizer of the hub': ('text_cfg', dict(hf_tokenizer_name='evil/tokenizer'), 'not in the folder'),
    'a text tower of the hub': ('text_cfg', dict(hf_model_name='evil/model', hf_proj_type='mlp'), 'hf_model_name'),
    'an image tower of the hub': ('vision_cfg', dict(timm_model_name='hf-hub:evil/model'), 'timm_model_name'),
    'an image tower of a folder': ('vision_cfg', dict(timm_model_name='local-dir:/tmp'), 'timm_model_name'),
    'a function': ('vision_cfg', dict(act_layer='subprocess.check_output'), 'act_layer'),
    'a model of a terabyte': ('vision_cfg', dict(width=10**9), 'no model has such a size'),
}


@pytest.fixture(autouse=True)
def nothing_happens(marker):
    with watched() as seen:
        yield
    assert seen == [] and not marker.exists()


@pytest.fixture(scope='module')
def student_state():
    """Weights that fill a tiny backbone and a projection, so that nothing else is wrong with the file."""
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        import mmpretrain.models  # noqa: F401 - registers the backbones
        backbone = MODELS.build(dict(type='mmpretrain.ResNet', depth=18, stem_channels=2, base_channels=2))
    state = {f'backbone.{key}': value for key, value in backbone.state_dict().items()}
    return state | {'neck.mlp.0.weight': torch.ones(16, 16), 'neck.mlp.0.bias': torch.ones(16),
                    'neck.mlp.2.weight': torch.ones(4, 16), 'neck.mlp.2.bias': torch.ones(4)}


def write(file, state, teacher, neck=None):
    model = dict(backbone=dict(type='mmpretrain.ResNet', depth=18, stem_channels=2, base_channels=2),
                 neck=neck or dict(type='lgd_mm.MLPProjection'), teacher=teacher)
    torch.save(dict(meta=dict(cfg=f'model = {model!r}\n', iter=1), state_dict=state), file)
    return file


@pytest.mark.parametrize('name', teachers(__import__('pathlib').Path('/tmp/x')))
def test_the_teacher_of_a_student(name, student_state, marker, tmp_path):
    file = write(tmp_path / 'student.pth', student_state, teachers(marker)[name])
    student = lgd_mm.load_student(file)
    assert student.neck is not None
    with pytest.raises(UserError, match='student.pth|cache.json|hf-hub'):
        lgd_mm.zero_shot(student, tmp_path, 'cat,dog')


def test_the_projection_of_a_student(student_state, marker, tmp_path):
    file = write(tmp_path / 'student.pth', student_state, dict(type='lgd_mm.OpenCLIPTeacher'),
                 dict(type=f'{PLANTED}.Neck'))
    with pytest.raises(UserError, match=f"student.pth: model.neck.type is '{PLANTED}.Neck', which is not in the list"):
        lgd_mm.load_student(file)


@pytest.mark.parametrize('name', teachers(__import__('pathlib').Path('/tmp/x')))
def test_the_teacher_of_a_cache(name, marker, tmp_path):
    about = dict(format=FORMAT, teacher=teachers(marker)[name], fingerprint='x', embed_dim=2, pictures=1, views=1)
    (tmp_path / 'cache.json').write_text(json.dumps(about))
    with pytest.raises(UserError, match='cache.json|hf-hub'):
        CachedTeacher(str(tmp_path)).encode_text(['cat'])


@pytest.mark.parametrize('name', ASKED)
def test_the_folder_of_a_teacher(name, marker, tmp_path):
    part, changes, said = ASKED[name]
    shutil.copy(SHAPES_FOLDER / 'open_clip_model.safetensors', tmp_path)
    content = json.loads((SHAPES_FOLDER / 'open_clip_config.json').read_text())
    content['model_cfg'][part].update(changes)
    (tmp_path / 'open_clip_config.json').write_text(json.dumps(content))
    (tmp_path / 'evil.py').write_text(f'open({str(marker)!r}, "w").close()\n')
    with pytest.raises(UserError, match=said):
        OpenCLIPTeacher(f'local-dir:{tmp_path}').encode_text(['cat'])


def test_a_tokenizer_that_names_code_of_the_folder(tmp_path):
    for name in ('open_clip_model.safetensors', 'open_clip_config.json'):
        shutil.copy(SHAPES_FOLDER / name, tmp_path)
    content = json.loads((tmp_path / 'open_clip_config.json').read_text())
    content['model_cfg']['text_cfg']['hf_tokenizer_name'] = 'x'
    (tmp_path / 'open_clip_config.json').write_text(json.dumps(content))
    (tmp_path / 'tokenizer_config.json').write_text(json.dumps(dict(auto_map=dict(AutoTokenizer=['evil.Evil', None]))))
    with pytest.raises(UserError, match=r'tokenizer_config.json asks to run code \(auto_map\)'):
        OpenCLIPTeacher(f'local-dir:{tmp_path}')


def test_numbers_that_are_text(student_state, tmp_path):
    """They would be written into a config."""
    file = write(tmp_path / 'student.pth', student_state, None)
    read = read_student_file(file)
    for name, value in dict(mean={'x': 1}, std='1', image_size='64').items():
        changed = read._replace(metadata={**read.metadata, name: value})
        with pytest.raises(UserError, match=f'{name} is n'):
            assert (changed.statistics, changed.image_size) == ()


def test_results_and_zoos_of_somebody_else(tmp_path):
    (tmp_path / 'results.json').write_text('!!python/object/apply:os.system ["true"]')
    with pytest.raises(UserError, match='results.json is no valid JSON'):
        read_results(tmp_path / 'results.json')
    (tmp_path / 'model-index.yml').write_text('Models: !!python/object/apply:os.system ["true"]')
    with pytest.raises(UserError, match='cannot be read'):
        read_index(tmp_path / 'model-index.yml')
    (tmp_path / 'model-index.yml').write_text('Models:\n- {Name: evil, Config: ../evil.py, In Collection: x}\n'
                                              'Collections:\n- {Name: x}\n')
    with pytest.raises(UserError, match='lies outside of'):
        read_index(tmp_path / 'model-index.yml')
