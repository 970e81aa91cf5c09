namespace Curvature

open Curvature.Kernels

/// Trigonometric and hyperbolic functions that are composed of others. Their forms keep the digits of small results,
/// and do not overflow before the result does.
module internal TensorTrigonometry =

    let tan (t: Tensor) : Tensor = Tensor.Sin t / Tensor.Cos t

    /// sinh and cosh of x/2.
    let private hyperbolicOfHalf (t: Tensor) : Tensor * Tensor =
        let half = 0.5 * t
        let expm1 (x: Tensor) = Tensor.Apply(OpCode.Expm1, x)
        0.5 * (expm1 half - expm1 -half), 0.5 * (Tensor.Exp half + Tensor.Exp -half)

    /// sinh x = 2 sinh(x/2) cosh(x/2)
    let sinh (t: Tensor) : Tensor = let sinhHalf, coshHalf = hyperbolicOfHalf t in 2.0 * sinhHalf * coshHalf

    /// cosh x = 1 + 2 sinh²(x/2), of which the derivative has all its digits near 0 too.
    let cosh (t: Tensor) : Tensor = let sinhHalf, _ = hyperbolicOfHalf t in 1.0 + 2.0 * sinhHalf * sinhHalf

    let atan2 (y: Tensor) (x: Tensor) : Tensor = Tensor.Apply(OpCode.Atan2, y, x)

    let atan (t: Tensor) : Tensor = atan2 t (t.FillLike 1.0)

    /// The other leg of a right triangle: √(1 − x²).
    let private leg (t: Tensor) : Tensor = Tensor.Sqrt((1.0 - t) * (1.0 + t))

    let asin (t: Tensor) : Tensor = atan2 t (leg t)

    let acos (t: Tensor) : Tensor = atan2 (leg t) t
