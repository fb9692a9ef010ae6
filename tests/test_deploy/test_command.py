"""``lgd-mm export`` of a fine-tuned network, as it is typed."""

import json

import pytest
from click.testing import CliRunner

import lgd_mm
from lgd_mm.api.exporting import check_export
from lgd_mm.cli import cli
from lgd_mm.deploy.timing import time_graph
from lgd_mm.errors import UserError
from lgd_mm.exports import export as student_exports
from lgd_mm.students import export_checkpoint
from tests.tiny import write_images


def typed(*words):
    done = CliRunner().invoke(cli, [str(word) for word in words], prog_name='lgd-mm', catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_the_whole_network_and_its_backbone(finetuned, tmp_path, monkeypatch, capsys):
    """From the folder of a run, on images of the user's own, with the clock."""
    run = finetuned('classifier').parent
    (run / 'last_checkpoint').write_text('epoch_1.pth')
    images = write_images(tmp_path / 'images', 2, size=90)
    monkeypatch.setattr('os.sched_getaffinity', lambda process: {0})  # one measurement
    typed('export', run, '--to', 'onnx', '--to', 'safetensors', '--out', tmp_path / 'out', '--check-images',
          tmp_path / 'images')
    assert (tmp_path / 'out' / 'onnx' / 'network.onnx').is_file()
    assert (tmp_path / 'out' / 'safetensors' / 'student.safetensors').is_file()
    card = (tmp_path / 'out' / 'onnx' / 'README.md').read_text()
    assert 'images that were given' in card and '| network.onnx, an image of 64 x 64, CPU, 1 thread | ' in card
    assert 'without head' in (tmp_path / 'out' / 'safetensors' / 'README.md').read_text()
    timing, = time_graph(tmp_path / 'out' / 'onnx', 'network.onnx', images[0], [1])
    assert 0 < timing.lower <= timing.milliseconds <= timing.upper and timing.passes >= 15
    with pytest.raises(UserError, match='could not be measured'):
        time_graph(tmp_path / 'out' / 'onnx', 'nothing.onnx', images[0], [1])


def test_the_backbone_alone_is_a_student(finetuned, tmp_path, monkeypatch):
    """It has no more than a student's file: what only whole networks have is told."""
    file, asked = finetuned('classifier'), []
    monkeypatch.setattr(student_exports, 'export_student', lambda *arguments, **options: asked.append(arguments))
    lgd_mm.export(file, 'onnx', tmp_path / 'out', backbone_only=True)
    assert asked == [(file, 'onnx', tmp_path / 'out')]
    student = export_checkpoint(file, tmp_path / 'student')[0]
    with pytest.raises(UserError, match='--raw is for fine-tuned networks, and .*student'):
        lgd_mm.export(student, 'onnx', tmp_path / 'raw', raw=True)
    with pytest.raises(UserError, match='openvino takes whole networks, and .* is exported as a student: give onnx'):
        lgd_mm.export(student, 'openvino', tmp_path / 'raw')
    assert not (tmp_path / 'raw').exists()


@pytest.mark.parametrize('target, options, said', [
    ('timm', dict(raw=True), '--raw is for the target onnx or openvino or litert, not for timm'),
    ('onnx', dict(size=(800, 8)), '--size 800 8: give height and width, each of 32 to 4096 pixels'),
    ('onnx', dict(size=(64, 64), backbone_only=True), '--size is for whole networks, not for their backbones'),
    ('onnx', dict(calibrate='.'), '--calibrate is for --int8'),
    ('onnx', dict(check_images='nope'), 'check_images: nope does not exist'),
    ('openvin', {}, "did you mean 'openvino'"),
    ('openvino', dict(int8=True), 'int8 is for the target onnx, not for openvino'),
])
def test_a_mistake_is_told_before_anything_is_read(target, options, said, tmp_path):
    with pytest.raises(UserError, match=said):
        check_export(target, tmp_path / 'out', options)


def test_a_config_in_a_checkpoint_builds_nothing_else(finetuned, tmp_path):
    import torch
    checkpoint = torch.load(finetuned('classifier'), weights_only=False)
    meta = checkpoint['meta']
    meta['cfg'] = meta['cfg'].replace("type='LinearClsHead'", "type='os.system'")
    assert 'os.system' in meta['cfg'] and json.dumps(meta['dataset_meta'])
    torch.save(checkpoint, tmp_path / 'evil.pth')
    with pytest.raises(UserError, match='os.system'):
        lgd_mm.export(tmp_path / 'evil.pth', 'onnx', tmp_path / 'out')
    assert not (tmp_path / 'out').exists()
