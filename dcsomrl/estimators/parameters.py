"""Parameters of the estimators as plain values, checked as scikit-learn checks them."""

from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any, NoReturn

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import (
    Interval,
    InvalidParameterError,
    validate_parameter_constraints,
)
from torch import Tensor

from dcsomrl.hints import unpack

# What a size can be that torch takes.
MOST = 2**31 - 1
AT_LEAST_NOTHING = Interval(Integral, 0, MOST, closed="both")
AT_LEAST_ONE = Interval(Integral, 1, MOST, closed="both")
AT_LEAST_TWO = Interval(Integral, 2, MOST, closed="both")
ABOVE_ZERO = Interval(Real, 0, np.inf, closed="neither")
SHARE = Interval(Real, 0, 1, closed="both")
# Widths of layers.
WIDTHS = ["array-like"]
SHARE_ABOVE_ZERO = Interval(Real, 0, 1, closed="right")


def read_parameters(estimator: BaseEstimator) -> dict[str, Any]:
    """The parameters of an estimator by name, numbers of NumPy and arrays of one as Python's.

    Raises:
        InvalidParameterError: a ValueError; one of them is of another kind or outside its range.
    """
    constraints: dict[str, list[Any]] = estimator._parameter_constraints
    kind = type(estimator).__name__
    given: dict[str, Any] = {}
    for name, value in estimator.get_params(deep=False).items():
        allowed = constraints[name]
        is_number = "random_state" in allowed or any(isinstance(one, Interval) for one in allowed)
        given[name] = _read_widths(value) if allowed == WIDTHS else unpack(value)
        if is_number and isinstance(given[name], bool):
            _refuse(name, kind, "a number", value)
        if allowed == WIDTHS and not _are_widths(given[name]):
            _refuse(name, kind, "a sequence of ints of at least 1", value)
    validate_parameter_constraints(constraints, given, caller_name=kind)
    real = {name for name, one in constraints.items() if _is_real(one)}
    return {name: float(one) if name in real else one for name, one in given.items()}


def _refuse(name: str, kind: str, expected: str, value: Any) -> NoReturn:
    raise InvalidParameterError(
        f"The {name!r} parameter of {kind} must be {expected}. Got {value!r} instead."
    )


def _read_widths(value: Any) -> Any:
    """The items of a sequence or array as a tuple of plain numbers; all else as it is."""
    if isinstance(value, str | bytes | dict | set) or not isinstance(value, Iterable):
        return value
    if isinstance(value, np.ndarray | Tensor) and value.ndim != 1:
        return value
    return tuple(unpack(one) for one in value)


def _are_widths(given: Any) -> bool:
    return isinstance(given, tuple) and all(
        not isinstance(one, bool) and AT_LEAST_ONE.is_satisfied_by(one) for one in given
    )


def _is_real(constraints: list[Any]) -> bool:
    return any(isinstance(one, Interval) and one.type is Real for one in constraints)
