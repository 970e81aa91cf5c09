namespace Curvature

open System
open System.Diagnostics
open Curvature.FSharp

/// The result of Lanczos: an orthonormal basis V of a Krylov space, and the tridiagonal matrix T = VᵀAV.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type LanczosResult internal (space: KrylovSpace, products: int, cancelled: bool) =
    let size = space.Size
    let diagonal = Array.init size (fun i -> space.Projection[i, i])
    let offDiagonal = Array.init (max 0 (size - 1)) (fun i -> space.Projection[i, i + 1])
    let ritz = lazy space.Ritz

    let vectors =
        lazy
            (let c = Array2D.init size size (fun i j -> ritz.Value.Vectors[j, i])
             Vectors.combinations c space.Vectors)

    /// How many steps were taken: fewer than asked for where the space became invariant, or it was cancelled.
    member _.Steps = size

    /// How many products with the operator were taken.
    member _.Matvecs = products

    /// The diagonal of T.
    member _.Diagonal = Array.copy diagonal

    /// The entries beside the diagonal of T.
    member _.OffDiagonal = Array.copy offDiagonal

    /// The basis, [steps; n], a vector in each row.
    member _.Basis = space.Vectors

    /// Whether the space is invariant, up to rounding: then all Ritz values are eigenvalues.
    member _.IsInvariant = space.IsInvariant

    /// Whether it was cancelled before all steps were taken.
    member _.IsCancelled = cancelled

    /// The eigenvalues of T, ascending. All lie between the least and the largest eigenvalue of the operator.
    member _.RitzValues = Array.copy ritz.Value.Values

    /// ‖Ay − θy‖ for each Ritz pair, with what rounding may add: an eigenvalue lies within that distance of θ.
    member _.ResidualBounds = Array.init size (fun i -> space.ResidualBound(ritz.Value, i))

    /// The squared first components of the eigenvectors of T, which sum to 1: with the Ritz values as nodes, Gauss's
    /// quadrature for the spectral measure of the start vector (Golub & Welsch 1969), exact for polynomials of degree
    /// 2·steps − 1.
    member _.Weights = Array.init size (fun i -> let u = ritz.Value.Vectors[0, i] in u * u)

    /// The Ritz vectors, [steps; n], in the order of the Ritz values.
    member _.RitzVectors = vectors.Value

    override _.ToString() =
        let values = ritz.Value.Values
        let low, high = Numbers.show values[0], Numbers.show values[values.Length - 1]

        let ended =
            if space.IsInvariant then ", invariant"
            elif cancelled then ", cancelled"
            else ""

        $"""{Describe.count size "Lanczos step"}, Ritz values from {low} to {high}, {products:N0} products{ended}"""

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open System.Threading
open Curvature

/// Lanczos's tridiagonalization of a symmetric operator (Lanczos 1950) with every vector orthogonalised twice against
/// all before it, so that no eigenvalue appears as a ghost of another. k steps cost k products, about 8nk² operations,
/// and the memory of k vectors. Inner products are summed in Float64 also for Float32 vectors.
[<RequireQualifiedAccess>]
module Lanczos =

    /// The same as `from`, until a token is cancelled: then the steps taken are the result. Cancelled before the first,
    /// it raises OperationCanceledException.
    let fromWith
        (cancellation: CancellationToken)
        (start: Tensor)
        (steps: int)
        (operator: LinearOperator)
        : LanczosResult =
        Requirements.symmetric "Lanczos" operator
        Krylov.checkPositive "Lanczos" "the number of steps" steps

        if start.Signature.Shape <> [| operator.Columns |] || start.DType <> operator.DType then
            Fail.shape (
                $"Lanczos: the start vector must be {operator.DType} of shape [{operator.Columns}], and is "
                + $"{start.DType} of {Shape.show start.Signature.Shape}"
            )

        Finite.check "Lanczos: the start vector" start
        let space = Krylov.from start (max 1 (min steps operator.Columns)) operator
        cancellation.ThrowIfCancellationRequested()
        let goOn () = space.Size = 0 || not cancellation.IsCancellationRequested
        let products = Krylov.advance operator (fun _ -> "the Lanczos vector") steps [| space |] goOn
        space.CheckSymmetry()
        LanczosResult(space, products, not space.IsInvariant && space.Size < space.Capacity)

    /// At most `steps` steps from a start vector of any length; fewer where the space becomes invariant, at the latest
    /// after n.
    /// Raises OperatorException for an operator that is not square, does not claim to be symmetric or turns out not to
    /// be, ShapeException for a start vector that does not fit, ArgumentRangeException for a zero one or less than one
    /// step, and NonFiniteException for products that are NaN or infinite.
    let from (start: Tensor) (steps: int) (operator: LinearOperator) : LanczosResult =
        fromWith CancellationToken.None start steps operator

    /// The same as `run`, until a token is cancelled; see `fromWith`.
    let runWith (cancellation: CancellationToken) (steps: int) (key: Key) (operator: LinearOperator) : LanczosResult =
        let start = Probe.drawOn operator.Device Probe.gaussian key operator.Columns (0, 1) operator.DType
        fromWith cancellation (Tensor.flatten start) steps operator

    /// The same from a random vector with normal entries.
    let run (steps: int) (key: Key) (operator: LinearOperator) : LanczosResult =
        runWith CancellationToken.None steps key operator
