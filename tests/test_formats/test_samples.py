"""Each format as another tool writes it: what is read is what was labelled."""

from collections import Counter

import pytest

from lgd_mm.errors import UserError
from lgd_mm.formats.read_set import read_set
from tests.format_samples import CLASSES, HEIGHT, IMAGES, WIDTH, boxes, sample

#: How far a tool may move a side: VOC's tools disagree whether pixels are counted from 0.
DETECTION = dict(coco=0.01, yolo=0.01, yolo_seg=1.1, darknet=0.01, voc=1, voc_flat=2.6, cvat=0.01, labelme=0.01,
                 supervisely=1)


@pytest.mark.parametrize('form', DETECTION)
def test_what_is_read_is_what_was_labelled(tmp_path, form):
    found = read_set(sample(form, tmp_path / 'a set'))
    assert found.format == form.split('_')[0].replace('darknet', 'yolo')
    assert found.task == 'detection' and sorted(found.classes) == sorted(CLASSES)
    every = {image.path.stem: (split, image) for split, images in found.splits.items() for image in images}
    without = set() if form != 'voc' else {'empty'}  # datumaro writes no XML for it
    assert every.keys() == IMAGES.keys() - without
    for name, (split, image) in every.items():
        assert split == IMAGES[name][0] and (image.width, image.height) == (WIDTH, HEIGHT)
        ours = sorted((found.classes[item.label], *item.box) for item in image.objects)
        theirs = sorted((CLASSES[label], *box) for label, *box in boxes(name))
        assert [item[0] for item in ours] == [item[0] for item in theirs]
        for (_, *box), (_, *expected) in zip(ours, theirs):
            assert box == pytest.approx(expected, abs=DETECTION[form])
    if form != 'voc':
        assert 'empty' in str(found.notes)


@pytest.mark.parametrize('form', ['voc_masks', 'camvid'])
def test_masks_of_colours(tmp_path, form):
    found = read_set(sample(form, tmp_path / 'set'))
    assert (found.format, found.task, found.classes) == ('masks', 'segmentation', ('background', *CLASSES))
    for split, images in found.splits.items():
        for image in images:
            labels = found.mask_labels.read(image.mask)
            assert labels.shape == (HEIGHT, WIDTH) and IMAGES[image.path.stem][0] == split
            pixels = Counter()
            for label, _, _, width, height in IMAGES[image.path.stem][1]:
                pixels[label + 1] += width * height
            assert {label: int((labels == label).sum()) for label in range(1, 4) if (labels == label).any()} == pixels


def test_captions_are_no_labels(tmp_path):
    with pytest.raises(UserError, match='captions_train.json holds captions, which no method here learns from'):
        read_set(sample('captions', tmp_path / 'set'))
