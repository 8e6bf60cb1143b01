"""The exponential of the compiled kernels, of one number or of sixteen."""

from __future__ import annotations

import numpy as np
from numba import njit

from diml_core.retrieval.kernels.vector import floor, power_of_two


@njit(cache=True, fastmath=True, error_model="numpy", inline="always")
def exp(x):
    """exp of a float32, or of lanes, in -87..1 to 2 units in the last place.

    Unlike libm's it has no branches, so loops over it vectorise.
    """
    scaled = x * np.float32(1.4426950408889634)  # 2 ** scaled
    whole = floor(scaled + np.float32(0.5))
    f = scaled - whole  # -0.5..0.5: Taylor series of 2 ** f, coefficients ln(2) ** n / n!
    p = f * np.float32(1.5403530e-4) + np.float32(1.3333558e-3)
    p = p * f + np.float32(9.6181291e-3)
    p = p * f + np.float32(5.5504109e-2)
    p = p * f + np.float32(2.4022651e-1)
    p = p * f + np.float32(6.9314718e-1)
    p = p * f + np.float32(1.0)
    return p * power_of_two(whole)
