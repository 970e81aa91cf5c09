namespace Curvature.FSharp

open System
open Curvature

/// f(A)v for the rows v of a block by a Chebyshev series, in the memory of four blocks.
module internal ChebyshevFunction =

    /// What became of a block.
    [<RequireQualifiedAccess; NoEquality; NoComparison>]
    type Outcome =
        | Found of FunctionRow[]
        /// A vector grew after so many terms, which it does only if an eigenvalue lies outside of the interval.
        | TooNarrow of int

    /// Lengths of vectors Tⱼv beyond that of v by this factor are not rounding.
    let private mostGrowth = 1.01

    let private lengths (block: Tensor) = (Tensor.rowNorms block).ToArray()

    /// Sums the series by the recurrence of the polynomials, until what is left of it is small beside each result, or
    /// no term is left.
    let sum
        (options: MatrixFunctionOptions)
        (isBound: bool)
        (series: ChebyshevSeries)
        (multiply: Tensor -> Tensor)
        (block: Tensor)
        : Outcome =
        let c, norms = series.Coefficients, lengths block
        let tolerance = options.ToleranceFor block.DType
        let apply (v: Tensor) = (multiply v - series.Centre * v) * (1.0 / series.HalfWidth)
        let mutable before, current = block, apply block
        let mutable value = c[0] * block + c[1] * current
        let mutable degree, isInside = 1, true

        // The recurrence amplifies rounding by no more than its number of terms (Clenshaw 1955).
        let rounding = SmallMatrices.epsilon block.DType * Array.sumBy abs c

        let errors degree =
            norms |> Array.map (fun norm -> norm * (series.Truncation[degree] + float degree * rounding))

        let isOpen degree value =
            Array.exists2 (fun error length -> error > tolerance * length) (errors degree) (lengths value)

        let mayGoOn degree =
            degree < c.Length - 1 && degree < options.MaximumMatvecs && not options.Cancellation.IsCancellationRequested

        while isInside && mayGoOn degree && isOpen degree value do
            let next = 2.0 * apply current - before
            isInside <- Array.forall2 (fun length norm -> length <= mostGrowth * norm) (lengths next) norms
            degree <- degree + 1
            value <- value + c[degree] * next
            before <- current
            current <- next

        let inside = Array.forall2 (fun length norm -> length <= mostGrowth * norm) (lengths current) norms

        if not (isInside && inside) then
            Outcome.TooNarrow degree
        else
            let sum, terms = value, degree

            Array.zip (errors terms) (lengths sum)
            |> Array.mapi (fun row (error, length) ->
                {
                    Value = Tensor.item 0 row sum
                    Error = error
                    IsBound = isBound
                    Length = length
                    Matvecs = terms
                })
            |> Outcome.Found
