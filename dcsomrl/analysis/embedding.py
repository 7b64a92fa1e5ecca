"""Codes on a plane."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from dcsomrl.errors import ConfigError
from dcsomrl.extras import name_command

Method = Literal["tsne", "umap", "pca"]


def embed(codes: NDArray[np.floating], method: Method, seed: int = 0) -> NDArray[np.float64]:
    """Places (n, 2) of codes (n, m).

    Args:
        codes: samples, and whatever is to lie among them.
        method: ``tsne`` (van der Maaten & Hinton 2008) from the principal components, ``umap``
            (McInnes et al. 2018), or ``pca``.
        seed: of the two that draw.

    Raises:
        ConfigError: UMAP is not installed, or another method.
    """
    if len(codes) < 2:
        return np.zeros((len(codes), 2))
    if method == "pca" or len(codes) < 4:
        components = min(2, codes.shape[1], len(codes))
        places = PCA(components, random_state=seed).fit_transform(codes)
        return np.pad(places, ((0, 0), (0, 2 - components))).astype(np.float64)
    if method == "tsne":
        perplexity = min(30.0, (len(codes) - 1) / 3)
        init = "pca" if codes.shape[1] > 1 else "random"
        shown = TSNE(perplexity=perplexity, init=init, random_state=seed).fit_transform(codes)
        return np.asarray(shown, dtype=np.float64)
    if method == "umap":
        try:
            from umap import UMAP
        except ImportError as error:
            raise ConfigError(
                f"embedding=umap needs umap-learn: {name_command('umap')}, or choose tsne"
            ) from error
        return np.asarray(UMAP(random_state=seed).fit_transform(codes), dtype=np.float64)
    raise ConfigError(f"embedding must be tsne, umap or pca, got {method!r}")
