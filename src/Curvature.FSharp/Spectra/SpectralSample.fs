namespace Curvature

open System
open Curvature.FSharp

/// What a quadrature of k nodes leaves open, judged by what shorter ones of the same vector give.
[<NoEquality; NoComparison>]
type internal ShorterRules =
    {
        Half: int
        ThreeQuarters: int
        Whole: int
        Rule: int -> struct (float * float)[]
    }

/// Gauss's quadrature for the spectral measure of one random vector.
[<Sealed; NoEquality; NoComparison>]
type SpectralRule
    internal (nodes: float[], weights: float[], residuals: float[], mass: float, shorter: ShorterRules voption) =

    let integrate (rule: struct (float * float)[]) f = rule |> Array.sumBy (fun struct (x, w) -> w * f x)
    let half = lazy (shorter.Value.Rule shorter.Value.Half)
    let threeQuarters = lazy (shorter.Value.Rule shorter.Value.ThreeQuarters)

    /// Where the weights are: Ritz values, ascending.
    member _.Nodes = Array.copy nodes

    /// The weights, which sum to 1.
    member _.Weights = Array.copy weights

    /// The squared length of the random vector; n on average.
    member _.Mass = mass

    /// ‖Ay − θy‖ for each node, 0 where the rule is exact.
    member internal _.Residuals = residuals

    /// Whether the Krylov space became invariant, so that the rule is exact for every function.
    member _.IsExact = shorter.IsNone

    /// The numbers of steps of the two shorter rules and of this one; nothing where it is exact.
    member internal _.Lengths = shorter |> ValueOption.map (fun s -> struct (s.Half, s.ThreeQuarters, s.Whole))

    /// Σ weight·f(node)
    member internal _.Integrate(f: float -> float) = Array.fold2 (fun sum x w -> sum + w * f x) 0.0 nodes weights

    /// The same by rules of half, three quarters, and all of the steps.
    member internal rule.Integrals(f: float -> float) : struct (float * float * float) =
        let whole = rule.Integrate f

        if rule.IsExact then
            struct (whole, whole, whole)
        else
            struct (integrate half.Value f, integrate threeQuarters.Value f, whole)

/// What random vectors show of a spectrum: a quadrature rule for each. Made by StochasticLanczos.sample; one sample answers
/// all questions about traces of functions, densities and counts.
[<Sealed; NoEquality; NoComparison>]
type SpectralSample internal (name: string, size: int, dtype: DType, steps: int, rules: SpectralRule[], ledger: Ledger)
    =
    /// What the operator is called.
    member _.Name = name

    /// n, the number of eigenvalues.
    member _.Size = size

    /// The rule of each random vector.
    member _.Rules = Array.copy rules

    /// How many steps each rule was allowed.
    member _.Steps = steps

    /// What it cost.
    member _.Ledger = ledger

    /// The least node: no less than the least eigenvalue.
    member _.Least = rules |> Seq.map (fun rule -> rule.Nodes[0]) |> Seq.min

    /// The largest node: no more than the largest eigenvalue.
    member _.Largest = rules |> Seq.map (fun rule -> Array.last rule.Nodes) |> Seq.max

    /// How far below 0 rounding may put an eigenvalue that is 0.
    member internal this.Rounding =
        if rules.Length = 0 then
            0.0
        else
            100.0 * SmallMatrices.epsilon dtype * max (abs this.Least) (abs this.Largest)

    override _.ToString() = $"{rules.Length} rules of {steps} steps for {name}, {ledger.Matvecs} matvecs"

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

/// What a listener hears while a spectrum is sampled.
module internal SpectralProgress =

    /// The trace that the random vectors so far show, one figure for each, of so many that are wanted.
    let tell (options: RunOptions) (wanted: int) (seconds: float) (traces: float[]) =
        if not (isNull options.Progress) then
            let value, error, width =
                Statistics.mean traces, Statistics.standardError traces, IntervalWidth.ofSamples traces.Length

            options.Progress.Report(SamplingProgress(traces.Length, value, error, seconds, float wanted, width))

/// The error of a quadrature after k steps, from its values after k/2, 3k/4 and k. They are taken for a power law C·m⁻ᵖ, which
/// overestimates what is left where the error falls geometrically, as it does once the spectrum is resolved. Where no convergence shows,
/// p = 1/4 stands for the slow beginning of functions that are steep at the end of a wide spectrum.
module internal Truncation =

    let private slowest = 0.25

    let private left (ratio: float) p = 1.0 / (Math.Pow(ratio, p) - 1.0)

    /// The exponent at which the first change is `quotient` times the second, by bisection; the quotient grows with it.
    let private exponent (m1: float) m2 k quotient =
        let changes p = (Math.Pow(k / m1, p) - Math.Pow(k / m2, p)) / (Math.Pow(k / m2, p) - 1.0)

        let rec halve low high rounds =
            let middle = 0.5 * (low + high)

            if rounds = 0 then low
            elif changes middle > quotient then halve low middle (rounds - 1)
            else halve middle high (rounds - 1)

        if changes slowest >= quotient then slowest else halve slowest 200.0 50

    let error (struct (half, threeQuarters, whole): struct (int * int * int)) (g1: float) (g2: float) (g: float) =
        let first, second = abs (g1 - g2), abs (g2 - g)
        let m1, m2, k = float half, float threeQuarters, float whole

        // One step says nothing about what others would change.
        if whole < 2 then abs g
        elif second = 0.0 then 0.0
        elif half = threeQuarters then second * left (k / m2) slowest
        else second * left (k / m2) (exponent m1 m2 k (first / second))
