module Curvature.Tests.Unit.SequentialDesignTests

open System
open System.IO
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// Sequential runs on samples whose distribution is known, without an operator.
module private SequentialRuns =

    let normal (random: Random) =
        sqrt (-2.0 * log (1.0 - random.NextDouble())) * cos (2.0 * Math.PI * random.NextDouble())

    /// The form of normal probes, which see eigenvalues alone: Σ λᵢ gᵢ².
    let form (eigenvalues: float[]) (random: Random) =
        eigenvalues
        |> Array.sumBy (fun l ->
            let g = normal random
            l * g * g)

    let summary (samples: ResizeArray<float>) : Summary =
        let n = float samples.Count
        let mean = Seq.sum samples / n
        let moment (power: float) = Seq.sumBy (fun x -> Math.Pow(x - mean, power)) samples / n
        let spread = sqrt (moment 2.0 * n / (n - 1.0))

        {
            Value = mean
            StandardError = spread / sqrt n
            Independent = samples.Count
            Spread = spread
            Skewness = if spread > 0.0 then moment 3.0 / Math.Pow(moment 2.0, 1.5) else 0.0
            Law = SampleLaw.symmetric
            Dimension = 1.0
            IsExact = false
        }

    /// The samples that a plan takes, and the value at its end.
    let run (target: Target) (draw: Random -> float) (random: Random) : struct (int * float) =
        let samples = ResizeArray()

        let rec go until history =
            while samples.Count < until do
                samples.Add(draw random)

            let history = history @ [ summary samples ]

            match SequentialDesign.decide target history with
            | Stop -> struct (samples.Count, (List.last history).Value)
            | ContinueTo next -> go next history

        go (SequentialDesign.first target) []

let private absolute error = { Error = error; IsRelative = false; Confidence = 0.95; IsIndependent = true }

/// Samples of deviation 1 far from 0, so that they are not taken for a skewed positive form.
let private seen n : Summary =
    {
        Value = 1e9
        StandardError = 1.0 / sqrt (float n)
        Independent = n
        Spread = 1.0
        Skewness = 0.0
        Law = SampleLaw.symmetric
        Dimension = 1.0
        IsExact = false
    }

let private vectors (random: Random) (deviations: float[]) count =
    Array.init count (fun _ ->
        deviations
        |> Array.map (fun s -> 1.0 + s * SequentialRuns.normal random)
        |> Tensor.ofArray [ deviations.Length ])

let private dimension n (samples: Tensor[]) =
    let dimension = ErrorDimension(n, samples[0].Device)
    samples |> Array.iter dimension.Add
    dimension

let private equals (expected: float) (tolerance: float) (actual: float) =
    Expect.withinPercent "actual" tolerance expected actual

[<Tests>]
let tests =
    testList "Unit.SequentialDesignTests" [
        test "quantiles of the error are those of tables of t, F and chi squared" {
            ErrorQuantile.squared 1.0 11 0.95 |> equals (2.228139 ** 2.0) 1e-4
            // Of a vector whose error lies in 3 directions, each of which 11 samples show: F with 3 and 30 degrees of
            // freedom.
            ErrorQuantile.squared 3.0 11 0.95 |> equals 2.9223 0.01
            ErrorQuantile.fisher 1.0 10.0 0.95 |> equals 4.964603 1e-4
            ErrorQuantile.fisher 3.0 10.0 0.95 |> equals 3.708265 1e-4
            ErrorQuantile.fisher 5.0 20.0 0.99 |> equals 4.102685 1e-4
            ErrorQuantile.fisher 10.0 1e9 0.95 |> equals (18.307038 / 10.0) 1e-4
            ErrorQuantile.fisher 300.0 1e9 0.95 |> equals (341.395 / 300.0) 0.01
            ErrorQuantile.fisher 201.0 4000.0 0.95 |> equals (ErrorQuantile.fisher 200.0 4000.0 0.95) 0.1
        }

        test "Student's quantiles have closed forms for 2 and 3 samples, and are found at any confidence" {
            for exponent in 1.0 .. 14.0 do
                let p = 10.0 ** -exponent
                // t of one degree of freedom is cot(πp/2), and of two (1 − p)·√(2/(p(2 − p))).
                ErrorQuantile.student 2 p |> equals (1.0 / tan (Math.PI * p / 2.0)) 1e-6
                ErrorQuantile.student 3 p |> equals ((1.0 - p) * sqrt (2.0 / (p * (2.0 - p)))) 1e-6

            for samples, p in [ 2, 1e-3; 3, 1e-5; 5, 1e-5; 30, 1e-5; 1000, 1e-5 ] do
                let above, below =
                    ErrorQuantile.student samples (1.0001 * p), ErrorQuantile.student samples (0.9999 * p)

                below |> equals above 0.05
                Expect.isTrue $"{samples}: {above}, {below}" (below > above)

            let ledger = Ledger(2, Cost.products 2, 0.0, StopReason.MatvecsSpent, IntervalWidth.ofSamples 2, nan)
            let interval = (Estimates.scalar 1.0 1.0 ledger).Interval 0.9999995
            Expect.isTrue $"{interval}" (interval.High > interval.Low)
        }

        test "a fixed count has Student's interval, and an end that was chosen a wider one, less so for many samples" {
            Expect.within "SequentialDesign.factor 0.95 []…" 1e-5 2.131450 (SequentialDesign.factor 0.95 [] (seen 16))

            let wider n =
                SequentialDesign.factor 0.95 [ seen 8; seen n ] (seen n) / SequentialDesign.factor 0.95 [] (seen n)

            Expect.within "wider 16" 1e-9 (sqrt (1.0 + 0.3 * sqrt (2.0 / 15.0))) (wider 16)
            Expect.inRange "wider 100_000" 1.0 1.001 (wider 100_000)

            Expect.isZero
                "SequentialDesign.factor 0.95 []…"
                (SequentialDesign.factor 0.95 [] { seen 16 with IsExact = true })
        }

        test "skewed samples widen an interval, less so the more directions an error has" {
            let skewed = { seen 20 with Skewness = 2.0 }
            let factor = SequentialDesign.factor 0.95 [ seen 8 ]
            // 1 + b·4/20 with b = 2 ((z⁴ + 2z² − 3)/18 − (z² − 3)/8) at z = 1.96.
            Expect.within
                "(factor skewed / factor (seen 2…"
                1e-3
                (1.0 + 1.9494 * 4.0 / 20.0)
                ((factor skewed / factor (seen 20)) ** 2.0)

            let ten = { seen 20 with Dimension = 10.0 }

            Expect.within
                "(factor { ten with Skewness = 2…"
                1e-3
                1.0389
                ((factor { ten with Skewness = 2.0 } / factor ten) ** 2.0)
        }

        test "half of what is missing is taken at once, and then the rest is asked for again" {
            // N = c² s²/d² with c² = t² (1 + 0.3 √(2/(N − 1))): 19.2 for 20 samples, 19.4 for 19.
            Expect.inRange
                "SequentialDesign.forecast (abso…"
                19.0
                20.0
                (SequentialDesign.forecast (absolute 0.5) [ seen 8 ])

            Expect.equal
                "SequentialDesign.decide (absolu…"
                (ContinueTo 10)
                (SequentialDesign.decide (absolute 0.5) [ seen 8 ])

            Expect.equal
                "SequentialDesign.decide (absolu…"
                (ContinueTo 20)
                (SequentialDesign.decide (absolute 0.5) [ seen 8; seen 16 ])

            Expect.equal
                "SequentialDesign.decide (absolu…"
                Stop
                (SequentialDesign.decide (absolute 0.5) [ seen 8; seen 16; seen 20 ])

            Expect.equal
                "SequentialDesign.decide (absolu…"
                (ContinueTo 32)
                (SequentialDesign.decide (absolute 0.05) [ seen 8 ])
        }

        test "a relative error of a value at 0 asks for more in steps, and equal samples are enough after 16" {
            let relative = { absolute 0.05 with IsRelative = true }
            let next = SequentialDesign.decide relative [ { seen 8 with Value = 0.0 } ]
            Expect.equal "next" (ContinueTo 32) next
            // As if the value were the standard error: N = 8·3.84·(1 + b γ²/N)/0.05², and little more.
            let far = { seen 8 with Value = 0.0; Spread = 1e9; StandardError = 1e9 / sqrt 8.0 }

            Expect.inRange
                "SequentialDesign.forecast relat…"
                12_288.0
                (1.01 * 12_288.0)
                (SequentialDesign.forecast relative [ far ])

            let equal n = { seen n with StandardError = 0.0; Spread = 0.0 }

            Expect.equal
                "SequentialDesign.decide relativ…"
                (ContinueTo 16)
                (SequentialDesign.decide relative [ equal 8 ])

            Expect.equal
                "SequentialDesign.decide relativ…"
                Stop
                (SequentialDesign.decide relative [ equal 8; equal 16 ])

            Expect.equal
                "SequentialDesign.decide relativ…"
                Stop
                (SequentialDesign.decide relative [ { seen 8 with IsExact = true } ])
        }

        test "where samples depend on each other the fall of the error is read off the analyses" {
            let target = { absolute 0.01 with IsIndependent = false }
            let at n error = { seen n with StandardError = error; Spread = nan }
            let history = [ at 8 1.0; at 16 0.25 ]
            let ratio = SequentialDesign.factor 0.95 history (List.last history) * 25.0

            Expect.within
                "SequentialDesign.forecast targe…"
                1e-6
                (16.0 * sqrt ratio)
                (SequentialDesign.forecast target history)

            Expect.equal "SequentialDesign.decide target…" (ContinueTo 21) (SequentialDesign.decide target history)

            Expect.equal
                "SequentialDesign.decide target…"
                Stop
                (SequentialDesign.decide target (history @ [ at 24 1e-4 ]))
        }

        test "several quantities stop together" {
            Expect.equal "SequentialDesign.all [ Stop; St…" Stop (SequentialDesign.all [ Stop; Stop ])

            Expect.equal
                "SequentialDesign.all [ Stop; Co…"
                (ContinueTo 30)
                (SequentialDesign.all [ Stop; ContinueTo 20; ContinueTo 30 ])
        }

        test "the dimension of an error is found, low by what few pairs may be off" {
            let seed = 71
            let random = Random seed

            for deviations, expected in
                [
                    Array.create 40 1.0, 40.0
                    Array.init 40 (fun i -> if i = 0 then 1.0 else 0.0), 1.0
                    Array.init 40 (fun i -> Math.Pow(0.7, float i)), (1.0 + 0.49) / (1.0 - 0.49)
                ] do
                let found = (dimension 40 (vectors random deviations 4000)).Value
                // 1999 pairs: squares of normal numbers vary by √2 about their mean, and the value is low by 1/√1999.
                let relative = 5.0 * sqrt (2.0 / 1999.0) * 1.5
                Expect.inRange $"seed {seed}" (expected * (1.0 - relative)) (expected * (1.0 + relative)) found
        }

        test "one pair of differences with a squared cosine of 1/9 counts as 4.5 directions, and not as 9" {
            let pad (values: float list) =
                Tensor.ofArray [ 20 ] (Array.append (Array.ofList values) (Array.zeroCreate 17))

            let samples = [ [ 0.0; 0.0; 0.0 ]; [ 1.0; 0.0; 0.0 ]; [ 0.0; 0.0; 0.0 ]; [ 1.0; 2.0; 2.0 ] ]
            let found = dimension 20 (samples |> List.map pad |> Array.ofList)
            Expect.within "found.Value" 1e-12 4.5 found.Value
        }

        test "a dimension goes on from a checkpoint to the same bits" {
            let samples = vectors (Random 72) (Array.init 10 float) 9
            let whole = dimension 10 samples
            let half = dimension 10 samples[..4]
            use memory = new MemoryStream()
            use writer = new BinaryWriter(memory)
            (half :> ISavable).Save writer
            memory.Position <- 0L
            let restored = ErrorDimension(10, samples[0].Device)
            use reader = new RunReader("memory", memory, Samples = 5)
            (restored :> ISavable).Restore reader
            restored.AddRows(Tensor.stack 0 (List.ofArray samples[5..]))
            Expect.equal "restored.Value" whole.Value restored.Value
            Expect.isGreaterThan "whole.Value" (whole.Value, 1.0)
        }

        // Runs that ended at the least number of samples are left out: they know more than they were asked.
        test "plans hold a target in 94 to 98 percent of runs, at 1.5 times the best fixed size or less" {
            let seed, repetitions = 73, 1500

            for name, eigenvalues, error in
                [
                    "one eigenvalue", [| 1.0 |], 0.2
                    "one outlier", Array.init 20 (fun i -> if i = 0 then 20.0 else 1.0), 0.2
                    "halves", Array.init 12 (fun i -> Math.Pow(0.5, float i)), 0.2
                    "flat", Array.init 40 (fun i -> 1.0 + 0.3 * float i / 40.0), 0.05
                    "indefinite", Array.init 20 (fun i -> -0.4 + float i / 20.0), 0.5
                ] do
                let random = Random seed
                let trace = Array.sum eigenvalues
                let target = { absolute error with IsRelative = true }
                // The best fixed size, but for skewness: z² σ²/d².
                let ideal = 2.0 * Array.sumBy (fun x -> x * x) eigenvalues * (1.96 / (error * trace)) ** 2.0

                let runs =
                    Array.init repetitions (fun _ -> SequentialRuns.run target (SequentialRuns.form eigenvalues) random)

                let counted = runs |> Array.filter (fun struct (n, _) -> n > SequentialDesign.first target)
                let holds struct (_, value: float) = if abs (value - trace) <= error * abs trace then 1.0 else 0.0
                let coverage = Array.averageBy holds counted
                let tolerance = 5.0 * sqrt (0.05 * 0.95 / float counted.Length)
                let samples = counted |> Array.averageBy (fun struct (n, _) -> float n)
                stdout.WriteLine $"{name}: {coverage:P1}, {samples / ideal:F2} times {ideal:F1}, seed {seed}"
                Expect.inRange $"{name}, seed {seed}" (0.94 - tolerance) (0.98 + tolerance) coverage
                Expect.isLessThanOrEqual $"{name}, seed {seed}" (samples, 1.5 * ideal)
        }
    ]
