"""Options with which ready configs read the real samples, and what their tests leave."""

import json

QUICK = ['num_workers=0', 'persistent_workers=False']


def loaders(root, *splits):
    """Options that let the loaders read below another folder, in the process itself."""
    return [f'{split}_dataloader.{setting}' for split in splits for setting in (f'dataset.data_root={root}', *QUICK)]


def scalars(folder):
    """The metrics of a test."""
    return json.loads(next(folder.glob('*/*.json')).read_text())
