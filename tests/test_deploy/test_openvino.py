"""OpenVINO's form of a network."""

import sys

import pytest

from lgd_mm.deploy import export, targets
from lgd_mm.deploy.predict import Network
from lgd_mm.errors import UserError


def test_a_detector_predicts_the_same(finetuned, tmp_path, monkeypatch):
    pytest.importorskip('openvino')
    monkeypatch.setattr(export, 'time_graph', lambda *arguments: [])
    report, = export.export_finetuned(finetuned('retina'), dict(openvino=tmp_path / 'out'))
    assert report.agreement.close and report.agreement.boxes > 20 and report.library.startswith('openvino 20')
    assert {file.name for file in report.files} == {'README.md', 'network.bin', 'network.json', 'network.xml',
                                                    'predict.py'}
    assert Network(str(tmp_path / 'out')).about['graph'] == 'network.xml'


def test_what_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, 'openvino', None)
    monkeypatch.setattr(targets.importlib.util, 'find_spec', lambda name: None if name == 'openvino' else name)
    with pytest.raises(UserError, match='needs openvino, which is not installed: pip install openvino'):
        targets.check_installed('openvino')
