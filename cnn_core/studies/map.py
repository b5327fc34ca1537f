"""A map of the test part as the last hidden layer sees it: t-SNE (van der Maaten and Hinton, 2008)."""

import re
import sys

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from cnn_core import datasets
from cnn_core.embedding import EXAMPLES, hidden_layer, no_map, two
from cnn_core.errors import LabError
from cnn_core.study import Context, Result

ITERATIONS = 1000
COMPONENTS = 50  # that the features are brought to first, as the authors do
LEARNS = 0.15  # of the progress is over when t-SNE begins


def study(context: Context) -> Result:
    """places: (n, 2), where the first n test examples lie; features: (n, size), what the layer gave for them."""
    from cnn_core.inference import TrainedModel

    spec = context.run.spec
    layer = hidden_layer(spec)
    if layer is None:
        raise LabError(no_map(spec))
    model, data = TrainedModel(spec, context.weights), datasets.load(spec.data.dataset)
    context.progress(0.05, f"Reading the test part up to {layer}")
    features = model.outputs(data.x_test[:EXAMPLES], [layer])[layer].reshape(min(EXAMPLES, len(data.x_test)), -1)
    if not np.isfinite(features).all() or not np.ptp(features, axis=0).any():
        raise LabError(
            f"Layer {layer} gives the same for every test example, or no finite numbers, so there is nothing to lay out: its training "
            "went astray. Train it again with a lower learning rate."
        )
    context.progress(LEARNS, "Laying out the map")
    few = two(PCA(min(COMPONENTS, *features.shape), random_state=0).fit_transform(features))
    tsne = TSNE(2, init="pca", random_state=0, max_iter=ITERATIONS, perplexity=min(30, (len(few) - 1) / 3), verbose=2)
    with _listening(context):
        places = tsne.fit_transform(few)
    return {"places": places.astype(np.float32), "features": features.astype(np.float32)}


class _listening:
    """Makes progress of what scikit-learn prints, which has no other way to say how far it is."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def __enter__(self) -> None:
        self.before, sys.stdout = sys.stdout, self

    def __exit__(self, *error: object) -> None:
        sys.stdout = self.before

    def write(self, text: str) -> None:
        if found := re.search(r"Iteration (\d+)", text):
            done = int(found[1])
            self.context.progress(LEARNS + (1 - LEARNS) * done / ITERATIONS, f"Laying out the map: round {done} of {ITERATIONS}")

    def flush(self) -> None: ...
