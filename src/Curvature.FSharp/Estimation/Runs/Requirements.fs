namespace Curvature.FSharp

open Curvature
open MathNet.Numerics.LinearAlgebra

/// What estimators ask of operators: claims before the first product, and that products agree with the claims.
module internal Requirements =

    /// Whether an operator is what an estimator needs.
    let isMet (need: OperatorNeed) (a: LinearOperator) : bool =
        match need with
        | OperatorNeed.Square -> a.IsSquare
        | OperatorNeed.Symmetric -> a.IsSquare && a.IsSymmetric
        | OperatorNeed.Semidefinite -> a.IsSquare && a.IsPositiveSemidefinite
        | OperatorNeed.SquareWithTranspose -> a.IsSquare && (OperatorAlgebra.adjoint a.Definition).IsSome
        | _ -> true

    let private requireClaim what claim isClaimed (a: LinearOperator) =
        OperatorParts.requireSquare what a

        if not (isClaimed a) then
            Fail.operator (
                $"{what}: a {claim} operator is needed, and {a.Name} does not claim to be; "
                + "see LinearOperator.claim"
            )

    /// Raises OperatorException for an operator that is not square and claimed to be symmetric.
    let symmetric what (a: LinearOperator) = requireClaim what "symmetric" _.IsSymmetric a

    /// Raises OperatorException for an operator that is not what an estimator needs.
    let need what (need: OperatorNeed) (a: LinearOperator) =
        match need with
        | OperatorNeed.Square -> OperatorParts.requireSquare what a
        | OperatorNeed.Symmetric -> symmetric what a
        | OperatorNeed.Semidefinite -> requireClaim what "positive semidefinite" _.IsPositiveSemidefinite a
        | OperatorNeed.SquareWithTranspose ->
            OperatorParts.requireSquare what a
            a.Transposed |> ignore
        | _ -> ()

    /// Of forms of random vectors of length √n.
    let private rounding (a: LinearOperator) = sqrt (float a.Columns) * ProductRounding.ofRandom a

    /// Raises OperatorException where uᵀAv and vᵀAu, of this size, differ by a larger share of it than rounding
    /// explains.
    let smallAsymmetry what (a: LinearOperator) (size: float) (asymmetry: float) =
        SymmetryCheck.require $"{what} of {a.Name}" a.DType 1.0 asymmetry (fun () -> rounding a / size)

    /// Raises OperatorException where the products uᵢᵀAuⱼ do not make a symmetric matrix.
    let symmetricProducts what (a: LinearOperator) (products: Matrix<float>) =
        SymmetryCheck.requireOf $"{what} of {a.Name}" a.DType 0.0 products (fun () -> rounding a)

    /// Raises OperatorException where a Ritz value of a semidefinite operator is more negative than rounding explains.
    let nonnegativeRitzValues what (a: LinearOperator) (values: Vector<float>) =
        if values.Count > 0 && values.Minimum() < -1e3 * SmallMatrices.epsilon a.DType * values.AbsoluteMaximum() then
            Fail.operator (
                $"{what}: a positive semidefinite operator is needed, and {a.Name}, which claims to be, "
                + $"has a Ritz value that is {values.Minimum() / values.AbsoluteMaximum():G3} of the largest"
            )
