"""What the commands do; ``dcsomrl.train`` and the others import it when it is asked for."""
