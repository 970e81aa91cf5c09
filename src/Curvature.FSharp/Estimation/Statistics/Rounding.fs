namespace Curvature.FSharp

open System
open Curvature

/// Standard errors that rounding gives results. Roundings are taken as independent, so that their sum over n terms
/// grows with √n (Higham & Mary 2019, "A new approach to probabilistic rounding error analysis", theorem 2.4), where
/// the worst case grows with n. Products with the operator are taken to be rounded to a few units of their type,
/// since an operator does not say how it computes them.
module internal Rounding =

    /// Units by which a product may be off.
    let private units = 4.0

    /// What is added for rounding, in a product of this size.
    let ofProduct (dtype: DType) (magnitude: float) = units * SmallMatrices.epsilon dtype * abs magnitude

    /// √(a² + b²), also where the squares overflow or vanish.
    let hypotenuse (a: float) (b: float) =
        let large = max (abs a) (abs b)

        if large = 0.0 || Double.IsInfinity large then
            large
        else
            let x, y = a / large, b / large
            large * sqrt (x * x + y * y)

    /// The length of a vector of numbers of any size.
    let length (values: float[]) = values |> Array.fold hypotenuse 0.0

    /// The error of a sum, in Float64, of terms that come from products of a type.
    let ofSum (dtype: DType) (terms: float[]) =
        let total = terms |> Array.sumBy abs
        let sum = sqrt (float terms.Length) * SmallMatrices.epsilon DType.Float64 * total
        sum + ofProduct dtype (length terms)

    /// The error of each element of a vector.
    let ofElements (dtype: DType) (values: Tensor) : Tensor = Tensor.abs values * (units * SmallMatrices.epsilon dtype)

    /// The relative error of the root of a sum of squares of so many products.
    let ofNorm (dtype: DType) (terms: float) =
        units * SmallMatrices.epsilon dtype + sqrt terms * SmallMatrices.epsilon DType.Float64
