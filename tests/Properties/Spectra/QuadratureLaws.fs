/// What samples of a spectrum say, against the spectral measures of the same random vectors.
module Curvature.Tests.Properties.QuadratureLaws

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private check (case: SpectrumCase) message condition = Expect.isTrue $"{message}: {case}" condition

/// The spectral measures of the sign vectors that a sample of so many is made of.
let private measures (case: SpectrumCase) probes =
    let vectors = Probe.draw Probe.rademacher case.Key case.Size (0, probes) DType.Float64
    Array.init probes (fun i -> case.Measure((Tensor.item 0 i vectors).ToArray()))

let private integrate f (points: float[]) (weights: float[]) =
    Array.fold2 (fun sum x w -> sum + w * f x) 0.0 points weights

let private law name property = lawOver [ typeof<SpectrumCases> ] 60 name property

[<Tests>]
let tests =
    testList "Properties.QuadratureLaws" [
        law
            "rules of k steps are exact for polynomials of degree 2k − 1, and their weights sum to 1"
            (fun (case: SpectrumCase) ->
                let steps, scale = max 1 (case.Size / 3), max case.Norm 1e-300
                let sample = StochasticLanczos.sample 2 steps case.Key case.Operator

                Array.iter2
                    (fun (rule: SpectralRule) measure ->
                        Expect.close 1e-12 [| 1.0; float case.Size |] [| Array.sum rule.Weights; rule.Mass |]
                        check case "no weight is negative" (rule.Weights |> Array.forall (fun w -> w >= 0.0))

                        for degree in 0 .. 2 * rule.Nodes.Length - 1 do
                            let power x = Math.Pow(x / scale, float degree)
                            let expected = integrate power case.Eigenvalues measure
                            Expect.close 1e-11 [| expected |] [| integrate power rule.Nodes rule.Weights |])
                    sample.Rules
                    (measures case sample.Rules.Length))

        law "as many steps as dimensions give ωᵀf(A)ω exactly for every function" (fun (case: SpectrumCase) ->
            let sample = StochasticLanczos.sample 3 case.Size case.Key case.Operator
            let n = float case.Size
            let own = measures case sample.Rules.Length

            for f in [ (fun x -> 1.0 / (1.0 + x * x)); (fun x -> exp -(abs x)); cos ] do
                let expected = own |> Array.averageBy (fun measure -> n * integrate f case.Eigenvalues measure)
                Expect.close 1e-9 [| expected |] [| (StochasticLanczos.trace f sample).Value |])

        law
            "the bounds of a rule hold its vector's share of eigenvalues below every number"
            (fun (case: SpectrumCase) ->
                let sample = StochasticLanczos.sample 2 (max 1 (case.Size / 3)) case.Key case.Operator

                let between =
                    case.Eigenvalues
                    |> Array.pairwise
                    |> Array.filter (fun (a, b) -> b - a > 1e-6)
                    |> Array.map (fun (a, b) -> 0.5 * (a + b))

                Array.iter2
                    (fun (rule: SpectralRule) measure ->
                        for x in between do
                            let truth = integrate (fun y -> if y <= x then 1.0 else 0.0) case.Eigenvalues measure
                            let struct (low, share, high) = RuleBounds.at true rule x

                            check
                                case
                                $"{truth} at {x} in [{low}, {high}]"
                                (low - 1e-9 <= truth && truth <= high + 1e-9)

                            check case $"{share} at {x} in [{low}, {high}]" (low <= share && share <= high))
                    sample.Rules
                    (measures case sample.Rules.Length))

        law
            "the cumulative density rises from 0 to 1, counts add up to n, and means are inside their bands"
            (fun (case: SpectrumCase) ->
                let sample = StochasticLanczos.sample 3 (max 1 (case.Size / 2)) case.Key case.Operator
                let cumulative = CumulativeDensity.ofSample sample
                let low, high = case.Eigenvalues[0] - 1.0, Array.last case.Eigenvalues + 1.0
                Expect.close 1e-12 [| 0.0; 1.0 |] [| cumulative.At low; cumulative.At high |]
                let points = Array.init 30 (fun i -> low + (high - low) * float i / 29.0)

                for x, y in Array.pairwise points do
                    check case "rises" (cumulative.At x <= cumulative.At y + 1e-14)
                    let band = cumulative.Band(x, 0.9)

                    check
                        case
                        $"[{band.Low}, {band.High}] at {x}"
                        (0.0 <= band.Low && band.Low <= cumulative.At x + 1e-14)

                    check
                        case
                        $"[{band.Low}, {band.High}] at {x}"
                        (cumulative.At x <= band.High + 1e-14 && band.High <= 1.0)

                let count low high = (CumulativeDensity.count (low, high) sample).Value
                let middle = points[15] + 1e-7 * Math.PI
                let above = Math.BitIncrement middle
                Expect.close 1e-12 [| float case.Size |] [| count low high |]
                Expect.close 1e-12 [| float case.Size |] [| count low middle + count above high |])

        law "densities are not negative and have mass 1" (fun (case: SpectrumCase) ->
            let sample = StochasticLanczos.sample 2 (max 1 (case.Size / 2)) case.Key case.Operator
            let width = 0.02 * (1e-3 + case.Norm)
            let density = SpectralDensity.ofSample (Smoothing.gaussian width) sample
            let step = density.Grid[1] - density.Grid[0]
            check case "not negative" (density.Values |> Array.forall (fun y -> y >= 0.0))
            Expect.close 1e-5 [| 1.0 |] [| step * Array.sum density.Values |])

        law
            "Chebyshev moments lie within [−1, 1], begin with 1, and give a density of mass 1 that is not negative"
            (fun (case: SpectrumCase) ->
                let sample = ChebyshevMoments.sample 2 30 case.Key case.Operator
                let moments = sample.Moments
                Expect.close 1e-14 [| 1.0 |] [| moments[0] |]
                check case $"%A{moments}" (moments |> Array.forall (fun m -> abs m <= 1.0 + 1e-9))
                let low, high = sample.Centre - sample.HalfWidth, sample.Centre + sample.HalfWidth
                check case $"[{low}, {high}]" (low <= case.Eigenvalues[0] && Array.last case.Eigenvalues <= high)
                let density = ChebyshevMoments.density 200 sample
                check case "not negative" (density.Values |> Array.forall (fun y -> y > -1e-10))

                // The grid is one of Chebyshev nodes: ∫ f dx = (π/points)·Σ f(x)·√(h² − (x − c)²).
                let weigh x y =
                    Math.PI / 200.0 * y * sqrt (max 0.0 (sample.HalfWidth ** 2.0 - (x - sample.Centre) ** 2.0))

                Expect.close 1e-9 [| 1.0 |] [| Array.map2 weigh density.Grid density.Values |> Array.sum |])

        law
            "signs see a diagonal matrix without variance: its Chebyshev moments are means over the eigenvalues"
            (fun (case: SpectrumCase) ->
                let operator = LinearOperator.ofDiagonal (Tensor.ofArray [ case.Size ] case.Eigenvalues)
                let sample = ChebyshevMoments.sample 1 21 case.Key operator
                let angle x = acos (max -1.0 (min 1.0 ((x - sample.Centre) / sample.HalfWidth)))

                let expected =
                    Array.init 21 (fun j -> case.Eigenvalues |> Array.averageBy (fun x -> cos (float j * angle x)))

                Expect.close 1e-10 expected sample.Moments)
    ]
