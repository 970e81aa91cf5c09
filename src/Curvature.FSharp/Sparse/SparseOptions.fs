namespace Curvature

open System.Diagnostics

/// A sparse derivative would not pay, because its pattern needs too many products.
type ColouringException(message: string, colours: int) =
    inherit CurvatureException(message)

    /// How many colours the colouring took until it was given up: the derivative takes as many products, or more.
    member _.Colours = colours

/// How the entries of a Hessian are read from its products with one vector per colour.
type RecoveryMethod =
    /// Each entry is an element of one product, by a star colouring: the error of an entry is that of a product.
    | Direct = 0
    /// Entries follow from one another by subtraction, by an acyclic colouring, which has fewer colours: rounding
    /// errors add up along paths of entries.
    | Substitution = 1

/// How a sparse derivative is found. Immutable; `Default` and the methods With… make others.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type SparseOptions private (recovery: RecoveryMethod, mostColours: int voption) =
    /// Direct recovery, and as many colours as half of the products of the dense derivative, but 64 in any case.
    static member Default = SparseOptions(RecoveryMethod.Direct, ValueNone)

    /// How entries are read from products. Jacobians are read directly.
    member _.Recovery = recovery

    member internal _.MostColours = mostColours

    /// The same options with another recovery. Raises ArgumentRangeException for one that is neither Direct nor
    /// Substitution.
    member _.WithRecovery(value: RecoveryMethod) =
        if value <> RecoveryMethod.Direct && value <> RecoveryMethod.Substitution then
            Fail.range $"the recovery is Direct or Substitution, and it is {value}"

        SparseOptions(value, mostColours)

    /// The same options with another number of colours, and so of products, beyond which a derivative is refused.
    /// Raises ArgumentRangeException for less than 1.
    member _.WithMostColours(value: int) =
        Count.between 1 System.Int32.MaxValue "SparseOptions: the most colours" value
        SparseOptions(recovery, ValueSome value)

    override _.ToString() =
        let most =
            match mostColours with
            | ValueSome most -> $"at most {most} colours"
            | ValueNone -> "at most half as many products as the dense derivative"

        $"{recovery} recovery, {most}"

    member internal this.Text = this.ToString()
