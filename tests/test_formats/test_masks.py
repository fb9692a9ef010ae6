"""Masks in the ways that people write them."""

import numpy as np
import pytest
from PIL import Image

import lgd_mm
from lgd_mm.errors import DataError, UserError
from lgd_mm.formats.class_table import read_table
from lgd_mm.formats.mask_labels import MaskLabels
from lgd_mm.formats.read_set import read_set
from lgd_mm.formats.ready_folder import ready_folder
from lgd_mm.own_data.segmentation import read_segmentation
from tests.own_sets import write_image

#: Values of the pixels of each mask: a ground, a square of 24 x 24, and a line on top that is not known.
SQUARE, LINE = 576, 128


def masks(root, ground, square, line, mode='L', folder='masks/{split}', suffix='.png', images='images/{split}'):
    """Three images and masks to train with and two to measure by, with these values."""
    for split, count in (('train', 3), ('val', 2)):
        for index in range(count):
            number = index + 3 * (split == 'val')
            write_image(root / images.format(split=split) / f'{number}.jpg', number)
            pixels = np.zeros((64, 64, 3) if mode == 'RGB' else (64, 64), np.uint16 if mode == 'I;16' else np.uint8)
            pixels[:] = ground
            pixels[20:44, 16:40] = square
            pixels[:2] = line
            image = Image.fromarray(pixels)
            if mode == 'P':
                image.putpalette([value for index in range(256) for value in (index, 255 - index, 7)])
            path = root / folder.format(split=split) / f'{number}{suffix}'
            path.parent.mkdir(parents=True, exist_ok=True)
            image.save(path)
    return root


def counts(root, **given):
    """Pixels of each label in the first mask, by what is read and by what is written."""
    found = read_set(root, **given)
    labels = found.mask_labels.read(found.splits['train'][0].mask)
    out = root.with_name('out')
    lgd_mm.convert(root, out, **given)
    written = np.asarray(Image.open(next(iter(sorted(out.glob('masks/train/*.png'))))))
    assert (written == labels).all() and (out / 'classes.txt').read_text().split('\n')[:-1] == list(found.classes)
    return {int(label): int((labels == label).sum()) for label in np.unique(labels)}, found


@pytest.mark.parametrize('mode', ['L', 'P', 'I;16'])
def test_numbers_and_a_list_of_names(tmp_path, mode):
    root = masks(tmp_path / 'set', 0, 2, 255, mode)
    (root / 'classes.txt').write_text('ground\nnut\nbolt\n')
    found, read = counts(root)
    assert found == {0: 4096 - SQUARE - LINE, 2: SQUARE, 255: LINE} and read.classes == ('ground', 'nut', 'bolt')


def test_two_values_and_255(tmp_path):
    found, read = counts(masks(tmp_path / 'set', 0, 1, 255))
    assert found == {0: 4096 - SQUARE - LINE, 1: SQUARE, 255: LINE} and read.classes == ('background', 'foreground')


def test_black_and_white(tmp_path, capsys):
    root = masks(tmp_path / 'set', 0, 255, 0)
    found, read = counts(root)
    assert found == {0: 4096 - SQUARE, 1: SQUARE} and read.classes == ('background', 'foreground')
    assert 'there is no table of classes: 0 is background, 255 is foreground' in str(read.notes)

    (root / 'classes.txt').write_text('ground\nnut\n')
    read = read_set(root)
    assert read.classes == ('ground', 'nut') and read.mask_labels.labels == {0: 0, 255: 1}
    assert "masks hold 0 and 255: 255 is taken for 'nut', and not ignored" in str(read.notes)
    assert ready_folder(root, 'mmseg') != str(root), 'in the layout that is read as it is, too'
    with pytest.raises(UserError, match=r'no mask has label 1 \(nut\); 255 is ignored'):
        lgd_mm.convert(root, tmp_path / 'other', void='255')


@pytest.mark.parametrize('void, table, expected', [
    ('7', '0,ground\n3,nut\n7,edge\n', {0: 4096 - SQUARE - LINE, 1: SQUARE, 255: LINE}),
    ('edge', '7,edge\n0,ground\n3,nut\n', {0: 4096 - SQUARE - LINE, 1: SQUARE, 255: LINE}),
    (None, '7,edge\n0,ground\n3,nut\n', {0: LINE, 1: 4096 - SQUARE - LINE, 2: SQUARE}),
    ('7', 'Pixel Value, Class\n0, ground\n3, nut\n', {0: 4096 - SQUARE - LINE, 1: SQUARE, 255: LINE}),
])
def test_a_table_of_values(tmp_path, void, table, expected):
    root = masks(tmp_path / 'set', 0, 3, 7)
    (tmp_path / 'table.csv').write_text(table)
    found, read = counts(root, class_table=tmp_path / 'table.csv', **(dict(void=void) if void else {}))
    assert found == expected
    if void:
        assert read.classes == ('ground', 'nut')


@pytest.mark.parametrize('name, table', [
    ('class_dict.csv', 'name,r,g,b\nground,0,0,0\nnut,255,128,0\nVoid,9,9,9\n'),
    ('labelmap.txt', '# label:color_rgb:parts:actions\nground:0,0,0::\nnut:255,128,0::\nVoid:9,9,9::\n'),
    ('label_colors.txt', '0 0 0\tground\n255 128 0\tnut\n9 9 9\tVoid\n'),
])
@pytest.mark.parametrize('void', ['Void', '9,9,9'])
def test_colours(tmp_path, name, table, void):
    root = masks(tmp_path / 'set', (0, 0, 0), (255, 128, 0), (9, 9, 9), 'RGB')
    (root / name).write_text(table)
    assert "'Void' is learned like any class: if it is none, write it into void.txt or give --void" in str(
        read_set(root).notes)
    found, read = counts(root, void=void)
    assert found == {0: 4096 - SQUARE - LINE, 1: SQUARE, 255: LINE} and read.classes == ('ground', 'nut')
    (root / 'void.txt').write_text('Void\n')
    assert read_set(root).classes == ('ground', 'nut')


def test_masks_beside_their_images(tmp_path):
    """As Roboflow exports them."""
    root = masks(tmp_path / 'set', 0, 1, 0, folder='{split}', suffix='_mask.png', images='{split}')
    (root / 'train/_classes.csv').write_text('Pixel Value, Class\n0, background\n1, nut\n')
    found, read = counts(root)
    assert found == {0: 4096 - SQUARE, 1: SQUARE} and read.classes == ('background', 'nut')
    assert {split: len(images) for split, images in read.splits.items()} == dict(train=3, val=2)


def test_one_folder_of_each_is_divided(tmp_path):
    root = masks(tmp_path / 'set', 0, 1, 0, folder='labels', images='imgs')
    (root / 'classes.txt').write_text('ground\nnut\n')
    read = read_set(root)
    assert sum(map(len, read.splits.values())) == 5 and 'by a hash of its name' in str(read.notes)


@pytest.mark.parametrize('change, message', [
    (lambda root: None, 'has no table of classes, and its masks hold 0, 2, 7: write the name of each into classes.txt'),
    (lambda root: (root / 'classes.txt').write_text('ground\nnut\nbolt\n'), 'the value 7, which is no class'),
    (lambda root: (root / 'classes.txt').write_text('ground\nnut\nnut\n'), "line 3 has 'nut' for the second time"),
    (lambda root: (root / 'labelmap.txt').write_text('ground:0\nnut:two\n'), "line 2 is 'nut:two': write a value"),
    (lambda root: (root / 'classes.txt').write_text('ground\n'), 'has one class: segmentation needs two'),
])
def test_what_is_no_set_of_masks(tmp_path, change, message):
    root = masks(tmp_path / 'set', 0, 2, 7)
    change(root)
    with pytest.raises(UserError, match=message):
        lgd_mm.convert(root, tmp_path / 'out')


def test_void_that_is_none(tmp_path):
    root = masks(tmp_path / 'set', 0, 2, 7)
    (root / 'classes.txt').write_text('ground\nnut\nbolt\n')
    with pytest.raises(UserError, match=r"--void edges is neither a number nor a name of a class \('ground', 'nut'"):
        read_set(root, void='edges')
    with pytest.raises(UserError, match='--void is for images and masks, and .* is of the format folders'):
        for path in ('train/nut/1.jpg', 'val/nut/2.jpg', 'train/bolt/3.jpg'):
            write_image(tmp_path / 'folders' / path, 0)
        read_set(tmp_path / 'folders', void='7')


def test_colours_without_a_table(tmp_path):
    root = masks(tmp_path / 'set', (0, 0, 0), (255, 128, 0), (9, 9, 9), 'RGB')
    with pytest.raises(UserError, match=r'0.png is an image of colours \(RGB\): give a table of its classes'):
        read_set(root)


def test_a_mask_that_keeps_no_exact_numbers(tmp_path):
    Image.new('L', (8, 8)).save(tmp_path / 'mask.jpg')
    with pytest.raises(UserError, match='mask.jpg is a JPEG, which keeps no exact numbers: save masks as PNG'):
        MaskLabels({0: 0, 1: 1}).read(tmp_path / 'mask.jpg')


@pytest.mark.parametrize('table', ['background,0,0,0\nclass1,255,0,0\nclass 2,0,255,0\n',
                                   'id,name,r,g,b\n0,background,0,0,0\n1,class1,255,0,0\n2,class 2,0,255,0\n',
                                   '0 0 0 background\n255 0 0 class1\n0 255 0 class 2\n',
                                   'background:0,0,0::\nclass1:255,0,0::\nclass 2:0,255,0::\n'])
def test_names_that_end_in_a_number(tmp_path, table):
    (tmp_path / 'table.txt').write_text(table)
    assert read_table(tmp_path / 'table.txt').names == {(0, 0, 0): 'background', (255, 0, 0): 'class1',
                                                        (0, 255, 0): 'class 2'}


@pytest.mark.parametrize('mode, message', [('F', 'has numbers that are not whole: save the numbers of classes'),
                                           ('CMYK', r'is an image of colours \(CMYK\): a mask has one channel')])
def test_masks_of_fractions_and_of_inks(tmp_path, mode, message):
    Image.new(mode, (8, 8), 0.5 if mode == 'F' else (1, 0, 0, 0)).save(tmp_path / 'a.tif')
    with pytest.raises(DataError, match=message):
        MaskLabels({0: 0, 1: 1}).read(tmp_path / 'a.tif')
    Image.new('F', (8, 8), 1).save(tmp_path / 'b.tif')
    assert (MaskLabels({0: 0, 1: 1}).read(tmp_path / 'b.tif') == 1).all()


def test_more_classes_than_a_mask_can_hold(tmp_path):
    lines = '0 .1 .1 .9 .1 .9 .9\n'
    for split in ('train', 'val'):
        write_image(tmp_path / f'set/images/{split}/{split}.jpg', 0)
        (tmp_path / f'set/labels/{split}').mkdir(parents=True)
        (tmp_path / f'set/labels/{split}/{split}.txt').write_text(lines)
    (tmp_path / 'set/classes.txt').write_text(''.join(f'class {index}\n' for index in range(255)))
    with pytest.raises(DataError, match='has 256 classes with background, and mmseg knows 255'):
        lgd_mm.convert(tmp_path / 'set', tmp_path / 'out', to='masks')
    (tmp_path / 'set/data.yaml').write_text('names: ["a\\nb"]')
    with pytest.raises(DataError, match=r"the class 'a\\nb' does not fit on a line of classes.txt: rename it"):
        lgd_mm.convert(tmp_path / 'set', tmp_path / 'out', to='masks')


def test_a_table_of_values_is_no_list_of_names(tmp_path):
    """Whichever way the set is read: as it is, or converted."""
    root = masks(tmp_path / 'set', 0, 2, 255)
    (root / 'classes.txt').write_text('ground\nnut\nbolt\n')
    assert ready_folder(root, 'mmseg') == str(root)
    (root / 'classes.txt').write_text('0,ground\n2,bolt\n')
    made = ready_folder(root, 'mmseg')
    assert made != str(root) and read_segmentation(made).classes == ('ground', 'bolt')


def test_a_mask_that_exif_would_turn(tmp_path):
    root = masks(tmp_path / 'set', 0, 255, 0)
    exif = Image.Exif()
    exif[0x0112] = 3
    Image.open(root / 'masks/train/0.png').save(root / 'masks/train/0.png', exif=exif)
    with pytest.raises(DataError, match='masks/train/0.png has an EXIF orientation, by which nothing turns it'):
        lgd_mm.convert(root, tmp_path / 'out')
