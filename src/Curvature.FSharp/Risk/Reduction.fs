namespace Curvature

/// How the losses of the elements of a batch become one number.
type Reduction =
    /// Their mean.
    | Mean = 0
    /// Their sum.
    | Sum = 1
