# Whether the fast forms cost accuracy: LGD as in the quickstart, in its fast form, and from a cache of the teacher's
# embeddings, which the command in lgd_r18-slim_shapes_cached.py makes once the world is there (make quickstart).
_base_ = './suite.py'
title = 'Fast forms of LGD'
