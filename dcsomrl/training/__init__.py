"""What surrounds a training: callbacks, checkpoints, scores, and the files of a run."""
