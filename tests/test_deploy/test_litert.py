"""TFLite's form of a network, where LiteRT Torch is installed."""

import pytest

from lgd_mm.deploy import export
from lgd_mm.deploy.predict import Network
from lgd_mm.errors import UserError


def test_a_classifier_predicts_the_same_and_others_are_told(finetuned, tmp_path, monkeypatch):
    pytest.importorskip('litert_torch')
    monkeypatch.setattr(export, 'time_graph', lambda *arguments: [])
    report, = export.export_finetuned(finetuned('classifier'), dict(litert=tmp_path / 'out'))
    assert report.agreement.close and report.library.startswith('ai-edge-litert ')
    assert Network(str(tmp_path / 'out')).about['graph'] == 'network.tflite'
    for name, options, said in (('retina', dict(size=(64, 96)), 'no detectors'), ('upernet', {}, '--raw'),
                                ('linear-seg', dict(raw=True), 'give --size HEIGHT WIDTH')):
        with pytest.raises(UserError, match=said):
            export.export_finetuned(finetuned(name), dict(litert=tmp_path / name), **options)
