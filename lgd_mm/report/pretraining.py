"""The report of a pre-training: how it went, what the teacher made of the images, and what the student sees."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import Tensor, nn

from lgd_mm.console.words import first_line
from lgd_mm.errors import UserError
from lgd_mm.io.files import write_text
from lgd_mm.language import Vocabulary
from lgd_mm.models.lgd import LGD
from lgd_mm.models.many_students import ManyStudents
from lgd_mm.models.pseudo_labels import one_sided
from lgd_mm.models.teachers import Teacher
from lgd_mm.report.history_charts import accuracy_charts, training_charts, training_values
from lgd_mm.report.images import PlainImages, as_batch, embed_images
from lgd_mm.report.neighbours import Neighbours, nearest_images
from lgd_mm.report.page import render_page
from lgd_mm.report.pseudo_labels import Histogram, pseudo_label_histogram
from lgd_mm.report.run_facts import run_facts
from lgd_mm.report.similarity import draw_maps, similarity_map
from lgd_mm.report.teacher_accuracy import teacher_metrics
from lgd_mm.runs.history import read_history
from lgd_mm.teacher_cache import CachedTeacher

#: Training images among which the nearest ones are looked for; without a GPU, a teacher takes seconds for these few.
SAMPLE, SAMPLE_ON_CPU = 2000, 256
#: Images with similarity maps.
MAPS = 6


class Sample(NamedTuple):
    """Training images that the teacher has seen.

    Attributes:
        teacher (Teacher): With its image tower.
        images (PlainImages): All images.
        indices (list[int]): N of them.
        embeddings (Tensor): The teacher's, of unit length (N, D), on the CPU.
    """

    teacher: Teacher
    images: PlainImages
    indices: list[int]
    embeddings: Tensor


class Maps(NamedTuple):
    """One image and where the networks see its category: titles and WebP files."""

    category: str
    tiles: list[tuple[str, bytes]]


class Knowledge(NamedTuple):
    """What one student has learnt with its names.

    Attributes:
        name (str): Of the student among several; empty for the only one.
        histogram (Histogram, optional): Pseudo labels.
        neighbours (list[Neighbours]): Images nearest to the visual bank.
        maps (list[Maps]): Where teacher and student see the category of an image.
    """

    name: str
    histogram: Histogram | None
    neighbours: list[Neighbours]
    maps: list[Maps]


def write_pretraining_report(work_dir: str | Path, cfg: Config, model: nn.Module | None) -> Path:
    """Write ``report.html`` into the work dir of a pre-training, whole or not at all.

    What cannot be shown, such as images that are gone, is named in the page.

    Args:
        work_dir (str | Path): Has the scalars that the run logged.
        cfg (Config): Of the run.
        model (nn.Module, optional): As trained, not wrapped; None: curves alone.

    Returns:
        Path: The file.

    Raises:
        UserError: If the scalars are damaged.
    """
    work_dir = Path(work_dir)
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    troubles: list[str] = []
    accuracies: dict[str, float] = {}
    knowledge: list[Knowledge] = []
    students = _students(model)
    if model is not None and students:
        with _evaluating(model):
            teacher = _teacher(model, troubles)
            if isinstance(model, LGD) and teacher and cfg.get('val_dataloader') and cfg.get('val_evaluator'):
                with _told(troubles, "the teacher's accuracy"):
                    accuracies = teacher_metrics(model, teacher, cfg, work_dir)
            knowledge = _knowledge(students, teacher, cfg, troubles)
    history = read_history(work_dir)
    page = render_page(
        Path(__file__).with_name('pretraining.html.jinja'),
        title=Path(work_dir).resolve().name,
        facts=run_facts(cfg, model, history, accuracies),
        training=training_charts(history),
        values=training_values(history),
        warnings=one_sided(model),
        accuracy=accuracy_charts(history, accuracies),
        knowledge=knowledge,
        troubles=troubles,
        config=cfg.pretty_text)
    file = work_dir / 'report.html'
    write_text(file, page)
    return file


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """The model in eval mode."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)


def _students(model: nn.Module | None) -> dict[str, LGD]:
    """Students with names; the rivals have none."""
    distillers = dict(model.students.items()) if isinstance(model, ManyStudents) else {'': model}
    return {name: distiller for name, distiller in distillers.items() if isinstance(distiller, LGD)}


def _teacher(model: Any, troubles: list[str]) -> Teacher | None:
    """The teacher with its image tower, also if the run took its embeddings from a cache."""
    teacher: Teacher | None = model.teacher
    if isinstance(teacher, CachedTeacher):
        cached, teacher = teacher, None
        with _told(troubles, 'the teacher'):
            preprocessor = model.data_preprocessor
            original: Teacher = cached.original()
            original.set_input_statistics(preprocessor.mean.cpu(), preprocessor.std.cpu())
            teacher = original.to(preprocessor.mean.device)
    return teacher


@contextmanager
def _told(troubles: list[str], what: str) -> Iterator[None]:
    """Make a part of the page; if it fails, tell the reason: the rest is worth a page without it."""
    try:
        yield
    except UserError as error:
        troubles.append(f'{what}: {error}')
    except Exception as error:  # of a model, a data set or the device
        troubles.append(f'{what}: {type(error).__name__}: {first_line(error)}')


def _knowledge(students: dict[str, LGD], teacher: Teacher | None, cfg: Config, troubles: list[str]) -> list[Knowledge]:
    """What each student has learnt; without teacher or images, the pseudo labels alone."""
    sample: Sample | None = None
    if teacher:
        with _told(troubles, 'training images'):
            sample = _sample(students, teacher, cfg)
    found = []
    for number, (name, student) in enumerate(students.items()):
        of = f' of {name}' if name else ''
        names = Vocabulary.from_tensor(student.lgka.vocabulary).categories
        counts = student.lgka.counts.cpu()
        histogram = pseudo_label_histogram(f'labels-{number}', names, counts) if counts.any() else None
        neighbours: list[Neighbours] = []
        maps: list[Maps] = []
        if sample is not None:
            with _told(troubles, f'visual bank{of}'):
                neighbours = nearest_images(names, counts, student.lgka.visual_bank.cpu(), sample.images,
                                              sample.indices, sample.embeddings)
            with _told(troubles, f'similarity maps{of}'):
                maps = _maps(student, names, sample, troubles)
        found.append(Knowledge(name, histogram, neighbours, maps))
    return found


def _sample(students: dict[str, LGD], teacher: Teacher, cfg: Config) -> Sample:
    images = PlainImages(cfg)
    preprocessor = next(iter(students.values())).data_preprocessor
    count = SAMPLE if preprocessor.mean.is_cuda else SAMPLE_ON_CPU
    return Sample(teacher, images, *embed_images(images, images.sample(count), preprocessor, teacher,
                                                     cfg.train_dataloader.get('num_workers', 0)))


def _maps(student: LGD, names: Sequence[str], sample: Sample, troubles: list[str]) -> list[Maps]:
    """Maps of a few images, evenly spaced, for the category that the teacher takes each for."""
    device = student.data_preprocessor.mean.device
    networks: dict[str, Callable[[Tensor], Tensor]] = {
        'teacher': sample.teacher.dense, 'student': student.embed_positions}
    shown = []
    for place in range(0, len(sample.indices), max(len(sample.indices) // MAPS, 1))[:MAPS]:
        category = int(student.lgka.textual_similarity(sample.embeddings[place:place + 1].to(device)).argmax())
        text = student.lgka.textual_bank[category]
        image = sample.images.image(sample.indices[place])
        inputs = student.data_preprocessor(dict(inputs=as_batch(image)), False)['inputs']
        maps = {}
        for title, embed in list(networks.items()):
            try:
                maps[title] = similarity_map(embed, inputs, text)
            except UserError as error:  # it is the same for every image
                troubles.append(f'similarity maps of the {title}: {error}')
                del networks[title]
        if maps:
            shown.append(Maps(names[category], draw_maps(image, maps)))
    return shown
