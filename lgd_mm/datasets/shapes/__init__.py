"""A generated world of coloured shapes: images whose every object, colour and mask is known."""

from lgd_mm.datasets.shapes.language_files import write_language
from lgd_mm.datasets.shapes.outlines import SHAPES
from lgd_mm.datasets.shapes.scene import Scene, SceneObject, draw_scene
from lgd_mm.datasets.shapes.surfaces import COLOURS
from lgd_mm.datasets.shapes.things import Thing
from lgd_mm.datasets.shapes.world import make_scene, write_world
from lgd_mm.datasets.shapes.worlds import WORLDS, World

__all__ = ['COLOURS', 'SHAPES', 'WORLDS', 'Scene', 'SceneObject', 'Thing', 'World', 'draw_scene', 'make_scene',
           'write_language', 'write_world']
