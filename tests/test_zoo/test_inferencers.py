"""The inferencers of three libraries on runs of own data: whose classes, whose colours, which weights."""

import cv2
import mmpretrain
import numpy as np
import pytest
import torch
from mmdet.apis import DetInferencer
from mmpretrain import FeatureExtractor, ImageClassificationInferencer
from mmseg.apis import MMSegInferencer

from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.own_data.palette import class_colours
from tests.own_sets import CLASSES


@pytest.fixture
def picture(pictures) -> str:
    return str(sorted(pictures.rglob('*.png'))[0])


def same_weights(model, checkpoint) -> bool:
    state, theirs = model.state_dict(), load_checkpoint_file(checkpoint)['state_dict']
    return state.keys() == theirs.keys() and all(torch.equal(state[key], theirs[key]) for key in state)


def test_detector_draws_its_own_classes_in_their_colours(detector, picture):
    checkpoint = detector / 'epoch_1.pth'
    inferencer = DetInferencer(
        str(detector / 'faster-rcnn_r18_fpn_1x_coco.py'), str(checkpoint), device='cpu', show_progress=False)
    assert same_weights(inferencer.model, checkpoint)
    meta = inferencer.visualizer.dataset_meta
    assert (tuple(meta['classes']), meta['palette']) == (CLASSES, class_colours(3))
    inferencer.visualizer.alpha = 1
    result = inferencer(np.zeros((96, 96, 3), np.uint8), pred_score_thr=0, return_vis=True)
    found = result['predictions'][0]
    assert found['labels'] and set(found['labels']) <= {0, 1, 2}
    assert len(found['bboxes']) == len(found['scores']) == len(found['labels'])
    drawn = result['visualization'][0].reshape(-1, 3).astype(int)
    nearest = {label: abs(drawn - class_colours(3)[label]).sum(1).min() for label in range(3)}
    assert {label for label, distance in nearest.items() if distance < 9} >= {found['labels'][0]}


def test_detector_alone_knows_its_config(detector, picture):
    inferencer = DetInferencer(weights=str(detector / 'epoch_1.pth'), device='cpu', show_progress=False)
    assert tuple(inferencer.model.dataset_meta['classes']) == CLASSES


def test_segmenter_draws_its_own_classes_in_their_colours(segmenter, picture):
    checkpoint = segmenter / 'iter_2.pth'
    inferencer = MMSegInferencer(
        str(segmenter / 'upernet_r18_80k_ade20k-512x512.py'), str(checkpoint), device='cpu', show_progress=False)
    assert same_weights(inferencer.model, checkpoint)
    assert tuple(inferencer.model.dataset_meta['classes']) == ('ground', *CLASSES)
    result = inferencer(picture, return_vis=True, opacity=1, with_labels=False)
    assert result['predictions'].shape == cv2.imread(picture).shape[:2]
    expected = np.array(class_colours(4))[result['predictions']]
    assert (abs(result['visualization'] - expected).max(axis=2) < 3).mean() > 0.9  # matplotlib softens the edges


def test_classifier_names_its_folders(classifier, picture):
    checkpoint = classifier / 'epoch_1.pth'
    inferencer = ImageClassificationInferencer(str(classifier / 'linear_r18_folder.py'), str(checkpoint))
    assert same_weights(inferencer.model, checkpoint)
    (result, ) = inferencer(picture)
    assert result['pred_class'] == f'part{result["pred_label"]}'
    assert result['pred_scores'].sum() == pytest.approx(1)


def test_zero_shot_student_names_what_it_was_taught(pretrained, picture):
    """The classes are those of the checkpoint, in its order, and the scores are those of LGD's own prediction."""
    slim = dict(backbone=dict(stem_channels=8, base_channels=8))
    checkpoint = load_checkpoint_file(pretrained / 'epoch_1.pth')['state_dict']
    inferencer = ImageClassificationInferencer(
        'lgd-resnet18_zero-shot', pretrained=str(pretrained / 'epoch_1.pth'), **slim)
    (result, ) = inferencer(picture)
    assert inferencer.classes == ['cat', 'dog', 'bicycle', 'tree']
    assert result['pred_class'] == inferencer.classes[result['pred_scores'].argmax()]
    extractor = FeatureExtractor('lgd-resnet18_headless', pretrained=str(pretrained / 'student.safetensors'), **slim)
    hidden = torch.relu(extractor(picture)[0][0] @ checkpoint['neck.mlp.0.weight'].T + checkpoint['neck.mlp.0.bias'])
    embedding = hidden @ checkpoint['neck.mlp.2.weight'].T + checkpoint['neck.mlp.2.bias']
    similarity = torch.nn.functional.normalize(embedding, dim=0) @ checkpoint['lgka.textual_bank'].T
    torch.testing.assert_close(torch.tensor(result['pred_scores']), (similarity / 0.01).softmax(0))


def test_inference_model_finds_the_inferencer_of_a_run_that_was_measured(classifier, picture):
    from lgd_mm.zoo.add import add_run
    add_run(classifier)
    assert mmpretrain.inference_model('probe', picture)['pred_class'] in ('part0', 'part1')
