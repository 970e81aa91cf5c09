namespace Curvature

open System
open System.Diagnostics
open Curvature.FSharp

/// What is known beforehand of where all eigenvalues of an operator lie. Immutable; `Unknown` and the methods With…
/// make others.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type SpectrumBounds private (low: float, high: float) =
    /// Nothing is known.
    static member Unknown = SpectrumBounds(-infinity, infinity)

    /// No eigenvalue is less; −∞ where nothing is known.
    member _.Low = low

    /// No eigenvalue is more; ∞ where nothing is known.
    member _.High = high

    static member private Checked(low: float, high: float) =
        if not (low <= high) then
            Fail.range $"SpectrumBounds: [{low}, {high}] is not an interval"

        SpectrumBounds(low, high)

    /// The same with another lower bound. Raises ArgumentRangeException for one that is above the upper bound or NaN.
    member _.WithLow(bound: float) = SpectrumBounds.Checked(bound, high)

    /// The same with another upper bound. Raises ArgumentRangeException for one that is below the lower bound or NaN.
    member _.WithHigh(bound: float) = SpectrumBounds.Checked(low, bound)

    override _.ToString() = $"eigenvalues in [{Numbers.show low}, {Numbers.show high}]"

    member internal this.Text = this.ToString()

/// Gauss's quadrature for the spectral measure of one random vector.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type SpectralRule internal (nodes: float[], weights: float[], residuals: float[], mass: float, recurrence: JacobiMatrix)
    =

    /// Where the weights are: Ritz values, ascending.
    member _.Nodes = Array.copy nodes

    /// The weights, which sum to 1.
    member _.Weights = Array.copy weights

    /// The squared length of the random vector; n on average.
    member _.Mass = mass

    /// ‖Ay − θy‖ for each node, 0 where the rule is exact.
    member internal _.Residuals = residuals

    /// Whether the Krylov space became invariant, so that the rule is exact for every function.
    member _.IsExact = recurrence.IsInvariant

    /// The recurrence that the rule comes from.
    member internal _.Recurrence = recurrence

    /// Σ weight·f(node)
    member internal _.Integrate(f: float -> float) = Array.fold2 (fun sum x w -> sum + w * f x) 0.0 nodes weights

    override _.ToString() =
        let exact = if recurrence.IsInvariant then ", exact" else ""
        let low, high = Numbers.show nodes[0], Numbers.show nodes[nodes.Length - 1]
        $"""quadrature of {Describe.count nodes.Length "node"} from {low} to {high}{exact}"""

    member internal this.Text = this.ToString()

/// What a sample of a spectrum knows of its operator.
[<NoEquality; NoComparison>]
type internal SampledOperator = { Name: string; Size: int; DType: DType; IsSemidefinite: bool }

/// A quadrature rule of the spectrum for each of some random vectors. Made by StochasticLanczos.sample; one sample
/// gives traces of functions, densities and counts.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type SpectralSample
    internal (operator: SampledOperator, steps: int, rules: SpectralRule[], bounds: SpectrumBounds, ledger: Ledger) =
    /// What the operator is called.
    member _.Name = operator.Name

    /// n, the number of eigenvalues.
    member _.Size = operator.Size

    /// The rule of each random vector.
    member _.Rules = Array.copy rules

    /// How many steps each rule was allowed.
    member _.Steps = steps

    /// What it cost.
    member _.Ledger = ledger

    /// What the caller stated of all eigenvalues; nothing unless StochasticLanczos.within was told.
    member _.Bounds = bounds

    /// Whether the operator claims that no eigenvalue is negative.
    member internal _.IsSemidefinite = operator.IsSemidefinite

    /// The same with other bounds of the spectrum.
    member internal _.Within(bounds: SpectrumBounds) = SpectralSample(operator, steps, rules, bounds, ledger)

    /// The same operator's sample of other rules.
    member internal _.Of(steps: int, rules: SpectralRule[], ledger: Ledger) =
        SpectralSample(operator, steps, rules, bounds, ledger)

    /// The least node: no less than the least eigenvalue.
    member _.Least = rules |> Seq.map (fun rule -> rule.Nodes[0]) |> Seq.min

    /// The largest node: no more than the largest eigenvalue.
    member _.Largest = rules |> Seq.map (fun rule -> Array.last rule.Nodes) |> Seq.max

    /// How far products that are rounded once may move an eigenvalue: the unit of rounding beside the largest.
    member internal this.Unit =
        if rules.Length = 0 then
            0.0
        else
            SmallMatrices.epsilon operator.DType * max (abs this.Least) (abs this.Largest)

    /// How far rounding may have moved what a rule shows. A space that counts as invariant before it has n vectors
    /// leaves out parts below its tolerance.
    member internal this.Blur(rule: SpectralRule) =
        if ledger.IsExact then
            if operator.Size > 1 then 4.0 * this.Unit else 0.0
        elif rule.IsExact && rule.Recurrence.Size < operator.Size then
            float (min operator.Size 100) * this.Unit
        else
            this.Unit

    /// How far below 0 rounding may put an eigenvalue that is 0.
    member internal this.Rounding = 100.0 * this.Unit

    override this.ToString() =
        let vectors = Describe.count rules.Length "random vector"

        if rules.Length = 0 then
            $"the spectrum of {operator.Name}, which has no eigenvalues"
        else
            let low, high = Numbers.show this.Least, Numbers.show this.Largest

            if ledger.IsExact then
                $"all {operator.Size:N0} eigenvalues of {operator.Name}, from {low} to {high}; {ledger}"
            else
                $"""the spectrum of {operator.Name} from {vectors} of {Describe.count steps "step"}, """
                + $"seen from {low} to {high}; {ledger}"

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open System
open Curvature

/// Mean and standard error over random vectors.
module internal Statistics =

    let mean (values: float[]) = if values.Length = 0 then 0.0 else Array.average values

    /// Of the mean; infinite for a single value.
    let standardError (values: float[]) =
        let moments = RunningMoments()
        values |> Array.iter moments.Add
        moments.StandardError
