"""Dependencies come from ``requirements/``; the configs and tools go into the package for MIM."""

import os
import re
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
MIM = ('configs', 'tools', 'model-index.yml')


def requirements(name: str) -> list[str]:
    """The lines of a requirements file without its comments."""
    lines = (ROOT / 'requirements' / name).read_text(encoding='utf-8').splitlines()
    return [line for line in lines if line and not line.startswith('#')]


class BuildWithMIM(build_py):
    """Fills ``lgd_mm/.mim``, where MIM looks for configs and tools: links in an editable install, else copies."""

    def run(self) -> None:
        super().run()
        target = ROOT / 'lgd_mm' / '.mim' if self.editable_mode else Path(self.build_lib, 'lgd_mm', '.mim')
        if target.is_dir():
            shutil.rmtree(target)
        target.mkdir(parents=True)
        for source in (ROOT / name for name in MIM if (ROOT / name).exists()):
            if self.editable_mode:
                (target / source.name).symlink_to(os.path.relpath(source, target))
            elif source.is_dir():
                shutil.copytree(source, target / source.name, ignore=shutil.ignore_patterns('__pycache__'))
            else:
                shutil.copy2(source, target)


version = re.search(r"__version__ = '(.+)'", (ROOT / 'lgd_mm' / 'version.py').read_text(encoding='utf-8'))
setup(
    version=version[1],
    install_requires=requirements('runtime.txt') + requirements('openmmlab.txt'),
    extras_require={extra: requirements(f'{extra}.txt') for extra in ('tests', 'docs', 'optional', 'storage')},
    cmdclass={'build_py': BuildWithMIM},
)
