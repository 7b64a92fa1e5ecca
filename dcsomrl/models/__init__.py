"""Lightning modules; they know Lightning, not Hydra."""

from dcsomrl.models.autoencoder import AutoencoderModel
from dcsomrl.models.base import ClusteringModule
from dcsomrl.models.centers import CenterModel
from dcsomrl.models.dcsomrl import DCSOMRL
from dcsomrl.models.dec import DEC
from dcsomrl.models.desom import DESOM
from dcsomrl.models.relevance import RelevanceMapModel
from dcsomrl.models.shallow import KMeansModel, KohonenModel
from dcsomrl.models.somvae import SOMVAE

__all__ = [
    "DCSOMRL",
    "DEC",
    "DESOM",
    "SOMVAE",
    "AutoencoderModel",
    "CenterModel",
    "ClusteringModule",
    "KMeansModel",
    "KohonenModel",
    "RelevanceMapModel",
]
