"""A generated world of coloured shapes: images whose every object, colour and mask is known."""

from lgd_mm.datasets.shapes.outlines import SHAPES
from lgd_mm.datasets.shapes.scene import Scene, SceneObject, draw_scene
from lgd_mm.datasets.shapes.surfaces import COLOURS
from lgd_mm.datasets.shapes.world import make_scene, write_world

__all__ = ['COLOURS', 'SHAPES', 'Scene', 'SceneObject', 'draw_scene', 'make_scene',
           'write_world']
