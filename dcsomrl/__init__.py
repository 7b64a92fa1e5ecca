"""Deep clustering with self-organizing maps and relevance learning (DC-SOMRL)."""

__version__ = "0.1.0"
