"""Campaigns that attack the program: ``python -m experiments.trust [campaign ...]``."""
