namespace Curvature

/// Functions with steps and corners: rounding, limits, and masks of numbers that are not finite.
module internal TensorSteps =

    /// The derivative is 1 on the whole interval, its ends included, and 0 outside. NaN stays.
    let clip (low: float) (high: float) (t: Tensor) : Tensor =
        if not (low <= high) then
            Fail.range $"clip: low is at most high, and they are {low} and {high}"

        let fromAbove = Tensor.Where(Tensor.Greater(t, high), high, t)
        Tensor.Where(Tensor.Greater(low, t), low, fromAbove)

    let ceil (t: Tensor) : Tensor = -(Tensor.Floor -t)

    let round (t: Tensor) : Tensor =
        let below = Tensor.Floor t
        let fraction = t - below
        // 1 where the integer below is odd. The product and the quotient by 2 are exact.
        let isOdd = below - 2.0 * Tensor.Floor(0.5 * below)
        let isAbove = Tensor.Where(Tensor.Equal(fraction, 0.5), isOdd, Tensor.Greater(fraction, 0.5))
        below + isAbove

    let isNaN (t: Tensor) : Tensor = 1.0 - Tensor.Equal(t, t)

    let isFinite (t: Tensor) : Tensor = Tensor.Greater(infinity, Tensor.Abs t)

    /// 1 where an element is not 0, NaN included.
    let isNonzero (t: Tensor) : Tensor = 1.0 - Tensor.Equal(t, 0.0)
