"""mmcv's compiled operators and the stand-in on torchvision's kernels give the same, forward and backward.

Needs compiled mmcv (``make mmcv-ops``). Without it, ``test_torchvision_kernels.py`` compares the stand-in with brute
force, hand-computed values and linear algebra.
"""

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
import torch
from mmdet.registry import MODELS
from mmdet.testing import demo_mm_inputs
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import Tensor

from lgd_mm.compat import torchvision_kernels as kernels
from lgd_mm.compat.mmcv_ext import has_compiled_ext

if not has_compiled_ext():
    pytest.skip('mmcv has no compiled operators: run `make mmcv-ops`', allow_module_level=True)

compiled_ext = import_module('mmcv._ext')
on_gpu = torch.cuda.is_available() and compiled_ext.get_compiling_cuda_version() != 'not available'


@pytest.fixture(params=['cpu', 'cuda'] if on_gpu else ['cpu'])
def device(request: pytest.FixtureRequest) -> str:
    return request.param


def boxes_and_scores(count: int, seed: int, device: str) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    corner = torch.rand(count, 2, generator=generator) * 200
    size = torch.rand(count, 2, generator=generator) * 60
    return torch.cat([corner, corner + size], dim=1).to(device), torch.rand(count, generator=generator).to(device)


@pytest.mark.parametrize('offset', [0, 1])
@pytest.mark.parametrize('threshold', [0.0, 0.05, 0.3, 0.5, 0.7, 0.95])
@pytest.mark.parametrize('count', [0, 1, 17, 500, 3000])
def test_nms(count: int, threshold: float, offset: int, device: str) -> None:
    boxes, scores = boxes_and_scores(count, seed=count, device=device)
    compiled = compiled_ext.nms(boxes, scores, iou_threshold=threshold, offset=offset)
    assert kernels.nms(boxes, scores, iou_threshold=threshold, offset=offset).tolist() == compiled.tolist()


@pytest.mark.parametrize('aligned', [True, False])
@pytest.mark.parametrize('ratio', [0, 1, 2, 4])
@pytest.mark.parametrize('scale', [1.0, 0.25, 1 / 32])
def test_roi_align(scale: float, ratio: int, aligned: bool, device: str) -> None:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(3, 5, 24, 31, generator=generator).to(device)
    boxes, _ = boxes_and_scores(40, seed=1, device=device)
    images = torch.randint(3, (40, 1), generator=generator).to(boxes)
    # Some regions lie outside the map, one is a point.
    rois = torch.cat([images, boxes - 20], dim=1)
    rois[0, 3:] = rois[0, 1:3]
    arguments = (7, 6, scale, ratio, 1, aligned)
    nothing = features.new_zeros(0)
    results = []
    for backend in (compiled_ext, kernels):
        pooled = features.new_zeros(40, 5, 7, 6)
        backend.roi_align_forward(features, rois, pooled, nothing, nothing, *arguments)
        grad = torch.randn(pooled.shape, generator=torch.Generator().manual_seed(2)).to(device)
        grad_features = torch.zeros_like(features)
        backend.roi_align_backward(grad, rois, nothing, nothing, grad_features, *arguments)
        results.append((pooled, grad_features))
    (pooled, grad), (other_pooled, other_grad) = results
    print(f'max difference {(pooled - other_pooled).abs().max():.1e}, gradient {(grad - other_grad).abs().max():.1e}')
    torch.testing.assert_close(other_pooled, pooled, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(other_grad, grad, rtol=1e-5, atol=1e-5)
    assert pooled.abs().sum() > 0


@pytest.fixture
def mask_rcnn(tmp_path: Path) -> Iterator[torch.nn.Module]:
    """mmdet's Mask R-CNN R50 config on a slim ResNet-18, with few channels."""
    (tmp_path / 'slim.py').write_text("_base_ = 'mmdet::mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py'")
    config = Config.fromfile(tmp_path / 'slim.py').model
    config.backbone = dict(
        type='mmpretrain.ResNet', depth=18, stem_channels=8, base_channels=8, out_indices=(0, 1, 2, 3)
    )
    config.neck.update(in_channels=[8, 16, 32, 64], out_channels=16)
    config.rpn_head.update(in_channels=16, feat_channels=16)
    for extractor in (config.roi_head.bbox_roi_extractor, config.roi_head.mask_roi_extractor):
        extractor.update(out_channels=16)
    config.roi_head.bbox_head.update(in_channels=16, fc_out_channels=32)
    config.roi_head.mask_head.update(in_channels=16, conv_out_channels=16)
    with DefaultScope.overwrite_default_scope('mmdet'):
        yield MODELS.build(config)


def training_step(model: torch.nn.Module, device: str) -> dict[str, Tensor]:
    """The losses and all gradients of one step on fixed data."""
    inputs = demo_mm_inputs(2, [[3, 128, 160], [3, 160, 128]], num_items=[4, 5], num_classes=80, with_mask=True)
    torch.manual_seed(1)  # the samplers of proposals draw
    model.zero_grad()
    losses = model(**model.data_preprocessor(inputs, training=True), mode='loss')
    total, values = model.parse_losses(losses)
    total.backward()
    gradients = {name: parameter.grad for name, parameter in model.named_parameters() if parameter.grad is not None}
    return {name: value.detach().cpu() for name, value in (values | gradients).items()}


def test_mask_rcnn_step(mask_rcnn: torch.nn.Module, device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    model = mask_rcnn.to(device).train()
    compiled = training_step(model, device)
    used = []
    for module, names in (('nms', ('nms',)), ('roi_align', ('roi_align_forward', 'roi_align_backward'))):
        for name in names:
            operator = getattr(kernels, name)
            monkeypatch.setattr(
                kernels, name, lambda *args, run=operator, **more: used.append(run) or run(*args, **more)
            )
        monkeypatch.setattr(sys.modules[f'mmcv.ops.{module}'], 'ext_module', kernels)
    stand_in = training_step(model, device)
    assert len(set(used)) == 3, 'one of the operators was not called'
    assert set(stand_in) == set(compiled) and len(compiled) > 100
    print(f'max difference {max((stand_in[name] - compiled[name]).abs().max() for name in compiled):.1e}')
    for name, value in compiled.items():
        torch.testing.assert_close(
            stand_in[name], value, rtol=1e-4, atol=1e-6, msg=lambda text, name=name: f'{name}: {text}'
        )
