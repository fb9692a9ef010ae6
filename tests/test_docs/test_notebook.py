"""The tour runs from the first cell to the last, and its student has learnt the names."""

import re

import nbformat
import pytest
from nbclient import NotebookClient

from tests.tiny import ROOT

TOUR = ROOT / 'demo/lgd_mm_tour.ipynb'


@pytest.mark.nightly
@pytest.mark.slow
def test_tour(tmp_path, monkeypatch):
    monkeypatch.setenv('PYTHONPATH', str(ROOT))
    monkeypatch.setenv('OMP_NUM_THREADS', '1')
    notebook = nbformat.read(TOUR, as_version=4)
    NotebookClient(notebook, timeout=600, resources=dict(metadata=dict(path=str(tmp_path)))).execute()
    printed = '\n'.join(output.get('text', '') for cell in notebook.cells for output in cell.get('outputs', []))
    accuracy = re.search(r'zero-shot accuracy: (\d+)%', printed)
    assert accuracy and int(accuracy[1]) > 50  # chance is 17
    asked, said = re.search(r'onnxruntime says: (\w+) - PyTorch said: (\w+)', printed).groups()
    assert asked == said


def test_tour_is_kept_without_outputs():
    """They would bury its changes."""
    cells = [cell for cell in nbformat.read(TOUR, as_version=4).cells if cell.cell_type == 'code']
    assert all(cell.outputs == [] and cell.execution_count is None for cell in cells)
