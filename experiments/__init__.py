"""The paper's tables and figures and our own measurements, each with its committed results."""
