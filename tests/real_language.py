"""The real sample of COCO with regions, captions and questions, in the files that configs/distillvlm read."""

import json
from collections import Counter, defaultdict
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope

from lgd_mm.engine.regions import RegionExtractor
from lgd_mm.io.files import write_text
from lgd_mm.language.corpus import read_corpus
from lgd_mm.language.wordpiece import WordPieces
from lgd_mm.preparation import coco_captions, vqa
from tests.tiny import ROOT
from tests.vl_runs import WIDTHS

DETECTOR = str(ROOT / 'configs/coco/faster-rcnn_r18_fpn_1x_coco.py')
#: Images of each part.
IMAGES = dict(train=32, val=16)
COUNTED = ('no', 'one', 'two', 'three', 'four', 'many')


def write_language(root: Path, data: Path) -> Path:
    """Captions, questions, vocabulary and regions of some images of the sample.

    Args:
        root (Path): Folder to write ``coco``, ``vqav2``, ``vocab.txt`` and ``regions`` into.
        data (Path): The sample of COCO.
    """
    (root / 'vqav2').mkdir(parents=True)
    (root / 'coco/annotations').mkdir(parents=True)
    told, entries = [], []
    for split, part in dict(train='train2014', val='val2014').items():
        folder = root / 'coco' / part
        folder.mkdir()
        asked, said = [], []
        for image, counts in objects(data, split):
            name = f'COCO_{part}_{image:012}.jpg'
            (folder / name).symlink_to(data / f'{split}2017' / f'{image:012}.jpg')
            told.append(dict(filepath=part, filename=name, cocoid=image, split=split,
                             sentences=[dict(raw=caption) for caption in captions(counts)]))
            for question, answers in questions(counts):
                number = image * 1000 + len(asked)
                asked.append(dict(image_id=image, question_id=number, question=question))
                said.append(dict(image_id=image, question_id=number, question_type=question.split()[0],
                                 answers=[dict(answer=answer) for answer in answers],
                                 multiple_choice_answer=Counter(answers).most_common(1)[0][0]))
        (root / f'vqav2/questions_{part}.json').write_text(json.dumps(dict(questions=asked)))
        (root / f'vqav2/annotations_{part}.json').write_text(json.dumps(dict(annotations=said)))
        entries += said
        (root / coco_captions.file_of(split)).parent.mkdir(exist_ok=True, parents=True)
        write_text(root / 'coco' / coco_captions.file_of(split), json.dumps(coco_captions.entries_of(told, split)))
    write_text(root / 'vqav2/answers.txt', ''.join(f'{answer}\n' for answer in vqa.frequent_answers(entries, 3)))
    texts = [text for file in ('coco/annotations/coco_karpathy_train.json', 'vqav2/questions_train2014.json')
             for text in read_corpus(str(root / file))]
    write_text(root / 'vocab.txt', ''.join(f'{word}\n' for word in WordPieces.learnt(texts, 300).words))
    return root


def objects(data: Path, split: str) -> list[tuple[int, Counter]]:
    """Numbers of images, and how many objects of which names they have."""
    truth = json.loads((data / f'annotations/instances_{split}2017.json').read_text())
    names = {category['id']: category['name'] for category in truth['categories']}
    found = defaultdict(Counter)
    for annotation in truth['annotations']:
        found[annotation['image_id']][names[annotation['category_id']]] += 1
    return sorted(found.items())[:IMAGES[split]]


def captions(counts: Counter) -> list[str]:
    """Two sentences about the most frequent things."""
    (first, number), *others = counts.most_common(2)
    second = f' and a {others[0][0]}' if others else ''
    return [f'There is a {first}{second}.', f'{COUNTED[min(number, 5)].title()} {first} in an image{second}']


def questions(counts: Counter) -> list[tuple[str, list[str]]]:
    """Questions with the answers of ten people, who are not all of one mind."""
    name, number = counts.most_common(1)[0]
    many = str(number)
    return [(f'Is there a {name}?', ['yes'] * 9 + ['no']),
            ('Is there a zebra?', ['yes' if counts['zebra'] else 'no'] * 10),
            (f'How many of {name} are there?', [many] * 7 + ['many'] * 2 + [COUNTED[min(number, 5)]])]


def write_detectors(root: Path) -> dict[str, tuple[str, str, dict]]:
    """Config, checkpoint and options of two slim detectors of COCO's classes that were not trained."""
    written = {}
    for seed, (name, width) in enumerate(WIDTHS.items()):
        options = {
            'model.backbone.stem_channels': 8, 'model.backbone.base_channels': 8, 'model.backbone.norm_cfg.type': 'BN',
            'model.backbone.init_cfg': None, 'model.neck.in_channels': [8, 16, 32, 64], 'model.neck.out_channels': 16,
            'model.rpn_head.in_channels': 16, 'model.rpn_head.feat_channels': 16,
            'model.roi_head.bbox_roi_extractor.out_channels': 16, 'model.roi_head.bbox_head.in_channels': 16,
            'model.roi_head.bbox_head.fc_out_channels': width, 'model.test_cfg.rpn.max_per_img': 60,
            'model.test_cfg.rcnn.score_thr': 0.0124, 'test_dataloader.num_workers': 0,
            'test_dataloader.persistent_workers': False,
            'test_dataloader.dataset.pipeline.1.scale': (160, 120) if name == 'student' else (224, 160)}
        cfg = Config.fromfile(DETECTOR)
        cfg.merge_from_dict(options)
        with DefaultScope.overwrite_default_scope('mmdet'):
            torch.manual_seed(seed)
            detector = MODELS.build(cfg.model)
        file = root / f'{name}.pth'
        torch.save(dict(meta={}, state_dict=detector.state_dict()), file)
        written[name] = DETECTOR, str(file), options
    return written


def extract(root: Path) -> None:
    """Regions of both parts: the student's, and the teacher's features in the student's boxes."""
    detectors = write_detectors(root)
    for split, part in dict(train='train2014', val='val2014').items():
        for name, boxes in (('student', None), ('teacher', str(root / f'regions/student_{split}'))):
            config, checkpoint, options = detectors[name]
            with DefaultScope.overwrite_default_scope('mmdet'):
                RegionExtractor(config, checkpoint, str(root / f'regions/{name}_{split}'), boxes=boxes, most=20,
                                images=str(root / 'coco' / part), cfg_options=options).extract()
