"""Makes the installed OpenMMLab packages importable, quiet and safe; imported before any of them.

Importing this package checks the installed versions and installs small repairs. Nothing else in ``lgd_mm`` depends on
its inside, except on :func:`lgd_mm.io.safe_load.load_checkpoint_file` and :mod:`lgd_mm.io.networks`.
"""

import os

from lgd_mm.compat.checkpoints import refuse_unsafe_checkpoints, write_whole_checkpoints
from lgd_mm.compat.config_text import check_inferencers, read_text_as_data
from lgd_mm.compat.import_hook import when_imported
from lgd_mm.compat.mmcv_ext import install_mmcv_ext
from lgd_mm.compat.multimodal import leave_out_multimodal
from lgd_mm.compat.plain_inputs import bound_images, read_plain_files, refuse_pickled_arrays
from lgd_mm.compat.repeated_work import format_once, read_metafiles_once
from lgd_mm.compat.versions import check_versions
from lgd_mm.console.quiet import show_control_characters, silence_known_messages
from lgd_mm.io.networks import register_networks

check_versions()

from mmengine.config.utils import MODULE2PACKAGE  # noqa: E402  (only after the versions are known to be right)

# The distribution is called onedl-mmsegmentation: only its import name leads mmengine to `mmseg::` configs.
MODULE2PACKAGE['mmseg'] = 'mmseg'

# A JPEG may promise more pixels than there is memory for: OpenCV's bound becomes Pillow's. It is read once, on import.
os.environ.setdefault('OPENCV_IO_MAX_IMAGE_PIXELS', str(2 * 89_478_485))

install_mmcv_ext()
silence_known_messages()
show_control_characters()
when_imported('mmengine.runner.checkpoint', refuse_unsafe_checkpoints)
when_imported('mmpretrain.utils.dependency', leave_out_multimodal)
when_imported('mmengine.runner.checkpoint', write_whole_checkpoints)
when_imported('mmcv.image.io', bound_images)
when_imported('mmengine.fileio.backends.local_backend', read_plain_files)
when_imported('mmseg.utils.io', refuse_pickled_arrays)
when_imported('mmengine.config.config', read_text_as_data)
when_imported('mmengine.config.utils', read_metafiles_once)
when_imported('yapf.yapflib.yapf_api', format_once)
when_imported('mmengine.infer.infer', check_inferencers)
when_imported('mmengine.runner.checkpoint', register_networks)
