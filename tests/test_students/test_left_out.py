"""An export of a fine-tuned network says that its heads are left out."""

import re

import pytest
import torch

from lgd_mm.exports import TARGETS, export_student
from lgd_mm.exports.figures import Figures
from lgd_mm.exports.report import Difference
from lgd_mm.exports.targets import Target, Written
from lgd_mm.io.networks import find_network
from lgd_mm.safety.config_text import parse_config
from lgd_mm.students import export_checkpoint
from lgd_mm.students.left_out import left_out as left_out_of

NETWORKS = [
    ('mmdet', 'FasterRCNN', ('neck', 'rpn_head', 'roi_head'), 'mmdet.apis.DetInferencer'),
    ('mmseg', 'EncoderDecoder', ('decode_head', 'auxiliary_head'), 'mmseg.apis.MMSegInferencer'),
    ('mmpretrain', 'ImageClassifier', ('head', ), 'mmpretrain.ImageClassificationInferencer'),
    ('mmpretrain', 'lgd_mm.LinearProbe', ('head', ), 'mmpretrain.ImageClassificationInferencer'),
]


def left_out(content, path):
    """Of a checkpoint's content."""
    config = parse_config(content.get('meta', {}).get('cfg', ''))
    return left_out_of(find_network(content, path).state, config, path)


def checkpoint(scope, kind, parts):
    cfg = f"default_scope = {scope!r}\nmodel = dict(type={kind!r}, backbone=dict(type='ResNet', depth=18))"
    state = {f'{part}.weight': torch.ones(1) for part in ('backbone.conv1', *parts)}
    return dict(meta=dict(cfg=cfg), state_dict={**state, 'data_preprocessor.mean': torch.ones(3)})


@pytest.mark.parametrize(('scope', 'kind', 'parts', 'taker'), NETWORKS)
def test_heads_are_named_and_who_takes_the_whole(scope, kind, parts, taker):
    assert left_out(checkpoint(scope, kind, parts), 'run/epoch_12.pth') == (
        f'Only the backbone of a {kind.rpartition(".")[2]}, with its fine-tuned weights, without {", ".join(parts)}; '
        f'{taker} takes the whole network, by its config and epoch_12.pth.')


def test_wrappers_hide_no_heads():
    """As of data parallel training."""
    wrapped = checkpoint(*NETWORKS[0][:3])
    wrapped['state_dict'] = {f'module.{key}': value for key, value in wrapped['state_dict'].items()}
    assert left_out(wrapped, 'x.pth') == left_out(checkpoint(*NETWORKS[0][:3]), 'x.pth')


def test_of_a_student_nothing_is_left_out():
    """A bare one, one of a pre-training, weights of other libraries, and a network of backbone alone."""
    pretrained = checkpoint('mmpretrain', 'lgd_mm.LGD', ('neck', 'lgka'))
    pretrained['meta']['cfg'] = "model = dict(teacher=dict(type='lgd_mm.OpenCLIPTeacher'))"
    bare = dict(state_dict={'backbone.conv1.weight': torch.ones(1)}, meta=dict(vocabulary_digest='x'))
    plain = {'conv1.weight': torch.ones(1), 'fc.weight': torch.ones(1)}
    for content in (pretrained, bare, plain, checkpoint('mmdet', 'X', ())):
        assert left_out(content, 'x.pth') is None


def test_without_a_config_the_parts_are_named():
    content = {'backbone.conv1.weight': torch.ones(1), 'roi_head.fc.weight': torch.ones(1)}
    assert left_out(content, 'x.pth') == ('Only the backbone of a network, with its fine-tuned weights, without '
                                          'roi_head.')


def fine_tuned(folder):
    """A classifier as its fine-tuning saves it."""
    from mmengine.config import Config
    from mmengine.registry import MODELS, DefaultScope
    config = Config(dict(
        default_scope='mmpretrain', data_preprocessor=dict(mean=[1., 2., 3.], std=[4., 5., 6.]), model=dict(
            type='ImageClassifier', backbone=dict(type='ResNet', depth=18, stem_channels=8, base_channels=8),
            neck=dict(type='GlobalAveragePooling'), head=dict(type='LinearClsHead', in_channels=64, num_classes=2))))
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = MODELS.build(config.model)
    torch.save(dict(meta=dict(cfg=config.pretty_text), state_dict=model.state_dict()), folder / 'epoch_1.pth')
    return folder / 'epoch_1.pth'


def test_every_target_says_it(tmp_path, monkeypatch, capsys):
    """In what is printed and in the card, whatever a target has to say itself; and so does the plain export."""
    file = fine_tuned(tmp_path)

    def write(student, folder, **options):
        (folder / 'x').write_text('')
        return Written('x 1', Difference(0, 0), 1, 'x', notes=('Its own.', ))

    monkeypatch.setattr(Target, 'load', lambda self, name: write)
    monkeypatch.setattr('lgd_mm.exports.figures.measure', lambda network: Figures(1, 0, 1., 1, 1., 'here'))
    said = r'Only the backbone of a ImageClassifier, .*without head; \S+ takes the whole network'
    for report in export_student(file, list(TARGETS), tmp_path / 'exports'):
        assert re.search(said, str(report)) and 'Its own.' in str(report)
        assert re.search(said, (report.folder / 'README.md').read_text())
    export_checkpoint(file, tmp_path / 'student')
    assert re.search(said, capsys.readouterr().out)

