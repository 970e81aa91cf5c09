namespace Curvature.FSharp

open Curvature
open MathNet.Numerics

/// An absolute error that is promised, and the risk to miss it.
[<NoEquality; NoComparison>]
type internal PromisedError =
    {
        /// 4 ln(2/δ)/ε²: times the squared Frobenius norm of an operator, the samples of its trace that are needed.
        Price: float
        /// δ
        Risk: float
    }

module internal PromisedError =

    /// The largest α with P(χ²ᵢ ≤ iα) ≤ δ: but for that risk, a squared Frobenius norm is at most 1/α times its mean
    /// over i samples.
    let safety (samples: int) (risk: float) : float =
        let half = float samples / 2.0
        // The regularised lower gamma function grows from 0 at 0 to more than ½ at 1.
        let mutable low, high = 0.0, 1.0

        for _ in 1..60 do
            let middle = 0.5 * (low + high)

            if SpecialFunctions.GammaLowerRegularized(half, half * middle) <= risk then
                low <- middle
            else
                high <- middle

        low

/// Samples zᵀBz outside a sketch, with the mean of ‖Bz‖², until as many are taken as that norm asks for.
[<Sealed>]
type internal PromisedSamples(goal: PromisedError, sketch: RangeSketch, outside: LinearOperator, key: Key) =
    inherit Incremental<Estimate<float>>()
    let h = sketch.Projected
    let forms = FormMoments()
    let mutable squares = 0.0

    /// The samples that the norm seen so far asks for, when i are taken.
    let needed i = goal.Price * squares / float forms.Count / PromisedError.safety i goal.Risk

    let value () = struct (h.Trace() + forms.Mean, Rounding.hypotenuse forms.StandardError (sketch.Rounding h))

    /// How many more samples are expected to be needed.
    let ahead () = if forms.Count < 2 then 1.0 else needed forms.Count - float forms.Count

    override _.Spent = Cost.products forms.Count
    override _.Samples = forms.Count
    override _.IsExact = false
    override _.IsDone = forms.Count > 1 && float forms.Count >= needed forms.Count
    override _.Expected = float forms.Count + ahead ()

    override _.Advance size =
        let wanted = if forms.Count < 2 then 8.0 else max 1.0 (ceil (ahead ()))
        let first, count = forms.Count, int (min (float size) wanted)
        let z = Probe.drawOn outside.Device Probe.Gaussian key outside.Columns (first, count) outside.DType
        let y = outside.Multiply(z, (fun row -> $"sample {first + row} of A-Hutch++"))
        forms.Add(z, (Products.rowDots z y).ToArray())
        squares <- squares + (Rows.products y y).Trace()

    override _.Summaries =
        let struct (value, error) = value ()

        [| struct ({ Summaries.ofForms forms with Value = value; StandardError = error }, true) |]

    override _.Finish ledger =
        let struct (value, error) = value ()
        Estimates.sampled forms.Law value error ledger
