namespace Curvature.FSharp

open Curvature
open MathNet.Numerics.LinearAlgebra

/// Kinds of probes.
module internal ProbeKind =

    /// Whether vectors of a probe look the same in every basis: then coincidences have probability 0.
    let isContinuous (probe: Probe) =
        match probe with
        | Probe.Gaussian
        | Probe.Sphere -> true
        | _ -> false

/// What estimators ask of operators: claims before the first product, and that products agree with the claims.
module internal Requirements =

    /// Raises OperatorException for an operator that is not square and claimed to be symmetric.
    let symmetric what (a: LinearOperator) =
        OperatorParts.requireSquare what a

        if not a.IsSymmetric then
            Fail.operator
                $"{what}: a symmetric operator is needed, and {a.Name} does not claim to be; see LinearOperator.claim"

    /// Raises OperatorException for an operator that is not square and claimed to be semidefinite.
    let semidefinite what (a: LinearOperator) =
        OperatorParts.requireSquare what a

        if not a.IsPositiveSemidefinite then
            Fail.operator
                $"{what}: a positive semidefinite operator is needed, and {a.Name} does not claim to be; see LinearOperator.claim"

    /// Raises OperatorException for an operator that is not what an estimator needs.
    let need what (need: OperatorNeed) (a: LinearOperator) =
        match need with
        | OperatorNeed.Square -> OperatorParts.requireSquare what a
        | OperatorNeed.Symmetric -> symmetric what a
        | OperatorNeed.Semidefinite -> semidefinite what a
        | _ -> ()

    /// Raises OperatorException where uᵀAv and vᵀAu differ by a larger share of their size than rounding explains.
    let smallAsymmetry what (a: LinearOperator) (asymmetry: float) =
        SymmetryCheck.require $"{what} of {a.Name}" a.DType 1.0 asymmetry

    /// Raises OperatorException where the products uᵢᵀAuⱼ do not make a symmetric matrix.
    let symmetricProducts what (a: LinearOperator) (products: Matrix<float>) =
        SymmetryCheck.requireOf $"{what} of {a.Name}" a.DType 0.0 products

    /// Raises OperatorException where one of the Ritz values of a semidefinite operator is more negative than rounding explains.
    let nonnegativeRitzValues what (a: LinearOperator) (values: Vector<float>) =
        if values.Count > 0 && values.Minimum() < -1e3 * SmallMatrices.epsilon a.DType * values.AbsoluteMaximum() then
            Fail.operator
                $"{what}: a positive semidefinite operator is needed, and {a.Name}, which claims to be, has a Ritz value that is {values.Minimum() / values.AbsoluteMaximum():G3} of the largest"
