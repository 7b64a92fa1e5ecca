"""What must be seen on a GPU, in parts that can be cut: ``python -m experiments.gpu``."""
