"""Our models in mmpretrain's model hub, and runs of one's own beside them.

Importing this package makes the hub learn of them when it is first asked; nothing is imported or read before.
"""

from lgd_mm.compat.import_hook import when_imported
from lgd_mm.zoo.hub import join_model_hub

when_imported('mmpretrain.apis.model', join_model_hub)
