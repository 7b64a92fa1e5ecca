"""Names that come from the data, as a figure can take them."""


def plain(name: str) -> str:
    """A name as it is: matplotlib would read formulas between dollars, and fail at bad ones."""
    return name.replace("$", r"\$")


def entry(name: str) -> str:
    """A name for a legend, which would leave out one that begins with an underscore."""
    return plain(f" {name}" if name.startswith("_") else name)
