namespace Curvature

/// Arithmetic of tangents, of which a missing one is zero.
module internal Tangent =

    let add (a: Tensor voption) (b: Tensor voption) =
        match a, b with
        | ValueNone, t
        | t, ValueNone -> t
        | ValueSome t, ValueSome u -> ValueSome(t + u)

    let map (f: Tensor -> Tensor) (t: Tensor voption) = ValueOption.map f t

    /// The tangent as an array of zeros where it is missing.
    let orZeros (like: Tensor) (t: Tensor voption) =
        match t with
        | ValueSome t -> t
        | ValueNone -> like.FillLike 0.0
