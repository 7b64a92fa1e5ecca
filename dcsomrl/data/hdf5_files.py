"""Arrays of HDF5 files."""

import h5py
import numpy as np

from dcsomrl.data.numpy_files import MOST_PACKED


def read_arrays(path: str, names: list[tuple[str, str]]) -> list[np.ndarray]:
    """Arrays of a file, each by its group and its name in that.

    Raises:
        OSError: the file is damaged.
        LookupError: it holds no such array.
        ValueError: an array lies in another file, or claims more than there is.
    """
    with h5py.File(path) as file:
        return [_read_inside(file, group, name) for group, name in names]


def _read_inside(file: h5py.File, group: str, name: str) -> np.ndarray:
    """An array of an HDF5 file, if it lies in that file and not in another one."""
    for place, key in ((file, group), (file[group], name)):
        if not isinstance(place.get(key, getlink=True), h5py.HardLink):
            raise ValueError(f"{group}/{name} is a link")
    found = file[group][name]
    if found.external or found.is_virtual:
        raise ValueError(f"{group}/{name} lies in another file")
    if found.nbytes > MOST_PACKED * found.id.get_storage_size():
        raise ValueError(f"{group}/{name} claims {found.shape}, and there is less")
    return np.asarray(found[()])
