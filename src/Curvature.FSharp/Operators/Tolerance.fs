namespace Curvature

/// Tolerances of solvers, searches and checks.
[<AbstractClass; Sealed>]
type Tolerance =
    /// What options have where no tolerance was chosen: the one that fits the element type.
    static member Automatic = 0.0

    /// A chosen tolerance, or where there is none the one of the element type.
    static member internal Resolve(tolerance: float, dtype: DType, ofFloat64: float, ofFloat32: float) =
        if tolerance <> Tolerance.Automatic then tolerance
        elif dtype = DType.Float64 then ofFloat64
        else ofFloat32
