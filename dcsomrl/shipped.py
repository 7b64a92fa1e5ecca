"""Trained models that come with the package, by name."""

from pathlib import Path

SHIPPED = Path(__file__).parent / "shipped_models"


def list_shipped() -> list[str]:
    """Names by which trained models are loaded that come with the package."""
    return sorted(file.stem for file in SHIPPED.glob("*.ckpt"))


def find_shipped(name: str) -> Path | None:
    """The checkpoint of a model that comes with the package; None where none has the name."""
    return SHIPPED / f"{name}.ckpt" if name in list_shipped() else None
