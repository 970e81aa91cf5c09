namespace Curvature

/// Tolerances of solvers, searches and checks.
[<AbstractClass; Sealed>]
type Tolerance =
    /// The value in options where no tolerance was chosen: the one that fits the element type is taken.
    static member Automatic = 0.0

    /// A tolerance in words.
    static member internal Describe(tolerance: float) =
        if tolerance = Tolerance.Automatic then
            "the tolerance of the element type"
        else
            $"tolerance {FSharp.Numbers.show tolerance}"

    /// The chosen tolerance, or the one of the element type where none was chosen.
    static member internal Resolve(tolerance: float, dtype: DType, ofFloat64: float, ofFloat32: float) =
        if tolerance <> Tolerance.Automatic then tolerance
        elif dtype = DType.Float64 then ofFloat64
        else ofFloat32
