"""Long work on a trained run, each kind in a module of its own: `study(context)` gives named arrays, which are kept with the run.

They are computed by `cnn_core.study` in a process of their own, where TensorFlow may be imported.
"""
