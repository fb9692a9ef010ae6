"""Configs are read from checkpoints without being run."""

from mmengine.config import Config

import lgd_mm  # noqa: F401
from lgd_mm.safety.config_text import parse_config
from tests.tiny import ROOT


def test_equals_what_mmengine_reads(tmp_path):
    """Of a dumped config, every key of the real thing."""
    cfg = Config.fromfile(ROOT / 'configs/coco/mask-rcnn_r18_fpn_1x_coco.py')
    (tmp_path / 'dump.py').write_text(cfg.pretty_text)
    ours, theirs = parse_config(cfg.pretty_text), Config.fromfile(tmp_path / 'dump.py').to_dict()
    assert ours['model']['backbone'] == dict(
        type='mmpretrain.ResNet', depth=18, out_indices=(0, 1, 2, 3), frozen_stages=-1, norm_cfg=dict(type='SyncBN'),
        norm_eval=False)
    assert ours == theirs == Config.fromstring(cfg.pretty_text, '.py').to_dict()


def test_runs_nothing(tmp_path):
    """Calls other than dict() are left out, not called."""
    trap = tmp_path / 'trap'
    call = f"open({str(trap)!r}, 'w')"
    text = f"a = -1\nb = {call}\nmodel = dict(type='X', f={call})\nimport os\n"
    assert parse_config(text) == dict(a=-1)
    assert not trap.exists()


def test_dict_forms():
    """Keys that are no identifiers are dumped as braces."""
    text = "x = {'a-b': (1, [2.5, None]), 3: dict(c=True)}"
    assert parse_config(text) == parse_config(text.replace('{', 'dict({', 1) + ')') == dict(
        x={'a-b': (1, [2.5, None]), 3: dict(c=True)})


def test_no_python():
    """A foreign text gives nothing."""
    assert parse_config('model: [yaml') == {}
