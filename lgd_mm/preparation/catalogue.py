"""The data sets of the configs: where they come from and what is in them.

Numbers of images are those the owners publish. MD5 sums: ImageNet and Caltech-256 as in torchvision, the others as
widely used with these files, and none where no sum is in use; an archive that its owner replaces needs a new one here.
"""

import re
from collections.abc import Sequence
from functools import partial

from lgd_mm.language import CATEGORY_SETS
from lgd_mm.preparation import caltech256, cityscapes, coco_captions, imagenet, vqa
from lgd_mm.preparation.spec import Annotations, Archive, DatasetSpec, Masks, Pictures, TextFile

COCO_URL = 'http://images.cocodataset.org'
LVIS_URL = 'https://dl.fbaipublicfiles.com/LVIS'
IMAGENET_URL = 'https://image-net.org/challenges/LSVRC/2012/2012-downloads.php'
KARPATHY_URL = 'https://cs.stanford.edu/people/karpathy/deepimagesent/caption_datasets.zip'
SPLITS_URL = 'https://storage.googleapis.com/sfr-vision-language-research/datasets'
VQA_URL = 'https://s3.amazonaws.com/cvmlp/vqa/mscoco/vqa'
#: What the configs of vision and language read beside their texts.
BERT = {'../bert-base-uncased/vocab.txt':
        'download https://huggingface.co/google-bert/bert-base-uncased/resolve/main/vocab.txt (MD5 '
        '64800d5d8528ce344256daf115d4965e), or make another with tools/make_vocabulary.py'}
CITYSCAPES_URL = 'https://www.cityscapes-dataset.com/file-handling/?packageID='


def wordnet_ids() -> Sequence[str]:
    """The folders of ImageNet's 1,000 classes."""
    from timm.data.imagenet_info import ImageNetInfo
    return ImageNetInfo('imagenet-1k').label_names()


def _imagenet() -> DatasetSpec:
    images = partial(Pictures, suffixes=('.jpeg', ), nested=True, class_pattern=r'n\d{8}', classes=wordnet_ids)
    return DatasetSpec(
        'imagenet', 'ImageNet-1k (ILSVRC 2012)',
        parts=(images('train', 1_281_167), images('val', 50_000)),
        archives=(
            Archive('ILSVRC2012_img_train.tar', IMAGENET_URL, '138 GB', '1d675b47d978889d74fa0da5fadfb00e',
                    r'(n\d{8})\.tar/(\1_\d+\.JPEG)', r'train/\1/\2', ('train', )),
            Archive('ILSVRC2012_img_val.tar', IMAGENET_URL, '6.3 GB', '29b22e2961454d5413ddabcf34fc5622',
                    r'ILSVRC2012_val_\d{8}\.JPEG', r'val/\g<0>', ('val', ), moved=True),
            Archive(imagenet.DEVKIT, IMAGENET_URL, '2.5 MB', 'fa75699e90414af021442c21a62c3abf', fills=('val', )),
        ),
        repairs=(imagenet.flat_validation, ),
        subsets=True,
        note='The page asks for an account; the same images unpacked from Kaggle (imagenet-object-localization-'
        'challenge) may be put there instead.')


def _caltech256() -> DatasetSpec:
    images = partial(Pictures, suffixes=('.jpg', ), nested=True, class_pattern=r'(?!257)\d{3}\..+', class_count=256)
    train = 256 * caltech256.TRAIN_PER_CLASS
    return DatasetSpec(
        'caltech256', 'Caltech-256',
        parts=(images('train', train), images('val', 29_780 - train)),
        archives=(Archive('256_ObjectCategories.tar', 'https://data.caltech.edu/records/nyy15-4j048', '1.2 GB',
                          '67b4f42ca05d46448c6bb8ecd2220f6d',
                          r'256_ObjectCategories/(?!257)\d{3}\.[^/]+/\d{3}_\d{4}\.jpg', fills=('train', 'val'),
                          moved=True), ),
        repairs=(caltech256.split, ),
        subsets=True)


def _coco_images() -> tuple[tuple[Pictures, ...], tuple[Archive, ...]]:
    sums = dict(train2017='cced6f7f71b7629ddf16f17bbcfab6b2', val2017='442b8da7639aecaf257c1dceb8ba8c80')
    sizes = dict(train2017='19 GB', val2017='816 MB')
    return ((Pictures('train2017', 118_287, ('.jpg', )), Pictures('val2017', 5_000, ('.jpg', ))),
            tuple(Archive(f'{name}.zip', f'{COCO_URL}/zips/{name}.zip', sizes[name], md5, rf'{name}/\d{{12}}\.jpg',
                          fills=(name, )) for name, md5 in sums.items()))


def _coco() -> DatasetSpec:
    images, archives = _coco_images()
    annotations = partial(Annotations, categories=CATEGORY_SETS['coco'])
    files = [annotations(f'annotations/instances_{part.path}.json', count, folder=part.path)
             for part, count in zip(images, (118_287, 5_000))]
    return DatasetSpec(
        'coco', 'COCO 2017', shares=('coco-captions', ),
        parts=(*images, *files),
        archives=(*archives,
                  Archive('annotations_trainval2017.zip', f'{COCO_URL}/annotations/annotations_trainval2017.zip',
                          '253 MB', 'f4bbac642086de4f52a3fdda2de5fa2c',
                          r'annotations/\w+_(train|val)2017\.json', fills=tuple(file.path for file in files))))


def _lvis() -> DatasetSpec:
    images, archives = _coco_images()
    annotations = partial(Annotations, categories=CATEGORY_SETS['lvis'])
    sums = dict(lvis_v1_train='4410d837f71203af226950447ef9d422', lvis_v1_val='87734a7f895990b9552075d7ce723e27')
    return DatasetSpec(
        'lvis', 'LVIS v1', shares=('coco-captions', ),
        parts=(*images, annotations('annotations/lvis_v1_train.json', 100_170),
               annotations('annotations/lvis_v1_val.json', 19_809)),
        archives=(*archives, *(
            Archive(f'{name}.json.zip', f'{LVIS_URL}/{name}.json.zip', size, md5, rf'{name}\.json',
                    r'annotations/\g<0>', (f'annotations/{name}.json', ))
            for (name, md5), size in zip(sums.items(), ('350 MB', '64 MB')))),
        note="The images are COCO's: ROOT may be the folder of COCO, whose files are left as they are.")


def _ade20k() -> DatasetSpec:
    counts = dict(training=20_210, validation=2_000)
    return DatasetSpec(
        'ade20k', 'ADE20K (MIT Scene Parsing)',
        parts=(*(Pictures(f'images/{name}', count, ('.jpg', )) for name, count in counts.items()),
               *(Masks(f'annotations/{name}', f'images/{name}', count, '.jpg', '.png', frozenset(range(151)))
                 for name, count in counts.items())),
        archives=(Archive('ADEChallengeData2016.zip',
                          'http://data.csail.mit.edu/places/ADEchallenge/ADEChallengeData2016.zip', '968 MB',
                          '7328b3957e407ddae1d3cbf487f149ef',
                          r'ADEChallengeData2016/((images|annotations)/(training|validation)/ADE_\w+\.(jpg|png))',
                          r'\1', tuple(f'{kind}/{name}' for kind in ('images', 'annotations') for name in counts)), ),
        top='ADEChallengeData2016')


def _cityscapes() -> DatasetSpec:
    counts = dict(train=2_975, val=500)
    labels = frozenset({*range(len(cityscapes.TRAINED)), cityscapes.IGNORED})
    image, mask = '_leftImg8bit.png', f'_gtFine{cityscapes.TRAIN_IDS}'
    return DatasetSpec(
        'cityscapes', 'Cityscapes',
        parts=(*(Pictures(f'leftImg8bit/{name}', count, (image.lower(), ), nested=True)
                 for name, count in counts.items()),
               *(Masks(f'gtFine/{name}', f'leftImg8bit/{name}', count, image, mask, labels, nested=True)
                 for name, count in counts.items())),
        archives=(
            Archive('leftImg8bit_trainvaltest.zip', f'{CITYSCAPES_URL}3', '11 GB', '0a6e97e94b616a514066c9e2adb0c97f',
                    r'leftImg8bit/(train|val|test)/\w+/\w+\.png', fills=('leftImg8bit/train', 'leftImg8bit/val')),
            Archive('gtFine_trainvaltest.zip', f'{CITYSCAPES_URL}1', '241 MB', '4237c19de34c8a376e9ba46b495d6f66',
                    r'gtFine/(train|val|test)/\w+/\w+\.(png|json)', fills=('gtFine/train', 'gtFine/val')),
        ),
        repairs=(cityscapes.missing_train_ids, ),
        note='The page asks for an account.')


def _coco_captions() -> DatasetSpec:
    counts = dict(train2014=82_783, val2014=40_504)
    sums = dict(train2014='0da8c0bd3d6becc4dcb32757491aca88', val2014='a3d79f5ed8d289b7a7554ce06a5782b3')
    files = {split: coco_captions.file_of(split) for split in coco_captions.SPLITS}
    return DatasetSpec(
        'coco-captions', "COCO's captions (Karpathy's split of COCO 2014)",
        parts=(*(Pictures(name, count, ('.jpg', )) for name, count in counts.items()),
               *(TextFile(file, partial(coco_captions.faults, split), tuple(counts)) for split, file in files.items())),
        archives=(*(Archive(f'{name}.zip', f'{COCO_URL}/zips/{name}.zip', size, sums[name],
                            rf'{name}/COCO_{name}_\d{{12}}\.jpg', fills=(name, ))
                    for name, size in zip(counts, ('13 GB', '6.2 GB'))),
                  Archive(KARPATHY_URL.rpartition('/')[2], KARPATHY_URL, '37 MB', None, re.escape(coco_captions.WHOLE),
                          r'annotations/\g<0>', tuple(files.values()))),
        repairs=(coco_captions.missing_splits, ),
        note=f'Or put coco_karpathy_train.json, coco_karpathy_val.json and coco_karpathy_test.json of {SPLITS_URL}/ '
        'into annotations in place of the last.',
        beside=BERT,
        shares=('coco', 'lvis'))


def _vqa() -> DatasetSpec:
    answered = [f'annotations_{part}.json' for part in vqa.ANSWERED]
    parts = [TextFile(f'questions_{part}.json', partial(vqa.question_faults, part), required=part in vqa.ANSWERED)
             for part in vqa.QUESTIONS]
    parts += [TextFile(file, partial(vqa.answer_faults, part), (f'questions_{part}.json', ))
              for part, file in zip(vqa.ANSWERED, answered)]
    parts.append(TextFile(vqa.ANSWERS, vqa.list_faults, answered, made=True))
    (questions, asked), (annotations, said) = vqa.NAMES
    sources = [('Questions_Train', '7 MB', questions, asked, 'questions_train2014.json'),
               ('Questions_Val', '4 MB', questions, asked, 'questions_val2014.json'),
               ('Annotations_Train', '22 MB', annotations, said, answered[0]),
               ('Annotations_Val', '11 MB', annotations, said, answered[1]),
               ('Questions_Test', '', questions, asked, 'questions_test2015.json')]
    return DatasetSpec(
        'vqa', 'VQA v2',
        parts=parts,
        archives=[Archive(f'v2_{name}_mscoco.zip', f'{VQA_URL}/v2_{name}_mscoco.zip', size, None, members, target,
                          (file, ), required=not name.endswith('Test'))
                  for name, size, members, target, file in sources],
        repairs=(vqa.published_names, vqa.missing_answers),
        beside={**{f'../coco/{name}': 'python tools/prepare_dataset.py coco-captions tells where the images come from'
                   for name in vqa.ANSWERED}, **BERT})


def folder_spec() -> DatasetSpec:
    """Any folder with ``train/<class>/*`` and perhaps ``val/<class>/*``, of whatever classes and images."""
    # The endings that mmpretrain's CustomDataset reads.
    images = partial(Pictures, suffixes=('.jpg', '.jpeg', '.png', '.ppm', '.bmp', '.pgm', '.tif'), nested=True)
    return DatasetSpec(
        'folder', 'a folder with one sub-folder for each class',
        parts=(images('train'), images('val', required=False)),
        subsets=True)


SPECS: dict[str, DatasetSpec] = {
    spec.name: spec
    for spec in (_imagenet(), _caltech256(), _coco(), _lvis(), _ade20k(), _cityscapes(), _coco_captions(), _vqa(),
                 folder_spec())
}
