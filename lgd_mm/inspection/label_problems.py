"""What is wrong with the labels of a set, or doubtful."""

from lgd_mm.formats.labelled_set import DETECTION
from lgd_mm.formats.notes import Note
from lgd_mm.formats.objects import NO_OBJECT
from lgd_mm.formats.splits import LEAKED
from lgd_mm.inspection.facts import EXAMPLES, Inspection, Problem

#: Of a class in training: fewer are near to none.
FEW = 10
#: Square root of the area of an object, in pixels: detectors of stride 4 and more see next to nothing of smaller ones.
TINY = 8
#: Words in what a format says -> what to do about it.
CURES = {
    'clipped': 'correct the boxes, if more than a rim is cut off',
    'outside their image': 'are width and height exchanged, or the boxes of another size of the image?',
    'no area': 'draw them again, or remove them',
    'fewer than three points': 'draw them again, or remove them',
    'are not there': 'copy the images into the folder, or remove them from the annotations',
    'are in no line': 'add them, or remove the files',
    'of no image that is there': 'put the images back, or remove their labels',
    'left out': 'label them, or leave them where they are',
    NO_OBJECT: 'right if there is nothing in them: detectors are tested with them, and train without',
    'no label file': 'right if there is nothing in them',
    'rotated': 'draw them as polygons for exact outlines',
    'are dropped': 'correct the labels',
    'cannot be read': 'copy them again, or remove them',
    'by a hash of its name': 'make a part val yourself if images belong together, such as frames of a video',
    'no part val': 'make a part val to choose settings by, and keep test for the end',
}


def look_at_labels(found: Inspection) -> list[Problem]:
    """Look at classes and objects, and take over what the format has to say.

    Args:
        found (Inspection): The labels and the counts of the classes.

    Returns:
        list[Problem]: Empty for images without labels.
    """
    if found.labelled is None:
        return []
    counts, problems = found.classes.of, []
    parts = [part for part in found.parts if found.parts[part]]
    for part in parts:
        if lacking := found.classes.lacking(part):
            cure = ('what has none cannot be learned: add some, or remove the class' if part == 'train' else
                    'nothing tells how well they are learned: move some there, or divide the set anew')
            problems.append(Problem(f'classes have no {found.classes.unit.split()[0]} in {part}', len(lacking),
                                    lacking[:EXAMPLES], cure))
    if 'train' in parts:
        few = [f'{name} ({counts[name]["train"]})' for name in counts if 0 < counts[name]['train'] < FEW]
        if few:
            problems.append(Problem(f'classes have fewer than {FEW} {found.classes.unit.split()[0]} in train',
                                    len(few), few[:EXAMPLES], 'add some, or join them with another class'))
    if found.labelled.task == DETECTION:
        tiny = [found.named(image.path) for images in found.parts.values() for image in images for item in image.objects
                if (item.box[2] * item.box[3])**0.5 < TINY]
        if tiny:
            problems.append(Problem(f'objects are below {TINY} x {TINY} pixels', len(tiny),
                                    list(dict.fromkeys(tiny))[:EXAMPLES], 'give larger images to the detector, or cut '
                                    'large ones into tiles'))
    # Copies of images are told elsewhere, with the names of both.
    return problems + [_of_note(note) for note in found.labelled.notes
                       if not (isinstance(note, Note) and note.what == LEAKED)]


def _of_note(note: Note | str) -> Problem:
    what, count, examples = (note.what, note.count, note.examples) if isinstance(note, Note) else (note, None, [])
    return Problem(what, count, examples, next((cure for words, cure in CURES.items() if words in what), ''))
