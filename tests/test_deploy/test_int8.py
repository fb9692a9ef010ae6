"""Eight bits: what is quantised, what stays, and what is told of the accuracy."""

import numpy as np
import onnx
import pytest

from lgd_mm.deploy import export
from lgd_mm.deploy.accuracy import _filled
from lgd_mm.deploy.int8_report import check_left
from lgd_mm.deploy.predict import Network
from lgd_mm.errors import UserError
from tests.tiny import write_images


@pytest.fixture(autouse=True)
def no_clock(monkeypatch):
    monkeypatch.setattr(export, 'time_graph', lambda *arguments: [])


def test_a_second_graph_of_eight_bits(finetuned, tmp_path):
    images = write_images(tmp_path / 'images', 4, size=80)
    report, = export.export_finetuned(finetuned('upernet'), dict(onnx=tmp_path / 'out'), images=images, int8=True,
                                      calibration=images)
    assert 'network_int8.onnx' in {file.name for file in report.files} and not list((tmp_path / 'out').glob('*.prep*'))
    note = report.notes[1]
    assert 'no test set is there to tell its accuracy' in note and 'ranges are those of 4 images' in note
    graph = onnx.load(tmp_path / 'out' / 'network_int8.onnx').graph
    quantised = {node.output[0] for node in graph.node if node.op_type == 'DequantizeLinear'}
    convolutions = [node for node in graph.node if node.op_type == 'Conv']
    small = [node.name for node in convolutions if node.input[1] in quantised]
    assert len(small) == len(convolutions) - 2  # the first, and conv_seg
    assert not any('conv_seg' in name for name in small)
    values = {each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer}
    scales = [values[node.input[1]] for node in graph.node if node.op_type == 'DequantizeLinear']
    assert any(scale.size > 1 for scale in scales)  # one for each channel
    one, two = (Network(str(tmp_path / 'out'), name)(str(images[0])) for name in (None, 'network_int8.onnx'))
    assert (one['labels'] == two['labels']).mean() > 0.8


def test_ranges_need_images(finetuned, tmp_path):
    with pytest.raises(UserError, match='training set of .* is not where it was.*--calibrate FOLDER'):
        export.export_finetuned(finetuned('upernet'), dict(onnx=tmp_path / 'out'), int8=True)


def test_half_of_the_accuracy_is_left_at_least():
    check_left({'mIoU': np.float32(50), 'aAcc': 90}, {'mIoU': np.float32(25), 'aAcc': 1})
    for after in (24.9, float('nan')):
        with pytest.raises(UserError, match='int8 changes this network too much .mIoU 50 before and'):
            check_left({'mIoU': 50}, {'mIoU': after})


def test_predictions_fill_samples_as_networks_do():
    from mmpretrain.structures import DataSample
    sample = _filled(DataSample(), dict(scores=np.array([0.2, 0.7, 0.1], np.float32)))
    assert sample.pred_label.item() == 1 and sample.pred_score.sum() == pytest.approx(1)
