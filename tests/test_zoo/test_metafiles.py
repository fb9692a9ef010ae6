"""The metafiles against the configs: what is listed exists, what is ready is listed, nothing is invented."""

import shutil
from pathlib import Path

import pytest
import yaml
from mmengine.analysis import get_model_complexity_info
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from modelindex.load_model_index import load

from tests.tiny import ROOT

#: Folders whose configs are all listed.
FOLDERS = ('lgd', 'baselines', 'students', 'distillvlm')
STUDENTS = sorted((ROOT / 'configs' / 'students').glob('*.py'))
UNPUBLISHED = 'no weights published'


def mistakes(root: Path) -> list[str]:
    """What is wrong with a ``model-index.yml`` and its metafiles, one sentence each."""
    index = load(str(root / 'model-index.yml'))
    found = index.check(silent=True)
    imported = set(yaml.safe_load((root / 'model-index.yml').read_text())['Import'])
    found += [f'{file} is not imported' for file in root.glob('configs/*/metafile.yml')
              if str(file.relative_to(root)) not in imported]
    collections = {collection.name: collection for collection in index.collections}
    names = [model.name for model in index.models]
    found += [f'{name} is there twice' for name in {name for name in names if names.count(name) > 1}]
    configs = [model.config for model in index.models]
    for model in index.models:
        if model.name != model.name.lower():
            found.append(f'{model.name} has capital letters: the hub looks for small ones')
        if model.in_collection not in collections:
            found.append(f'{model.name} is in no collection')
            continue
        if not (root / str(model.config)).is_file():
            found.append(f'{model.name} has no config {model.config}')
        if Path(str(model.config)).parent != Path(model.filepath).parent.relative_to(root):
            found.append(f'{model.name} is not beside its config')
        status = collections[model.in_collection].metadata.data.get('Status')
        if (status == UNPUBLISHED) == bool(model.weights):
            found.append(f'{model.name}: its weights and the status of its collection contradict each other')
        if model.results and not model.weights:
            found.append(f'{model.name} has results without weights')
    ready = [str(path.relative_to(root)) for folder in FOLDERS for path in root.glob(f'configs/{folder}/*.py')]
    found += [f'{config} is not listed' for config in ready if config not in configs]
    return found


@pytest.fixture
def copy(tmp_path) -> Path:
    """The configs and the index, to be spoilt."""
    shutil.copytree(ROOT / 'configs', tmp_path / 'configs', ignore=shutil.ignore_patterns('__pycache__'))
    shutil.copy(ROOT / 'model-index.yml', tmp_path)
    return tmp_path


def spoil(root: Path, old: str, new: str, file: str = 'configs/students/metafile.yml') -> None:
    text = (root / file).read_text()
    assert old in text
    (root / file).write_text(text.replace(old, new, 1))


def test_shipped_metafiles():
    assert mistakes(ROOT) == []


@pytest.mark.parametrize('old, new, mistake', [
    ('Name: lgd-resnet18_headless', 'Name: lgd-resnet34_headless', 'lgd-resnet34_headless is there twice'),
    ('Name: lgd-timm_headless', 'Name: lgd-TIMM_headless', 'lgd-TIMM_headless has capital letters'),
    ('In Collection: LGD students', 'In Collection: none', 'lgd-cspnext-s_headless is in no collection'),
    ('students/r18_headless.py', 'students/r19.py', 'lgd-resnet18_headless has no config configs/students/r19.py'),
    ('students/r18_headless.py', 'students/r19.py', 'configs/students/r18_headless.py is not listed'),
    ('students/r18_headless.py', 'lgd/r18_pretrain.py', 'lgd-resnet18_headless is not beside its config'),
    ('Weights: null', 'Weights: https://example.org/w.pth', 'cspnext-s_headless: its weights and the status'),
    ('Results: null', 'Results: [{Task: A, Dataset: B, Metrics: {C: 1}}]', 'has results without weights'),
])
def test_mistakes_are_found(copy, old, new, mistake):
    spoil(copy, old, new)
    assert any(mistake in found for found in mistakes(copy))


def test_a_metafile_must_be_imported(copy):
    spoil(copy, '  - configs/students/metafile.yml\n', '', 'model-index.yml')
    assert 'configs/students/r18_headless.py is not listed' in mistakes(copy)
    assert any('students/metafile.yml is not imported' in found for found in mistakes(copy))


@pytest.mark.parametrize('path', STUDENTS, ids=lambda path: path.stem)
def test_students_build_with_the_backbones_of_the_recipes(path):
    """Parameters and FLOPs are as stated; the recipes themselves are built in tests/test_configs."""
    cfg = Config.fromfile(path)
    init_default_scope(cfg.default_scope)
    stem, form = path.stem.rsplit('_', 1)
    assert cfg.model.backbone == Config.fromfile(ROOT / f'configs/lgd/{stem}_pretrain.py').model.backbone
    model = MODELS.build(dict(cfg.model, data_preprocessor=cfg.data_preprocessor)).eval()
    assert type(model).__name__ == {'headless': 'HeadlessStudent', 'zero-shot': 'ZeroShotStudent'}[form]
    models = load(str(ROOT / 'model-index.yml')).models
    (entry, ) = [model for model in models if model.config.endswith(f'/{path.name}')]
    if entry.metadata is None:
        return
    model.forward = model.extract_feat
    counted = get_model_complexity_info(model, input_shape=(3, 224, 224), show_table=False, show_arch=False)
    assert entry.metadata.data['Parameters'] == sum(parameter.numel() for parameter in model.parameters())
    assert entry.metadata.data['FLOPs'] == counted['flops']


def test_recipes_are_described_as_they_are():
    for model in load(str(ROOT / 'model-index.yml')).models:
        if Path(model.config).parent.name in ('students', 'distillvlm'):
            continue
        cfg, told = Config.fromfile(ROOT / model.config), model.metadata.data
        data = {'imagenet': 'ImageNet-1k', 'coco': 'COCO', 'ADEChallengeData2016': 'ADE20K', '': 'images of an index'}
        assert told['Training Data'] == data[Path(cfg.train_dataloader.dataset.data_root or '').name]
        assert (told['Epochs'], told['Batch Size']) == (cfg.train_cfg.max_epochs, cfg.auto_scale_lr.base_batch_size)
        assert told['Teacher'].startswith('DINO') == (cfg.model.teacher.type == 'lgd_mm.BackboneTeacher')
        part = cfg.model.get('students', dict(one=cfg.model)).popitem()[1].get('lgka', {})
        names = dict(imagenet='ImageNet-1k', coco='COCO', ade20k='ADE20K')
        assert told.get('Category Names') == names.get(part.get('categories'))
        stem = Path(model.config).stem.replace('r18', 'resnet18').replace('r34', 'resnet34').replace('r50', 'resnet50')
        assert model.name.replace('lgd-baselines_', '').replace('-', '_') in (
            stem.replace('-', '_'), f'lgd_{stem}'.replace('-', '_'))


def test_recipes_of_vision_and_language_are_described_as_they_are():
    """A teacher is told where there is one; the only figures are those that the paper has published."""
    index = load(str(ROOT / 'model-index.yml'))
    models = [model for model in index.models if 'distillvlm' in model.config]
    for model in models:
        cfg, told = Config.fromfile(ROOT / model.config), model.metadata.data
        assert model.name == f'lgd-distillvlm_{Path(model.config).stem.removeprefix("distill-vlm_")}'
        assert (told['Epochs'], told['Batch Size']) == (cfg.train_cfg.max_epochs, cfg.auto_scale_lr.base_batch_size)
        assert told['Training Data'] == dict(COCOCaption='COCO captions', COCOVQA='VQA v2')[
            cfg.train_dataloader.dataset.source.type]
        teacher = cfg.model.get('teacher')
        assert told.get('Teacher') == (teacher and f'{teacher.transformer.depth} blocks of width '
                                       f"{teacher.transformer.width}, adapted to the student's boxes")
        assert model.in_collection == 'DistillVLM' and not model.results and not model.weights
    (collection, ) = [each for each in index.collections if each.name == 'DistillVLM']
    assert 'not reproduced' in collection.metadata.data['Published Results']['Source']
