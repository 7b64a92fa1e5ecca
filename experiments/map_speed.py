"""How fast the map alone learns, beside the maps of other packages.

``make bench-maps`` runs it. All maps learn the same samples in turns, so that other load on the
machine falls on all of them alike; what is printed are medians over the rounds. ``--sizes`` times
SOMRL alone by its number of nodes. What was measured is kept in a file, in which a cell that is
measured again takes the place of what it was, and ``render`` writes the page from it.
"""

import argparse
import math
import os
import statistics
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import product
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from dcsomrl.errors import ConfigError, DcsomrlError
from dcsomrl.training.results import find_origin
from experiments.map_speed_methods import (
    OTHERS,
    find_installed,
    make_limit,
    make_samples,
    make_somrl,
)
from experiments.map_speed_page import make_comparison, make_sizes, render
from experiments.map_speed_results import Record, add_result
from experiments.map_speed_timing import (
    Method,
    Samples,
    cut_chunk,
    size_chunk,
    time_in_turns,
)

KEPT = Path("experiments/results/map_speed.json")
NODES, BATCHES = (64, 1024, 4096), (256, 4096)
SIZES, SIZES_BATCH = (64, 256, 1024, 4096, 16384), (4096,)


def main(arguments: list[str]) -> None:
    """Measure and print a table, or render what is there."""
    given = parse(arguments)
    if given.what == "render":
        print(f"page: {render(given.out, Path('experiments'))}")
        return
    versions, missing = ({}, {}) if given.sizes else find_installed()
    for name, reason in missing.items():
        print(f"{name} is left out: {reason} (pip install -e '.[bench]' installs it)")
    threads = torch.get_num_threads()
    torch.set_flush_denormal(True)  # as a training does
    torch.set_num_threads(given.threads)
    samples = make_samples(given.samples, given.features)
    records = []
    try:
        with threadpool_limits(given.threads):
            for nodes, batch in product(given.nodes, given.batches):
                record = measure(samples, nodes, batch, list(versions), given.seconds, given.rounds)
                record["part"] = "sizes" if given.sizes else "maps"
                record |= {"threads": given.threads, "versions": versions}
                add_result(given.out, record)
                records.append(record)
    finally:  # not the caller's business
        torch.set_flush_denormal(False)
        torch.set_num_threads(threads)
    print_table(*(make_sizes if given.sizes else make_comparison)(records))


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """What is asked for.

    Raises:
        ConfigError: maps that cannot be made of the samples.
    """
    parser = argparse.ArgumentParser(prog="python -m experiments.map_speed", description=__doc__)
    parser.add_argument("what", nargs="?", choices=("run", "render"), default="run")
    parser.add_argument("--sizes", action="store_true", help="time SOMRL alone, by its nodes")
    parser.add_argument("--out", type=Path, default=KEPT, help="file of results [%(default)s]")
    parser.add_argument("--nodes", type=int, nargs="+", help="numbers of nodes, squares")
    parser.add_argument("--batches", type=int, nargs="+", help="samples a step")
    parser.add_argument("--samples", type=int, default=60_000, help="in all [%(default)s]")
    parser.add_argument("--features", type=int, default=22, help="of a sample [%(default)s]")
    parser.add_argument("--threads", type=int, default=1, help="of the processor [%(default)s]")
    parser.add_argument("--rounds", type=int, default=9, help="of all methods [%(default)s]")
    parser.add_argument(
        "--seconds", type=float, default=3, help="a method and cell, about [%(default)s]"
    )
    given = parser.parse_args(arguments)
    given.nodes = given.nodes or (SIZES if given.sizes else NODES)
    given.batches = given.batches or (SIZES_BATCH if given.sizes else BATCHES)
    numbers = (given.samples, given.features, given.threads, given.rounds, *given.batches)
    if min(*numbers, *given.nodes) < 1 or given.seconds <= 0:
        raise ConfigError("all numbers that are given to the benchmark are above 0")
    if any(math.isqrt(nodes) ** 2 != nodes for nodes in given.nodes):
        raise ConfigError(f"the grids are square: give squares for --nodes, got {given.nodes}")
    if max(*given.nodes, *given.batches) > given.samples:
        raise ConfigError(
            f"every node begins on a sample of its own, and a batch has different ones: "
            f"{given.samples} are too few, set --samples"
        )
    return given


def measure(
    samples: Samples, nodes: int, batch: int, others: Sequence[str], seconds: float, rounds: int
) -> Record:
    """Time SOMRL, the limit and other packages in turns, each about so many seconds in all.

    Args:
        samples: (n, m), of which every call learns a chunk.
        nodes: of every map.
        batch: samples a step.
        others: names of the packages.
        seconds: of a method over all rounds.
        rounds: in each of which every method runs once.

    Returns:
        Median seconds a sample, by the method, where they come from, and how many programs wanted
        the machine at the end.
    """
    methods: Mapping[str, Method] = {
        "SOMRL": make_somrl(samples, nodes, batch),
        **{name: OTHERS[name].make(samples, nodes, batch) for name in others},
        "limit": make_limit(samples, nodes, batch),
    }
    chunks = {
        name: size_chunk(method, samples, seconds / rounds) for name, method in methods.items()
    }

    def learn_chunk(name: str, number: int) -> None:
        methods[name].learn(cut_chunk(samples, chunks[name], number))

    times = time_in_turns({name: partial(learn_chunk, name) for name in methods}, rounds)
    return {
        "nodes": nodes,
        "batch": batch,
        "samples": len(samples),
        "features": samples.shape[1],
        "rounds": rounds,
        "chunks": chunks,
        "seconds a sample": {
            name: statistics.median(own) / (chunks[name] * methods[name].passes)
            for name, own in times.items()
        },
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "cores": os.cpu_count(),
        "date": datetime.now(UTC).date().isoformat(),
        **find_origin(torch.device("cpu")),
    }


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table."""
    table = Table()
    for column in header:
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(*row)
    Console(width=120).print(table)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except DcsomrlError as error:
        sys.exit(f"error: {error}")
