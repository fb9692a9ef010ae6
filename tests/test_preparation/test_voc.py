"""Pascal VOC to COCO's format: numbers, links, and every fault named before anything is written."""

import json
import os

import pytest
from pycocotools.coco import COCO

from lgd_mm.errors import UserError
from lgd_mm.own_data.detection import read_detection
from lgd_mm.preparation import voc_to_coco as module
from lgd_mm.preparation import xml_text
from lgd_mm.preparation.voc import read_split
from lgd_mm.preparation.voc_to_coco import voc_to_coco
from tests.test_preparation.trees import picture, write_tree

OBJECT = ('<object><name>{}</name><difficult>{}</difficult><bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax>'
          '<ymax>{}</ymax></bndbox></object>')


def xml(*objects, size=(12, 8), filename='x.jpg'):
    """An annotation file; objects are (name, difficult, xmin, ymin, xmax, ymax)."""
    return ('<annotation><folder>VOC2012</folder><filename>{}</filename><size><width>{}</width><height>{}</height>'
            '<depth>3</depth></size>{}</annotation>').format(
                filename, *size, ''.join(OBJECT.format(*each) for each in objects)).encode()


def voc(root, **files):
    """Three images: a dog in each, a cat that is difficult in the second."""
    members = {
        'ImageSets/Main/train.txt': b'2007_000027\n2007_000032\n',
        'ImageSets/Main/val.txt': b'2007_000033',
        'Annotations/2007_000027.xml': xml(('dog', 0, 1, 1, 12, 8)),
        'Annotations/2007_000032.xml': xml(('dog', 0, 3, 2, 3, 4), ('cat', 1, 1, 1, 6, 5)),
        'Annotations/2007_000033.xml': xml(('dog', 0, '2.5', 1, 7, 8)),
        **{f'JPEGImages/2007_{number}.jpg': picture(seed=int(number)) for number in ('000027', '000032', '000033')},
    }
    return write_tree(root, {**members, **files})


def content(out, split):
    return json.loads((out / f'annotations/{split}.json').read_text())


def test_numbers(tmp_path):
    """VOC's pixels are counted from 1 and the last one is in the box."""
    voc(tmp_path / 'voc')
    assert voc_to_coco(tmp_path / 'voc', tmp_path / 'out') == dict(train=2, val=1)
    train = content(tmp_path / 'out', 'train')
    assert train['categories'] == [dict(id=1, name='cat'), dict(id=2, name='dog')]
    assert train['images'][0] == dict(id=1, file_name='2007_000027.jpg', width=12, height=8)
    keys = ('id', 'image_id', 'category_id', 'bbox', 'area', 'iscrowd')
    assert [tuple(each[key] for key in keys) for each in train['annotations']] == [
        (1, 1, 2, [0, 0, 12, 8], 96, 0),  # all of the image
        (2, 2, 2, [2, 1, 1, 3], 3, 0),  # one pixel wide
        (3, 2, 1, [0, 0, 6, 5], 30, 1),  # difficult
    ]
    val = content(tmp_path / 'out', 'val')
    assert val['categories'] == train['categories'] and val['annotations'][0]['bbox'] == [1.5, 0, 5.5, 8]
    coco = COCO(str(tmp_path / 'out/annotations/train.json'))
    assert coco.getAnnIds(imgIds=[2], iscrowd=True) == [3]
    assert read_detection(str(tmp_path / 'out')).classes == ('cat', 'dog')  # what --data takes


def test_images_are_linked_else_copied(tmp_path, monkeypatch):
    """And a second run finds all in place."""
    voc(tmp_path / 'voc')
    source = tmp_path / 'voc/JPEGImages/2007_000027.jpg'
    voc_to_coco(tmp_path / 'voc', tmp_path / 'linked')
    assert (tmp_path / 'linked/train/2007_000027.jpg').samefile(source)

    def refuse(*_):
        raise OSError(18, 'Invalid cross-device link')

    monkeypatch.setattr(os, 'link', refuse)
    for _ in range(2):
        voc_to_coco(tmp_path / 'voc', tmp_path / 'copied')
    copy = tmp_path / 'copied/train/2007_000027.jpg'
    assert copy.read_bytes() == source.read_bytes() and not copy.samefile(source)
    assert sorted(os.listdir(tmp_path / 'copied/train')) == ['2007_000027.jpg', '2007_000032.jpg']


@pytest.mark.parametrize('place', ['', 'VOC2012', 'VOCdevkit/VOC2012'])
def test_layouts(tmp_path, place):
    """The folder itself, or the one that the archive unpacks into."""
    voc(tmp_path / 'voc' / place)
    assert voc_to_coco(tmp_path / 'voc', tmp_path / 'out')['val'] == 1


def test_two_years(tmp_path):
    """The user says which."""
    for year in ('VOC2007', 'VOC2012'):
        voc(tmp_path / 'VOCdevkit' / year)
    with pytest.raises(UserError, match='holds .*VOC2007 and .*VOC2012: give one of them'):
        voc_to_coco(tmp_path, tmp_path / 'out')
    assert voc_to_coco(tmp_path / 'VOCdevkit/VOC2007', tmp_path / 'out')


@pytest.mark.parametrize(('files', 'sentence'), [
    ({'Annotations/2007_000027.xml': xml(('dog', 0, 0, 1, 5, 5))},
     r"2007_000027.xml: the box \(0, 1, 5, 5\) of 'dog' is not inside its image of 12 x 8 pixels, which VOC counts"),
    ({'Annotations/2007_000027.xml': xml(('dog', 0, 1, 1, 13, 5))}, r'the box \(1, 1, 13, 5\)'),
    ({'Annotations/2007_000027.xml': xml(('dog', 0, 1, 6, 12, 5))}, r'the box \(1, 6, 12, 5\)'),
    ({'Annotations/2007_000027.xml': xml(('dog', 0, 1, 'nan', 12, 5))}, r'the box \(1, nan, 12, 5\)'),
    ({'Annotations/2007_000027.xml': xml(('dog', 0, 1, 'top', 12, 5))}, "<ymin> is 'top' and should be a number"),
    ({'Annotations/2007_000027.xml': xml(('', 0, 1, 1, 12, 5))}, '2007_000027.xml has an object without <name>'),
    ({'Annotations/2007_000027.xml': b'<annotation><object>'}, '2007_000027.xml is no valid XML'),
    ({'Annotations/2007_000027.xml': xml(size=(8, 12))},
     '2007_000027.xml says 8 x 12 pixels, and .*2007_000027.jpg has 12 x 8'),
    ({'JPEGImages/2007_000027.jpg': b'no image'}, '2007_000027.jpg cannot be read as an image'),
    ({'ImageSets/Main/train.txt': b'2007_000027\n2007_000099\n'},
     'Annotations/2007_000099.xml does not exist, and ImageSets/Main names it'),
    ({'ImageSets/Main/train.txt': b'2007_000027\n2007_000099', 'Annotations/2007_000099.xml': xml(filename='a/b.png')},
     'JPEGImages/a/b.png does not exist, and Annotations/2007_000099.xml describes it'),
    ({'ImageSets/Main/train.txt': b'2007_000027\n2007_000027'}, 'train.txt names an image twice'),
    ({'ImageSets/Main/val.txt': b'\n'}, 'val.txt names no image'),
    ({f'Annotations/2007_{number}.xml': xml() for number in ('000027', '000032', '000033')}, 'describes no object'),
], ids=range(14))
def test_faults(tmp_path, files, sentence):
    """Nothing is written."""
    voc(tmp_path / 'voc', **files)
    with pytest.raises(UserError, match=sentence):
        voc_to_coco(tmp_path / 'voc', tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


def test_faults_are_counted(tmp_path):
    """The first is told, with the number of the others."""
    bad = xml(('dog', 0, 0, 0, 5, 5))
    voc(tmp_path / 'voc', **{'Annotations/2007_000027.xml': bad, 'Annotations/2007_000032.xml': bad})
    with pytest.raises(UserError, match=r'2007_000027.xml: the box .* \(1 more files of train.txt have faults\)'):
        voc_to_coco(tmp_path / 'voc', tmp_path / 'out')


def test_image_by_the_files_own_name(tmp_path):
    """Labelling tools write it; VOC's own rule comes first."""
    voc(tmp_path / 'voc', **{'JPEGImages/photo.bmp.png': picture(), 'Annotations/2007_000027.xml': xml(
        ('dog', 0, 1, 1, 2, 2), filename='C:/photo.bmp.png')})
    (tmp_path / 'voc/JPEGImages/2007_000027.jpg').unlink()
    voc_to_coco(tmp_path / 'voc', tmp_path / 'out')
    assert content(tmp_path / 'out', 'train')['images'][0]['file_name'] == 'photo.bmp.png'


@pytest.mark.parametrize('missing', ['JPEGImages', 'ImageSets/Main/val.txt', 'Annotations'])
def test_no_voc(tmp_path, missing):
    """What lacks is named."""
    voc(tmp_path / 'voc')
    (tmp_path / 'voc' / missing).rename(tmp_path / 'away')
    with pytest.raises(UserError, match=missing):
        voc_to_coco(tmp_path / 'voc', tmp_path / 'out')
    with pytest.raises(UserError, match='gone is no folder'):
        voc_to_coco(tmp_path / 'gone', tmp_path / 'out')


def test_nothing_is_overwritten_and_a_stop_is_gone_on_from(tmp_path, monkeypatch):
    """Stopped before the second JSON file, the same command finishes; foreign files are named."""
    voc(tmp_path / 'voc')
    write, written = module.write_text, []

    def stop(path, text):
        if written:
            raise KeyboardInterrupt
        written.append(write(path, text))

    with monkeypatch.context() as patch:
        patch.setattr(module, 'write_text', stop)
        with pytest.raises(KeyboardInterrupt):
            voc_to_coco(tmp_path / 'voc', tmp_path / 'out')
    assert os.listdir(tmp_path / 'out/annotations') == ['train.json']
    voc_to_coco(tmp_path / 'voc', tmp_path / 'out')
    (tmp_path / 'out/annotations/val.json').write_text('{}')
    with pytest.raises(UserError, match='val.json is there with other content: give another OUT'):
        voc_to_coco(tmp_path / 'voc', tmp_path / 'out')
    write_tree(tmp_path / 'other', {'val/2007_000033.jpg': b'mine'})
    with pytest.raises(UserError, match='val/2007_000033.jpg is another image than'):
        voc_to_coco(tmp_path / 'voc', tmp_path / 'other')
    assert (tmp_path / 'other/val/2007_000033.jpg').read_bytes() == b'mine'
    assert not (tmp_path / 'other/annotations').exists()


CAT = '<?xml version="1.0" encoding="{}"?>\n' + xml(('猫', 0, 1, 1, 12, 8)).decode()


@pytest.mark.parametrize(('declared', 'written', 'name'), [
    ('gb2312', 'gb2312', '猫'), ('GBK', 'gbk', '猫'), ('gb18030', 'gb18030', '猫'), ('big5', 'big5', '貓'),
    ('Shift_JIS', 'cp932', '猫'), ('euc-jp', 'euc-jp', '猫'), ('euc-kr', 'cp949', '고양이'), ('UTF-16', 'utf-16', '猫'),
    ('utf-16', 'utf-16-be', '猫'), ('utf-16', 'utf-16-le', '猫'), ('utf-32', 'utf-32', '猫'),
    ('utf-8', 'utf-8', '猫'), ('utf-8', 'utf-8-sig', '猫'), ('gb2312', 'utf-8-sig', '猫'), ('utf-16', 'utf-8', '猫'),
    ('ISO-8859-1', 'latin-1', 'chaton né'), ('windows-1251', 'cp1251', 'кот'),
])
def test_encodings(tmp_path, declared, written, name):
    """What is declared, or what the file itself begins with."""
    voc(tmp_path, **{'Annotations/2007_000027.xml': CAT.format(declared).replace('猫', name).encode(written)})
    assert [item.name for item in read_split(tmp_path, 'train')[0].objects] == [name]


@pytest.mark.parametrize(('content', 'sentence'), [
    (CAT.format('utf-8').replace('猫', '大象').encode('gbk'),
     r'2007_000027\.xml is not in utf-8, which it declares \(line 2, byte 0xb4\)'),
    (xml(('大象', 0, 1, 1, 2, 2)).decode().encode('gbk'), 'is not in utf-8, which it should be in'),
    (CAT.format('klingon').encode(), "declares the encoding 'klingon', which is not known"),
    (CAT.format('rot13').encode(), "declares the encoding 'rot13', which is not known"),
    (CAT.format('latin-1').encode(), 'declares latin-1, but it is UTF-8: correct its declaration'),
    (b'<html/>', 'is a <html> and no <annotation>'),
    (xml() + xml(), 'is no valid XML .*junk after document element'),
    (xml(('dog', 'maybe', 1, 1, 2, 2)), "<difficult> of 'dog' is 'maybe' and should be 0 or 1"),
    (xml(('dog', 0, 5, 1, 2, 2)), 'is not inside its image'),
    (xml(('dog', 0, 'nan', 1, 2, 2)), 'is not inside its image'),
    (b'<annotation><object><name>dog</name><part><bndbox/></part></object></annotation>', 'object without <bndbox>'),
])
def test_what_cannot_be_read(tmp_path, content, sentence):
    voc(tmp_path, **{'Annotations/2007_000027.xml': content})
    with pytest.raises(UserError, match=sentence):
        read_split(tmp_path, 'train')


def test_what_tools_write(tmp_path):
    """No size, parts of an object, difficult in words; lists with labels, endings and Windows' ends of lines."""
    part = b'<part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></part>'
    voc(tmp_path, **{
        'ImageSets/Main/train.txt': '2007_000027 -1\r\n2007_000032.jpg  1\r\nmy photo\r\n'.encode('utf-8-sig'),
        'Annotations/2007_000027.xml': xml(('dog', 'True', 1, 1, 12, 8), size=(0, 0)),
        'Annotations/2007_000032.xml': xml(('dog', 0, 1, 1, 2, 2)).replace(b'</object>', part + b'</object>'),
        'Annotations/my photo.xml': xml(('guinea pig', 0, '1.5', 1, 2, 2)),
        'JPEGImages/my photo.PNG': picture(seed=4)})
    pictures = read_split(tmp_path, 'train')
    assert [[(item.name, item.difficult) for item in each.objects] for each in pictures] == [
        [('dog', True)], [('dog', False)], [('guinea pig', False)]]
    assert pictures[2].path.name == 'my photo.PNG'


@pytest.mark.parametrize('encoding', ['punycode', 'undefined', 'unicode_escape', 'raw_unicode_escape', 'utf-7', 'idna',
                                      'rot13', 'charmap', 'x' * 100_000], ids=lambda name: name[:20])
def test_encodings_that_no_file_is_in(tmp_path, encoding):
    """Python knows some that take minutes, or give halves of characters."""
    text = f'<?xml version="1.0" encoding="{encoding}"?><annotation>+2AA-\\ud800{"a" * 1000}</annotation>'.encode()
    voc(tmp_path / 'voc', **{'Annotations/2007_000027.xml': text})
    with pytest.raises(UserError, match='declares the encoding .* which is not known') as caught:
        voc_to_coco(tmp_path / 'voc', tmp_path / 'out')
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize('text', [
    f'<{"a" * 100_000}/>', f'<annotation><filename>{"a" * 100_000}</filename></annotation>',
    f'<annotation><filename>{"a" * 300}.jpg</filename></annotation>',
    f'<annotation><size><width>{"1x" * 100_000}</width></size></annotation>',
    f'<annotation><object><name>{"a" * 100_000}</name><bndbox><xmin>0</xmin><ymin>0</ymin><xmax>0</xmax><ymax>0</ymax>'
    '</bndbox></object></annotation>'], ids=['tag', 'filename', 'name', 'width', 'category'])
def test_sentences_about_an_xml_file_are_short(tmp_path, text):
    gone = 'filename' in text
    voc(tmp_path / 'voc', **{'Annotations/2007_000027.xml': text.encode()})
    if gone:
        (tmp_path / 'voc/JPEGImages/2007_000027.jpg').unlink()
    with pytest.raises(UserError, match='2007_000027.xml|does not exist') as caught:
        voc_to_coco(tmp_path / 'voc', tmp_path / 'out')
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(('lines', 'sentence'), [
    ('2007_000027\n./2007_000027', 'train.txt names an image twice'), ('a' * 300, 'is longer than that of any file'),
    ('a' + ' ' * 100_000 + 'b', 'is longer than that of any file'), ('a' * 251, 'does not exist'),
    ('b/' * 3000, 'longer')], ids=lambda text: text[:15].strip())
def test_lines_of_a_list(tmp_path, lines, sentence):
    """Some take a regular expression minutes."""
    voc(tmp_path / 'voc', **{'ImageSets/Main/train.txt': lines.encode()})
    with pytest.raises(UserError, match=sentence) as caught:
        voc_to_coco(tmp_path / 'voc', tmp_path / 'out')
    assert len(str(caught.value)) < 2000


@pytest.mark.parametrize('file', [
    'Annotations/2007_000027.xml', 'JPEGImages/2007_000027.jpg', 'ImageSets/Main/train.txt'])
def test_links_in_a_circle(tmp_path, file):
    voc(tmp_path / 'voc')
    (tmp_path / 'voc' / file).unlink()
    (tmp_path / 'voc' / file).symlink_to(os.path.basename(file))
    with pytest.raises(UserError, match=f'{os.path.basename(file)}|x.jpg does not exist'):
        voc_to_coco(tmp_path / 'voc', tmp_path / 'out')


def test_an_xml_file_has_a_largest_size(tmp_path, monkeypatch):
    monkeypatch.setattr(xml_text, 'LARGEST', 100)
    with pytest.raises(UserError, match='2007_000027.xml .*and 100 are the most that are read'):
        voc_to_coco(voc(tmp_path / 'voc'), tmp_path / 'out')


@pytest.mark.parametrize('link', ['train', 'annotations', 'annotations/train.json', 'val'])
def test_nothing_is_written_through_a_link(tmp_path, link):
    (tmp_path / 'elsewhere').mkdir()
    (tmp_path / 'out' / link).parent.mkdir(parents=True)
    (tmp_path / 'out' / link).symlink_to(tmp_path / 'elsewhere')
    with pytest.raises(UserError, match=f'out/{link} is a link to'):
        voc_to_coco(voc(tmp_path / 'voc'), tmp_path / 'out')
    assert not list((tmp_path / 'elsewhere').iterdir())
