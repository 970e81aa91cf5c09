namespace Curvature

open System
open System.Diagnostics
open Curvature.FSharp

/// Triplets that a search found, and which of them are good enough. Vectors are rows.
[<NoEquality; NoComparison>]
type internal FoundTriplets =
    {
        Values: float[]
        Left: Tensor
        Right: Tensor
        /// ‖Av − σu‖
        LeftResiduals: float[]
        /// ‖Aᵀu − σv‖
        RightResiduals: float[]
        IsGood: bool[]
    }

/// Singular values σ with their left and right singular vectors u and v, Av = σu and Aᵀu = σv, and how good they are.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type SingularTriplets internal (found: FoundTriplets, matvecs: int, seconds: float, cancelled: bool) =
    let errors = Array.map2 (fun a b -> sqrt (0.5 * (a * a + b * b))) found.LeftResiduals found.RightResiduals

    /// The singular values, from the largest on.
    member _.Values = Array.copy found.Values

    /// The left singular vectors, [count; rows], orthonormal rows.
    member _.Left = found.Left

    /// The right singular vectors, [count; columns], orthonormal rows.
    member _.Right = found.Right

    /// ‖Av − σu‖ for each triplet, from a product, with what rounding may add.
    member _.LeftResiduals = Array.copy found.LeftResiduals

    /// ‖Aᵀu − σv‖ for each triplet, from a product, with what rounding may add.
    member _.RightResiduals = Array.copy found.RightResiduals

    /// √((‖Av − σu‖² + ‖Aᵀu − σv‖²)/2) for each triplet: a singular value lies within that distance of σ, because
    /// (u, v)/√2 is nearly an eigenvector of the symmetric matrix of A and Aᵀ.
    member _.Errors = Array.copy errors

    /// Whether each triplet is as good as was asked for.
    member _.IsConverged = Array.copy found.IsGood

    /// Whether all triplets are as good as was asked for.
    member _.AllConverged = found.IsGood |> Array.forall id

    /// How many products with the operator and its transpose were taken.
    member _.Matvecs: int = matvecs

    /// Time spent, in seconds.
    member _.Seconds: float = seconds

    /// Whether it was cancelled: the triplets are the best that were found until then.
    member _.IsCancelled: bool = cancelled

    override _.ToString() =
        let triplet i =
            let mark = if found.IsGood[i] then "" else " (not converged)"
            Numbers.withError errors[i] found.Values[i] + mark

        let shown = Array.truncate 10 (Array.init found.Values.Length triplet)

        let more =
            if found.Values.Length > 10 then
                $", … and {found.Values.Length - 10} more"
            else
                ""

        String.Join(", ", shown) + more

    member internal this.Text = this.ToString()
