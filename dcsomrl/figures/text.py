"""Names that come from the data, as a figure can take them."""


def escape(name: str) -> str:
    """A name as it is: matplotlib would read formulas between dollars, and fail at bad ones."""
    return name.replace("$", r"\$")


def escape_entry(name: str) -> str:
    """A name for a legend, which would leave out one that begins with an underscore."""
    return escape(f" {name}" if name.startswith("_") else name)
