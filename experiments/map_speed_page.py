"""The page and the figure of how fast the map alone learns."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from dcsomrl.errors import DataError
from dcsomrl.writing import save_figure, tabulate, write_text
from experiments.map_speed_methods import OTHERS, SOMRL_WORK
from experiments.map_speed_results import Record, Setting, compare, find_setting, read_results

PAGE, FIGURE = "map_speed.md", "map_speed.png"
Cells = tuple[list[str], list[list[str]]]


def render(out: Path, folder: Path) -> Path:
    """Write ``map_speed.md`` and its figure.

    Args:
        out: file of the results.
        folder: of the page.

    Returns:
        The page.

    Raises:
        DataError: there are no results.
    """
    records = list(read_results(out).values())
    if not records:
        raise DataError(f"{out} has no results: run python -m experiments.map_speed first")
    settings = sorted({find_setting(record) for record in records})
    page = folder / PAGE
    lines = [INTRODUCTION]
    for setting in settings:
        lines += render_setting(setting, [one for one in records if find_setting(one) == setting])
    sizes = {one: find_part(records, "sizes", one) for one in settings}
    if any(sizes.values()):
        save_figure(draw({one: own for one, own in sizes.items() if own}), folder / FIGURE, dpi=110)
        lines.append(f"![milliseconds a step by the number of nodes]({FIGURE})\n")
    write_text(page, "\n".join(lines))
    return page


INTRODUCTION = f"""# How fast the map alone learns

`make bench-maps`, then `python -m experiments.map_speed --sizes` and `render`. All maps learn the
same clustered samples in turns, each in chunks of about the same duration, on a CPU; the tables
show medians over the rounds. SOMRL is full from the start, and nodes neither appear nor
disappear. The *limit* is the time that the two matrix products of a step of SOMRL take by
themselves, in float32: (batch, 2m) by (2m, nodes) for m features, which gives the distances, and
(nodes, groups) by (groups, m), which sums the pulls, where a group is all samples of a batch that
share a winner. SOMRL itself adds the few pulls of a group one by one, but computes the first
product a second time for the groups. Maps without relevances need only half of the first product,
so the limit does not apply to them.

The methods do different work per sample:

- SOMRL {SOMRL_WORK}
""" + "\n".join(f"- {name} {other.work}" for name, other in OTHERS.items())


def render_setting(setting: Setting, records: Sequence[Record]) -> Iterator[str]:
    """A heading, where the numbers come from, and a table for each part that was measured."""
    versions = {pair for one in records for pair in one["versions"].items()}
    packages = [f"{name} {number}" for name, number in sorted(versions)]
    commits = " and ".join(sorted({str(one["git_commit"]) for one in records}))
    yield f"\n## {setting.title}\n"
    yield f"{', '.join([*packages, f'commit {commits}'])}.\n"
    loads = [one["load"] for one in records if one.get("load") is not None]
    if loads:
        yield (
            f"Processes competing for the {records[0]['cores']} cores: {min(loads):.0f} to "
            f"{max(loads):.0f}. If there are more than cores, only the ratios are meaningful.\n"
        )
    if maps := find_part(records, "maps", setting):
        yield "Samples a second:\n"
        yield tabulate(*make_comparison(maps))
    if sizes := find_part(records, "sizes", setting):
        yield "SOMRL by its number of nodes:\n"
        yield tabulate(*make_sizes(sizes))


def find_part(records: Iterable[Record], part: str, setting: Setting) -> list[Record]:
    """Records of a part in a setting, by nodes and batch."""
    own = [one for one in records if one["part"] == part and find_setting(one) == setting]
    return sorted(own, key=lambda one: (one["nodes"], one["batch"]))


def make_comparison(records: Sequence[Record]) -> Cells:
    """Header and rows of samples a second, by the nodes, the batch and the method."""
    measured = {name for record in records for name in record["seconds a sample"]}
    names = [name for name in ("SOMRL", *OTHERS, "limit") if name in measured]
    rows = []
    for record in records:
        seconds = record["seconds a sample"]
        ratio, share = compare(seconds)
        rates = [f"{1 / seconds[name]:,.0f}" if name in seconds else "" for name in names]
        times = "" if ratio is None else f"{ratio:.2f}"
        rows.append([f"{record['nodes']:,}", f"{record['batch']:,}", *rates, times, f"{share:.0%}"])
    return ["nodes", "batch", *names, "SOMRL / fastest other", "share of the limit"], rows


def make_sizes(records: Sequence[Record]) -> Cells:
    """Header and rows of milliseconds a step, by the nodes."""
    rows = []
    for record in records:
        own, limit = (time_step(record, name) for name in ("SOMRL", "limit"))
        each = 1e6 * own / record["nodes"] / record["batch"]
        rows.append(
            [
                f"{record['nodes']:,}",
                f"{record['batch']:,}",
                f"{own:.3g}",
                f"{limit:.3g}",
                f"{limit / own:.0%}",
                f"{each:.2f}",
            ]
        )
    return [
        "nodes",
        "batch",
        "SOMRL ms",
        "limit ms",
        "share of the limit",
        "ns a sample and node",
    ], rows


def time_step(record: Record, name: str) -> float:
    """Milliseconds a step."""
    return 1e3 * record["seconds a sample"][name] * record["batch"]


def draw(sizes: dict[Setting, list[Record]]) -> Figure:
    """Milliseconds a step by the number of nodes beside the limit, a panel for every setting."""
    figure = Figure(figsize=(6, 4.2 * len(sizes)), layout="constrained")
    panels = figure.subplots(len(sizes), squeeze=False)[:, 0]
    for (setting, records), panel in zip(sizes.items(), panels, strict=True):
        for batch in sorted({one["batch"] for one in records}):
            own = [one for one in records if one["batch"] == batch]
            nodes = [one["nodes"] for one in own]
            times = [time_step(one, "SOMRL") for one in own]
            limits = [time_step(one, "limit") for one in own]
            (line,) = panel.plot(nodes, times, "o-", label=f"SOMRL, batch {batch:,}")
            color = line.get_color()
            panel.plot(
                nodes, limits, "o--", color=color, label="limit: its two matrix products alone"
            )
            slope = [times[-1] * one / nodes[-1] for one in nodes]
            panel.plot(nodes, slope, ":", color="gray", label="in proportion to the nodes")
        panel.set(xscale="log", yscale="log", xlabel="nodes", ylabel="milliseconds a step")
        ticks = sorted({one["nodes"] for one in records})
        panel.set_xticks(ticks, [f"{one:,}" for one in ticks])
        panel.minorticks_off()
        panel.yaxis.set_major_formatter("{x:g}")
        panel.set_title(setting.title, fontsize=8)
        panel.legend(fontsize=8)
    return figure
