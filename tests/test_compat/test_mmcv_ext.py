"""When the stand-in for mmcv's compiled module is installed, and what it answers."""

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest
import torch

from lgd_mm.compat import mmcv_ext, torchvision_kernels
from lgd_mm.errors import UserError

compiled = mmcv_ext.has_compiled_ext()


@pytest.fixture
def fake_mmcv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package called mmcv without ``_ext``, first on the path and not imported yet."""
    package = tmp_path / 'mmcv'
    package.mkdir()
    (package / '__init__.py').touch()
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.split('.')[0] == 'mmcv']:
        monkeypatch.delitem(sys.modules, name)
    yield package
    for name in [name for name in sys.modules if name.split('.')[0] == 'mmcv']:
        del sys.modules[name]


def test_stand_in_is_installed_without_importing_mmcv(fake_mmcv: Path) -> None:
    mmcv_ext.install_mmcv_ext()
    assert 'mmcv' not in sys.modules
    assert sys.modules['mmcv._ext'].nms is torchvision_kernels.nms
    spec = find_spec('mmcv._ext')
    assert spec is not None and spec.name == 'mmcv._ext'


def test_compiled_module_is_left_alone(fake_mmcv: Path) -> None:
    (fake_mmcv / '_ext.py').write_text('nms = "compiled"')
    mmcv_ext.install_mmcv_ext()
    assert 'mmcv._ext' not in sys.modules
    import mmcv._ext

    assert mmcv._ext.nms == 'compiled'


def test_broken_compiled_module_shows_its_own_error(fake_mmcv: Path) -> None:
    (fake_mmcv / '_ext.py').write_text('raise ImportError("undefined symbol: at::Tensor")')
    mmcv_ext.install_mmcv_ext()
    with pytest.raises(ImportError, match='undefined symbol'):
        import mmcv._ext  # noqa: F401


def test_loaded_module_is_left_alone(fake_mmcv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = ModuleType('mmcv._ext')
    monkeypatch.setitem(sys.modules, 'mmcv._ext', loaded)
    mmcv_ext.install_mmcv_ext()
    assert sys.modules['mmcv._ext'] is loaded


def test_other_operators_raise_when_called_and_not_before() -> None:
    stand_in = mmcv_ext._StandIn('mmcv._ext')
    operator = stand_in.deform_conv_forward
    with pytest.raises(UserError, match="'deform_conv_forward' needs compiled mmcv.*`make mmcv-ops`"):
        operator(torch.zeros(1), stride=1)
    assert not hasattr(stand_in, '__wrapped__')


@pytest.mark.skipif(compiled, reason='mmcv has compiled operators')
def test_mmcv_python_operators_run_on_the_stand_in() -> None:
    from mmcv.ops import RoIAlign, batched_nms, soft_nms

    boxes = torch.tensor([[0.0, 0, 10, 10], [1, 1, 10, 10], [1, 1, 10, 10]])
    scores, classes = torch.tensor([0.9, 0.8, 0.7]), torch.tensor([0, 0, 1])
    kept = batched_nms(boxes, scores, classes, dict(type='nms', iou_threshold=0.5))[1]
    assert kept.tolist() == [0, 2]
    features = torch.randn(1, 2, 8, 8, dtype=torch.float64, requires_grad=True)
    rois = torch.tensor([[0, 0.5, 1.5, 6.5, 7.5]], dtype=torch.float64)
    assert torch.autograd.gradcheck(RoIAlign(3, 1.0, 2), (features, rois))
    with pytest.raises(UserError, match="'softnms' needs compiled mmcv"):
        soft_nms(boxes, scores)


@pytest.mark.skipif(compiled, reason='mmcv has compiled operators')
def test_environment_report_names_the_kernels() -> None:
    from mmcv.ops import get_compiler_version, get_compiling_cuda_version

    assert get_compiler_version() == get_compiling_cuda_version() == 'none (torchvision kernels)'
