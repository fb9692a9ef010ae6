"""Every target, loaded by the code that its report gives, against the student of the checkpoint."""

import importlib.util
import json
import sys

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

from lgd_mm.api.embedding import short_side
from lgd_mm.errors import UserError
from lgd_mm.exports import TARGETS, export_student, figures
from lgd_mm.exports.targets import timm as timm_target
from lgd_mm.students import export_checkpoint, read_student
from tests.test_exports.conftest import SIZE, normalised


def run(usage, **names):
    """What a report's code leaves behind."""
    exec(usage, names)
    return names


@torch.no_grad()
def last_map(pretrained, name, images):
    return pretrained(name)[0].backbone(normalised(images))[-1]


@pytest.mark.parametrize('name', ['mobilenet_v2', 'mobilenet_v3'])
def test_torchvision_has_the_features(name, pretrained, images, tmp_path, close):
    report = export_student(pretrained(name)[1], 'torchvision', tmp_path / 'out')
    model = run(report.usage)['model'].eval()
    with torch.no_grad():
        close(model.features(normalised(images)), last_map(pretrained, name, images))
    assert report.relative <= report.tolerance and 'torchvision 0.' in report.library


@pytest.mark.parametrize('name', ['mobilenet_v2', 'mobilenet_v3', 'cspnext', *(
    pytest.param(name, marks=pytest.mark.slow) for name in ('efficientnet', 'ghostnet'))])
def test_timm_has_the_features(name, pretrained, images, tmp_path, close):
    report = export_student(pretrained(name)[1], 'timm', tmp_path / 'out')
    model = run(report.usage)['model'].eval()
    with torch.no_grad():
        found = model(normalised(images))
    expected = last_map(pretrained, name, images)
    found = found[-1] if isinstance(found, list) else found
    close(found, expected if found.dim() == 4 else expected.mean((2, 3)))
    assert (found.dim() == 4) == (name in ('mobilenet_v3', 'ghostnet')) == ('returns' in str(report))


@pytest.mark.parametrize('name', ['mobilenet_v3', 'resnet'])
def test_huggingface_folder_is_loaded_by_timm(name, pretrained, images, tmp_path, close):
    report = export_student(pretrained(name)[1], 'huggingface', tmp_path / 'out')
    names = run(report.usage)
    with torch.no_grad():
        found = names['model'].eval()(normalised(images))
    expected = last_map(pretrained, name, images)
    close(*(found[-1], expected) if isinstance(found, list) else (found, expected.mean((2, 3))))
    torch.testing.assert_close(names['transform'].transforms[-1].mean, torch.tensor([0.485, 0.456, 0.406]))
    about = json.loads((tmp_path / 'out' / 'config.json').read_text())
    assert [type(step).__name__ for step in names['transform'].transforms[:2]] == ['Resize', 'CenterCrop']
    assert [step.size for step in names['transform'].transforms[:2]] == [SIZE * 8 // 7, [SIZE, SIZE]]
    assert not names['model'].training
    assert not {'license', 'tag', 'url', 'hf_hub_id', 'origin_url'} & set(about['pretrained_cfg'])
    assert (tmp_path / 'out' / 'README.md').read_text().startswith('---\n')


@pytest.mark.parametrize('library, name, channels', [
    ('mmdet', 'slim', [8, 16, 32, 64]),
    ('mmseg', 'mobilenet_v2', [8, 16, 32, 112]),
    ('mmdet', 'mobilenet_v3', [16, 24, 48, 576]),
    ('mmdet', 'cspnext', [48, 96, 192, 384]),
    ('mmdet', 'efficientnet', [24, 40, 112, 1280]),
    ('mmdet', 'ghostnet', [12, 20, 40, 80]),
])
def test_dense_configs_put_the_student_into_upstream_models(
        library, name, channels, pretrained, images, tmp_path, close):
    report = export_student(pretrained(name)[1], library, tmp_path / 'out')
    config = tmp_path / 'mine.py'
    config.write_text(report.usage)
    cfg = Config.fromfile(config)
    necks = cfg.model.neck.in_channels if library == 'mmdet' else cfg.model.decode_head.in_channels
    assert necks == channels and cfg.model.data_preprocessor.std == [58.395, 57.12, 57.375]
    registry = sys.modules[f'{library}.registry'].MODELS
    with DefaultScope.overwrite_default_scope(library):
        backbone = registry.build(cfg.model.backbone)
    backbone.init_weights()
    backbone.eval()
    with torch.no_grad():
        maps = backbone(normalised(images))
    assert [96 // found.shape[-1] for found in maps] == [4, 8, 16, 32]
    if name not in ('mobilenet_v2', 'ghostnet'):  # their last convolution is not among the maps
        close(maps[-1], last_map(pretrained, name, images))


def test_mmpretrain_classifier_begins_with_the_student(pretrained, images, tmp_path, close):
    report = export_student(pretrained('ghostnet')[1], 'mmpretrain', tmp_path / 'out')
    config = tmp_path / 'mine.py'
    config.write_text(report.usage)
    cfg = Config.fromfile(config)
    registry = sys.modules['mmpretrain.registry'].MODELS
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = registry.build(cfg.model)
    model.init_weights()
    model.eval()
    with torch.no_grad():
        close(model.extract_feat(normalised(images), stage='backbone')[-1], last_map(pretrained, 'ghostnet', images))
        assert model(normalised(images)).shape == (2, 1000)


def test_safetensors_tells_what_it_is(pretrained, tmp_path):
    model, checkpoint = pretrained('slim')
    report = export_student(checkpoint, 'safetensors', tmp_path / 'out')
    names = run(report.usage)
    assert json.loads(names['metadata']['backbone'])['base_channels'] == 8
    assert json.loads(names['metadata']['mean']) == [123.675, 116.28, 103.53]
    assert all(torch.equal(names['weights'][key], value) for key, value in model.backbone.state_dict().items())
    assert read_student(tmp_path / 'out' / 'student.safetensors')[1]['iteration'] == 7


def test_torch_export_takes_images_as_they_are(pretrained, images, tmp_path, close):
    report = export_student(pretrained('slim')[1], 'torch-export', tmp_path / 'out')
    outputs = run(report.usage, images=images)['outputs']
    features = last_map(pretrained, 'slim', images)
    close(outputs['features'], features)
    close(outputs['pooled'], features.mean((2, 3)))
    with torch.no_grad():
        close(outputs['embedding'],
              torch.nn.functional.normalize(pretrained('slim')[0].embed(normalised(images)), dim=1))


def test_several_targets_get_a_folder_each(pretrained, images, tmp_path, close):
    reports = export_student(pretrained('resnet')[1], ['torchvision', 'safetensors'], tmp_path / 'out')
    model = run(reports[0].usage)['model'].eval()
    with torch.no_grad():
        found = torch.nn.Sequential(*list(model.children())[:-2])(normalised(images))
    close(found, last_map(pretrained, 'resnet', images))
    assert [report.folder for report in reports] == [tmp_path / 'out' / 'torchvision', tmp_path / 'out' / 'safetensors']
    assert [file.name for file in reports[0].files] == ['README.md', 'resnet18.pth']
    assert 'differs by at most' in str(reports[0])


def test_card_has_figures_and_says_what_is_not_known(pretrained, tmp_path):
    bare, _ = export_checkpoint(pretrained('slim')[1], tmp_path / 'bare')
    export_student(bare, 'safetensors', tmp_path / 'out')
    card = (tmp_path / 'out' / 'README.md').read_text()
    parameters = sum(value.numel() for value in pretrained('slim')[0].backbone.parameters())
    assert f'{parameters / 1e6:.2f} million' in card and 'SHA-256' in card and '| iterations | 7 |' in card
    assert f'| size of its images, in pixels | {SIZE} |' in card and 'less the mean [123.675' in card
    assert f'brought to {short_side(SIZE)} pixels by Pillow' in card and f'{SIZE} x {SIZE} are cut out' in card
    assert '| multiply-adds for an image of 224 x 224 | 0.041 x 10^9' in card
    assert 'from the local folder' in card and str(tmp_path.parent) not in card
    with_names = export_student(pretrained('slim')[1], 'safetensors', tmp_path / 'named').folder / 'README.md'
    assert '| category names | 3: cat, dog, bicycle |' in with_names.read_text()


@pytest.mark.parametrize('name, target, said', [
    ('slim', 'torchvision', 'the layers of resnet18 are others'),
    ('slim', 'timm', 'the layers of resnet18 are others'),
    ('efficientnet', 'torchvision', 'none of its names'),
    ('ghostnet', 'torchvision', 'none of its names'),
])
def test_student_that_a_library_does_not_know_is_sent_elsewhere(name, target, said, pretrained, tmp_path):
    with pytest.raises(UserError, match=f'{said}: export it to one of mmpretrain, safetensors, onnx, torch-export'):
        export_student(pretrained(name)[1], target, tmp_path / 'out')
    assert list(tmp_path.iterdir()) == []


def test_export_that_computes_something_else_is_refused_and_removed(pretrained, tmp_path, monkeypatch):
    def exchanged(weights, names):
        found = renamed(weights, names)
        found['layer4.1.bn1.weight'], found['layer4.1.bn2.weight'] = (found['layer4.1.bn2.weight'],
                                                                     found['layer4.1.bn1.weight'])
        return found

    renamed = timm_target.renamed
    monkeypatch.setattr(timm_target, 'renamed', exchanged)
    with pytest.raises(UserError, match='computes other features than the student: they differ by .* nothing was'):
        export_student(pretrained('resnet')[1], 'timm', tmp_path / 'out')
    assert list(tmp_path.iterdir()) == []


def test_the_first_of_two_exports_to_a_folder_stays(pretrained, tmp_path, monkeypatch):
    """Whole; the other one is told, and a folder of a similar name is nobody's leftover."""
    (tmp_path / 'out.part').mkdir()
    (tmp_path / 'out.part' / 'mine').touch()
    measure, first = figures.measure, []

    def meanwhile(backbone):
        if not first:
            first.append(None)
            first[0] = export_student(pretrained('slim')[1], 'safetensors', tmp_path / 'out')
        return measure(backbone)

    monkeypatch.setattr(figures, 'measure', meanwhile)
    with pytest.raises(UserError, match='out exists already: choose another folder'):
        export_student(pretrained('slim')[1], 'safetensors', tmp_path / 'out')
    assert sorted((tmp_path / 'out').iterdir()) == sorted(first[0].files)
    assert sorted(path.name for path in tmp_path.iterdir()) == ['out', 'out.part']
    assert [path.name for path in (tmp_path / 'out.part').iterdir()] == ['mine']


def test_mistakes_are_told_before_anything_is_read(tmp_path, monkeypatch):
    def refused(said, target='onnx', out='out', **options):
        with pytest.raises(UserError, match=said):
            export_student('missing.pth', target, tmp_path / out, **options)

    refused("no export target 'onxx'; did you mean 'onnx'", target='onxx')
    refused("no export option 'int_8'; did you mean 'int8'", int_8=True)
    refused('int8 is for the target onnx, not for timm', target='timm', int8=True)
    refused(r'student.onnx names a file, .* give .*student$', out='student.onnx')
    (tmp_path / 'full' / 'file').mkdir(parents=True)
    refused('full exists already', out='full')
    (tmp_path / 'file').write_text('')
    refused('file exists already', out='file')
    refused('missing.pth does not exist', target='timm')
    monkeypatch.setattr('importlib.util.find_spec', lambda module: None if module == 'onnxruntime' else module)
    refused('export to onnx needs onnxruntime, which is not installed: pip install onnxruntime')
    assert sorted(path.name for path in tmp_path.iterdir()) == ['file', 'full']


def test_weights_that_do_not_say_what_they_are_cannot_be_exported(tmp_path):
    torch.save({'conv1.weight': torch.zeros(1)}, tmp_path / 'plain.pth')
    with pytest.raises(UserError, match='does not say what its backbone is'):
        export_student(tmp_path / 'plain.pth', 'timm', tmp_path / 'out')


def test_every_target_has_its_function():
    installed = {name: target for name, target in TARGETS.items() if all(map(importlib.util.find_spec, target.needs))}
    assert set(TARGETS) - set(installed) <= {'transformers'}
    assert all(callable(target.load(name)) for name, target in installed.items())
