"""CNN Lab's core: everything that is not a widget.

It can be used from a notebook, a script or the command line (`python -m cnn_core`), with no browser in sight.
"""

import os

# Read by TensorFlow when it is imported, so they have to be set before that. oneDNN's kernels are several times as fast on
# CPUs for which TensorFlow leaves them off by default; a value that the user set stays.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
