"""Deep clustering with self-organizing maps and relevance learning (DC-SOMRL).

Models and their maps, data and networks can be had here, as in ``dcsomrl.SOMRL``; each is imported
when it is first asked for, so that ``import dcsomrl`` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from dcsomrl.data import Arrays, Augmentation, Batch, ClusterData, Neighbors
    from dcsomrl.errors import (
        CheckpointError,
        ConfigError,
        DataError,
        DcsomrlError,
        MissingPackageError,
        TrainingError,
    )
    from dcsomrl.estimators import DeepSOM, GrowingSOM
    from dcsomrl.loading import Trained, load
    from dcsomrl.losses import (
        Consistency,
        NeighborContrast,
        Reconstruction,
        RelevanceDistance,
        Step,
        Term,
    )
    from dcsomrl.maps import LARFDSSOM, SOMRL, Assignment, Codebook
    from dcsomrl.models import (
        DCSOMRL,
        DEC,
        DESOM,
        SOMVAE,
        AutoencoderModel,
        CenterModel,
        ClusteringModule,
        KMeansModel,
        KohonenModel,
        RelevanceMapModel,
    )
    from dcsomrl.networks import (
        Autoencoder,
        ConvAutoencoder,
        MLPAutoencoder,
        PooledConvAutoencoder,
        ResNetAutoencoder,
    )
    from dcsomrl.scoring import score

__all__ = [
    "DCSOMRL",
    "DEC",
    "DESOM",
    "LARFDSSOM",
    "SOMRL",
    "SOMVAE",
    "Arrays",
    "Assignment",
    "Augmentation",
    "Autoencoder",
    "AutoencoderModel",
    "Batch",
    "CenterModel",
    "CheckpointError",
    "ClusterData",
    "ClusteringModule",
    "Codebook",
    "ConfigError",
    "Consistency",
    "ConvAutoencoder",
    "DataError",
    "DcsomrlError",
    "DeepSOM",
    "GrowingSOM",
    "KMeansModel",
    "KohonenModel",
    "MLPAutoencoder",
    "MissingPackageError",
    "NeighborContrast",
    "Neighbors",
    "PooledConvAutoencoder",
    "Reconstruction",
    "RelevanceDistance",
    "RelevanceMapModel",
    "ResNetAutoencoder",
    "Step",
    "Term",
    "Trained",
    "TrainingError",
    "load",
    "score",
]
# Where they lie; a name is looked for in this order.
_MODULES = (
    "errors",
    "maps",
    "networks",
    "losses",
    "data",
    "models",
    "loading",
    "scoring",
    "estimators",
)


def __getattr__(name: str) -> Any:
    """What ``__all__`` names, imported now."""
    if name in __all__:
        for module in _MODULES:
            found = import_module(f"dcsomrl.{module}")
            if name in getattr(found, "__all__", vars(found)):
                globals()[name] = getattr(found, name)
                return globals()[name]
    raise AttributeError(f"module 'dcsomrl' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Everything, also what has not been imported yet."""
    return sorted({*globals(), *__all__})
