"""ONNX: dynamic, normalised inside, and zero-shot with nothing but onnxruntime and numpy."""

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from lgd_mm.errors import UserError
from lgd_mm.exports import export_student
from lgd_mm.exports.onnx_graph import opened
from lgd_mm.exports.targets import onnx_int8
from lgd_mm.models.zero_shot import zero_shot_scores
from lgd_mm.students import export_checkpoint
from tests.test_exports.conftest import SIZE, normalised


@pytest.fixture(scope='module')
def exported(pretrained, tmp_path_factory):
    """A student, its int8 form and its names."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('lgd_mm.exports.figures.TIMED', 1)
        return export_student(pretrained('slim')[1], 'onnx', tmp_path_factory.mktemp('onnx') / 'out', int8=True)


def run(file, images):
    session = onnxruntime.InferenceSession(file, providers=['CPUExecutionProvider'])
    found = session.run(None, {'images': images.numpy()})
    return {output.name: torch.from_numpy(value) for output, value in zip(session.get_outputs(), found)}


@pytest.mark.slow
@pytest.mark.parametrize('size', [(96, 96), (64, 96), (75, 50)])
def test_graph_takes_any_number_and_size(size, exported, pretrained, images, close):
    images = images[:, :, :size[0], :size[1]]
    model, _ = pretrained('slim')
    found = run(exported.folder / 'student.onnx', images)
    with torch.no_grad():
        features = model.backbone(normalised(images))[-1]
        embedding = torch.nn.functional.normalize(model.embed(normalised(images)), dim=1)
    close(found['features'], features, 1e-3)
    close(found['pooled'], features.mean((2, 3)), 1e-3)
    close(found['embedding'], embedding, 1e-3)


@pytest.mark.slow
def test_dimensions_and_metadata_are_readable(exported):
    model = onnx.load(exported.folder / 'student.onnx')
    shapes = {value.name: [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]
              for value in (*model.graph.input, *model.graph.output)}
    assert shapes == dict(images=['batch', 3, 'height', 'width'], features=['batch', 64, 'rows', 'columns'],
                          pooled=['batch', 64], embedding=['batch', 32])
    about = {item.key: item.value for item in model.metadata_props}
    assert about['mean'] == '[123.675, 116.28, 103.53]' and 'RGB in [0, 1]' in about['input']


@pytest.mark.slow
def test_code_of_the_report_classifies_as_the_model_does(exported, pretrained, images, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    picture = cv2.resize((images[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8), (SIZE, SIZE))
    framed = cv2.copyMakeBorder(picture, 8, 8, 18, 18, cv2.BORDER_CONSTANT)  # 128 x 148, of which the middle is taken
    cv2.imwrite('picture.png', framed[:, :, ::-1])
    names = dict()
    exec(exported.usage.replace('image.jpg', 'picture.png'), names)
    model, _ = pretrained('slim')
    with torch.no_grad():
        embedding = model.embed(normalised(torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255))
    expected = zero_shot_scores(embedding, model.lgka.textual_bank)[0]
    np.testing.assert_allclose(names['scores'][0], expected.numpy(), atol=1e-3)
    assert capsys.readouterr().out.split()[0] == ['cat', 'dog', 'bicycle'][expected.argmax()]


@pytest.mark.slow
def test_int8_is_smaller_and_near(exported, images):
    sizes = [(exported.folder / name).stat().st_size for name in ('student.onnx', 'student_int8.onnx')]
    assert sizes[1] < 0.5 * sizes[0]
    embeddings = [run(exported.folder / name, images)['embedding'] for name in ('student.onnx', 'student_int8.onnx')]
    assert (embeddings[0] * embeddings[1]).sum(dim=1).min() > 0.98
    assert not torch.equal(*embeddings)
    assert any('cosine' in note for note in exported.notes)
    card = (exported.folder / 'README.md').read_text()
    assert 'values from 0 to 1. They are not to be normalised' in card and 'less the mean' not in card
    assert 'ms in onnxruntime, int8' in card


@pytest.mark.slow
def test_int8_that_is_far_off_is_refused(exported, tmp_path):
    away = dict(pooled=torch.eye(2)[:1])
    with pytest.raises(UserError, match='int8 changes this student too much .* 0.000, .* leave int8 out'):
        onnx_int8.quantise(exported.folder / 'student.onnx', tmp_path / 'int8.onnx', away,
                           lambda file: dict(pooled=torch.eye(2)[1:]))


def test_names_of_ones_own_need_the_projection(pretrained, tmp_path):
    bare, _ = export_checkpoint(pretrained('slim')[1], tmp_path / 'bare')
    with pytest.raises(UserError, match=r'holds no neck\.\*'):
        export_student(bare, 'onnx', tmp_path / 'out', categories=['a', 'b'])
    assert not (tmp_path / 'out').exists()


@pytest.mark.slow
def test_runtime_has_the_threads_that_the_card_tells(exported):
    options = opened(exported.folder / 'student.onnx').get_session_options()
    assert options.intra_op_num_threads == torch.get_num_threads()
