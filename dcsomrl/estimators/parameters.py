"""Parameters of the estimators as plain values, checked as scikit-learn checks them."""

from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import (
    Interval,
    InvalidParameterError,
    _Constraint,
    validate_parameter_constraints,
)
from torch import Tensor

# What a size can be that torch takes.
MOST = 2**31 - 1
AT_LEAST_NOTHING = Interval(Integral, 0, MOST, closed="both")
AT_LEAST_ONE = Interval(Integral, 1, MOST, closed="both")
AT_LEAST_TWO = Interval(Integral, 2, MOST, closed="both")
ABOVE_ZERO = Interval(Real, 0, np.inf, closed="neither")
SHARE = Interval(Real, 0, 1, closed="both")
SHARE_ABOVE_ZERO = Interval(Real, 0, 1, closed="right")


class Widths(_Constraint):
    """A sequence of widths of layers, each an integer of at least 1; it may be empty."""

    def is_satisfied_by(self, given: Any) -> bool:
        """Whether what was given, read by :func:`_read_widths`, is such."""
        return isinstance(given, tuple) and all(
            not isinstance(one, bool) and AT_LEAST_ONE.is_satisfied_by(one) for one in given
        )

    def __str__(self) -> str:
        return "a sequence of ints of at least 1"


def read_parameters(estimator: BaseEstimator) -> dict[str, Any]:
    """The parameters of an estimator by name, numbers of NumPy and arrays of one as Python's.

    Raises:
        InvalidParameterError: a ValueError; one of them is of another kind or outside its range.
    """
    constraints: dict[str, list[Any]] = estimator._parameter_constraints
    kind = type(estimator).__name__
    given: dict[str, Any] = {}
    for name, value in estimator.get_params(deep=False).items():
        is_widths = any(isinstance(one, Widths) for one in constraints[name])
        plain = _read_widths(value) if is_widths else unpack(value)
        is_number = any(isinstance(one, Interval) for one in constraints[name])
        if is_number and isinstance(plain, bool):
            raise InvalidParameterError(
                f"The {name!r} parameter of {kind} must be a number. Got {plain} instead."
            )
        given[name] = plain
    validate_parameter_constraints(constraints, given, caller_name=kind)
    real = {name for name, one in constraints.items() if _is_real(one)}
    return {name: float(one) if name in real else one for name, one in given.items()}


def unpack(value: Any) -> Any:
    """The number in a scalar of NumPy or an array or tensor without axes; all else as it is."""
    single = isinstance(value, np.generic) or (
        isinstance(value, np.ndarray | Tensor) and value.ndim == 0
    )
    return value.item() if single else value


def _read_widths(value: Any) -> Any:
    """The items of a sequence or array as a tuple of plain numbers; all else as it is."""
    if isinstance(value, str | bytes | dict | set) or not isinstance(value, Iterable):
        return value
    if isinstance(value, np.ndarray | Tensor) and value.ndim != 1:
        return value
    return tuple(unpack(one) for one in value)


def _is_real(constraints: list[Any]) -> bool:
    return any(isinstance(one, Interval) and one.type is Real for one in constraints)
