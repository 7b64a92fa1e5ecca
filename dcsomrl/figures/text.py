"""Names that come from the data, as a figure can take them."""


def escape(name: str) -> str:
    """A name as it is: matplotlib would read formulas between dollars, and fail at bad ones."""
    return name.replace("$", r"\$")


def escape_entry(name: str) -> str:
    """A name for a legend, which would leave out one that begins with an underscore."""
    return escape(f" {name}" if name.startswith("_") else name)


def abbreviate(name: str, most: int) -> str:
    """A name of so many signs at most, whose end is left out where it is longer."""
    return name if len(name) <= most else f"{name[: most - 1]}\N{HORIZONTAL ELLIPSIS}"


def measure_heading(title: str) -> float:
    """Inches that a heading of 10 points takes, which a figure is to be wide at least."""
    return 0.083 * len(title) + 0.1 if title else 0.0
