"""Reports on trained maps as one HTML file: arrays in, text out."""

from dcsomrl.reporting.html.answers import QUESTIONS, Answer, Comparison
from dcsomrl.reporting.html.build import build_page
from dcsomrl.reporting.html.content import Cluster, Explorer, Picture, RunPage

__all__ = [
    "QUESTIONS",
    "Answer",
    "Cluster",
    "Comparison",
    "Explorer",
    "Picture",
    "RunPage",
    "build_page",
]
