"""A student in torchvision's detectors, by the code of its report."""

from functools import partial

import pytest
import torch
from torch import nn
from torchvision.models import detection
from torchvision.models.detection import backbone_utils
from torchvision.ops.feature_pyramid_network import LastLevelP6P7

from lgd_mm.errors import UserError
from lgd_mm.exports import export_student
from tests.test_exports.conftest import normalised
from tests.test_exports.test_export import last_map, run


@pytest.mark.parametrize('name, eps', [
    ('mobilenet_v3', 1e-3), *(
        pytest.param(name, 1e-5, marks=pytest.mark.slow) for name in ('mobilenet_v2_full', 'timm_resnet'))])
def test_detector_computes_the_students_maps_of_images_in_0_to_1(name, eps, pretrained, images, tmp_path, close):
    report = export_student(pretrained(name)[1], 'torchvision-detection', tmp_path / 'out')
    names = run(report.usage)
    detector, backbone = names['detector'], names['backbone']
    assert all(parameter.requires_grad for parameter in backbone.parameters())
    assert {norm.eps for norm in backbone.modules() if 'BatchNorm' in type(norm).__name__} == {eps}
    detector.eval()
    detector.transform.min_size, detector.transform.max_size = (96, ), 96
    with torch.no_grad():
        transformed = detector.transform(list(images))[0].tensors
        close(transformed, normalised(images), 1e-6)
        maps = backbone.body(transformed)
        assert [96 // found.shape[-1] for found in maps.values()] == [4, 8, 16, 32]
        close(maps['3'], last_map(pretrained, name, images))
        assert [96 // found.shape[-1] for found in backbone(transformed).values()][:4] == [4, 8, 16, 32]
        assert {'boxes', 'labels', 'scores'} == set(detector([images[0]])[0])


def test_file_fits_the_other_detectors_and_norms_and_the_card_says_which(pretrained, images, tmp_path, close):
    report = export_student(pretrained('resnet')[1], 'torchvision-detection', tmp_path / 'out')
    weights = torch.load(tmp_path / 'out' / 'resnet18.pth', weights_only=True)
    build = partial(backbone_utils.resnet_fpn_backbone, backbone_name='resnet18', weights=None)
    from_8 = build(returned_layers=[2, 3, 4], extra_blocks=LastLevelP6P7(256, 256))
    for model in (detection.RetinaNet(from_8, 3), detection.FCOS(from_8, 3),
                  detection.MaskRCNN(build(norm_layer=nn.BatchNorm2d), 3)):
        body = model.eval().backbone.body
        body.load_state_dict(weights)
        with torch.no_grad():
            close(list(body(normalised(images)).values())[-1], last_map(pretrained, 'resnet', images))
    card = ' '.join((tmp_path / 'out' / 'README.md').read_text().split())
    assert 'image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225]' in card
    assert 'FrozenBatchNorm2d' in card and 'RetinaNet and FCOS with returned_layers=[2, 3, 4]' in card
    assert report.relative <= report.tolerance


@pytest.mark.parametrize('name, said', [
    ('slim', 'resnet_fpn_backbone builds resnet18 in its full width alone'),
    ('mobilenet_v2', 'mobilenet_backbone builds mobilenet_v2 in its full width alone'),
    ('vit', "its detectors take ResNets and MobileNets, and timm's networks as docs/exports.md shows"),
    ('cspnext', 'its detectors take ResNets and MobileNets'),
])
def test_other_students_are_refused_in_a_sentence(name, said, pretrained, tmp_path):
    with pytest.raises(UserError, match=f'torchvision has no network like this .*{said}.*: export it to one of'):
        export_student(pretrained(name)[1], 'torchvision-detection', tmp_path / 'out')
    assert list(tmp_path.iterdir()) == []


def test_norms_of_another_epsilon_are_seen(pretrained, tmp_path, monkeypatch):
    """torchvision's own mobilenet_backbone has 1e-5 unless it is told, and would compute other maps."""
    monkeypatch.setattr('lgd_mm.exports.targets.torchvision_detection.partial',
                        lambda function, **given: partial(function, **{k: v for k, v in given.items() if k != 'eps'}))
    with pytest.raises(UserError, match='mobilenet_backbone computes other map . than the student: they differ by'):
        export_student(pretrained('mobilenet_v3')[1], 'torchvision-detection', tmp_path / 'out')
