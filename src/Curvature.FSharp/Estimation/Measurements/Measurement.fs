namespace Curvature

open System.Diagnostics
open Curvature.FSharp

/// The trace of the diagonal block that belongs to a range.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type BlockTrace internal (block: ParameterBlock, trace: Estimate<float>) =
    /// The range.
    member _.Block = block

    /// Its trace.
    member _.Trace = trace

    override _.ToString() = $"{block.Name}: {trace}"

    member internal this.Text = this.ToString()

/// What to learn from random vectors z and their products Az. Made and combined by the functions of the module
/// Measurement.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type Measurement<'T>
    internal
    (
        needsProduct: bool,
        start: LinearOperator -> Accumulator<'T>,
        ?exact: ExactResult<'T>,
        ?ranges: struct (int * int)[],
        ?isOfVectors: bool
    ) =
    /// Whether the product Az is needed, or zᵀAz is enough.
    member _.NeedsProduct = needsProduct

    /// Whether all columns of an operator make the result exact.
    member _.HasExactResult = exact.IsSome

    member internal _.Start(operator: LinearOperator) = start operator

    member internal _.Exact = exact

    /// The ranges whose forms are enough, in place of products; nothing where they are not.
    member internal _.Ranges = ValueOption.ofOption ranges

    /// Whether it is a mean of functions of the vectors, and not of their products: then one vector never determines
    /// it.
    member internal _.IsOfVectors = defaultArg isOfVectors false

    override _.ToString() =
        let from = if needsProduct then "products Az" else "products or quadratic forms"
        let exactly = if exact.IsSome then ", exact from all columns" else ""
        $"measurement from {from} of random vectors{exactly}"

    member internal this.Text = this.ToString()
