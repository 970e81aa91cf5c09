/// Checks of laws: that they find what is wrong, and leave alone what is right.
module Curvature.Tests.Unit.Laws.LawTests

open System
open System.Threading
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests
open Curvature.Tests.Unit


let private options = LawOptions.Default

let private normal (key: Key) = (Tensor.normal key DType.Float64 []).ToScalar()

let private holds (check: LawCheck) = Expect.isTrue (string check) check.Holds

let private refused<'Error when 'Error :> exn> (part: string) (f: unit -> unit) =
    let error: 'Error = raises (fun () -> f () :> obj)
    Expect.isTrue error.Message (error.Message.Contains part)

let private violated (check: LawCheck) = Expect.isTrue (string check) (check.Verdict = LawVerdict.Violated)

/// The share of `count` checks, under keys of their own, that call a law violated.
let private alarms count (check: LawOptions -> LawCheck) =
    let verdicts = Array.Parallel.init count (fun i -> (check (options.WithKey(Key.OfSeed(int64 i)))).Verdict)
    float (verdicts |> Array.filter ((=) LawVerdict.Violated) |> Array.length) / float count

let private matrix = Tensor.normal (Key.OfSeed 5L) DType.Float64 [ 12; 12 ]
let private form = LinearOperator.ofMatrix matrix |> LinearOperator.symmetricPart
let private trace = (Exact.trace form).Value

[<Tests>]
let tests =
    testList "Unit.LawTests" [
        test "a mean that is off by a tenth of a standard deviation is found, one that is not is left alone" {
            Law.unbiased options 3.0 (fun key -> 3.0 + normal key) |> holds
            let off = options.WithSamples 5000
            Law.unbiased off 3.0 (fun key -> 3.1 + normal key) |> violated
        }

        for samples in [ 40; 400 ] do
            test $"skewed samples raise no more false alarms than the options say ({samples})" {
                // Squares of normal numbers have skewness 2.8: without correction, t-statistics of 40 of them raise an
                // alarm in 4 of 100 checks at a rate of 1 in 100.
                let rate = 0.01

                let share =
                    alarms 3000 (fun options ->
                        Law.unbiased (options.WithSamples(samples).WithFalseAlarmRate rate) 1.0 (fun key ->
                            normal key ** 2.0))

                // Five standard errors of the share.
                Expect.isTrue $"{share} of the checks raise an alarm" (share <= rate + 5.0 * sqrt (rate / 3000.0))
            }

        test "a claimed variance is checked from both sides" {
            let sample (key: Key) = 10.0 + 2.0 * normal key
            Law.variance options (10.0, 4.0) sample |> holds
            Law.variance options (10.0, 5.0) sample |> violated
            Law.variance options (10.0, 3.2) sample |> violated
        }

        test "samples that never vary have their mean, to rounding, and no variance" {
            Law.unbiased options 0.3 (fun _ -> 0.1 + 0.2) |> holds
            Law.variance options (0.3, 0.0) (fun _ -> 0.1 + 0.2) |> holds
            let check = Law.unbiased options 0.3 (fun _ -> 0.3001)
            violated check
            Expect.isTrue (string check) (check.ZScore > 1e6)
        }

        test "a sample that is NaN is named" {
            let check = Law.unbiased options 0.0 (fun key -> if key = options.Key.FoldIn 7u then nan else normal key)
            violated check
            Expect.isTrue check.Explanation (check.Explanation.Contains "sample 7")
        }

        test "standard errors that are a third too small are found" {
            Law.standardError options 0.0 (fun key -> normal key, 1.0) |> holds
            Law.standardError options 0.0 (fun key -> normal key, 0.75) |> violated
            Law.standardError options 0.0 (fun key -> normal key, 1.3) |> violated

            let unknown = Law.standardError options 0.0 (fun key -> normal key, infinity)
            Expect.equal "verdict" LawVerdict.Undecided unknown.Verdict
        }

        test "intervals that hold too rarely are found, wide ones are not" {
            let interval width (key: Key) =
                let x = normal key
                x - width, x + width

            Law.coverage options 0.95 0.0 (interval 1.96) |> holds
            Law.coverage options 0.95 0.0 (interval 3.0) |> holds
            Law.coverage options 0.95 0.0 (interval 1.6) |> violated
            Expect.equal "verdict" LawVerdict.Undecided (Law.coverage options 0.95 0.0 (interval infinity)).Verdict
        }

        test "the rate of false alarms of coverage is that of the options" {
            let rate = 0.05

            let share =
                alarms 2000 (fun options ->
                    Law.coverage (options.WithSamples(200).WithFalseAlarmRate rate) 0.9 0.0 (fun key ->
                        let x = normal key
                        x - 1.6449, x + 1.6449))

            // The binomial law has jumps, so the rate is at most that.
            Expect.isTrue
                $"{share} of the checks raise an alarm"
                (share <= rate + 5.0 * sqrt (rate / 2000.0) && share > 0.0)
        }

        test "every entry counts, and all together raise as many false alarms as one law" {
            let truth = Tensor.ofArray [ 40 ] (Array.init 40 float)
            let sample (key: Key) = truth + Tensor.normal key DType.Float64 [ 40 ]
            let few = options.WithSamples 100
            Law.unbiasedEntries options truth sample |> holds
            let wrong = Tensor.ofArray [ 40 ] (Array.init 40 (fun i -> if i = 13 then 13.5 else float i))
            let check = Law.unbiasedEntries options wrong sample
            violated check
            Expect.isTrue check.Explanation (check.Explanation.Contains "entry 13")

            let share =
                alarms 1000 (fun options ->
                    Law.unbiasedEntries (few.WithKey(options.Key).WithFalseAlarmRate 0.05) truth sample)

            Expect.isTrue $"{share} of the checks raise an alarm" (share <= 0.05 + 5.0 * sqrt (0.05 / 1000.0))
        }

        test "probes with the identity as second moment are isotropic, correlated ones are not" {
            for probe in [ Probe.rademacher; Probe.gaussian; Probe.sphere; Probe.sparse 0.25 ] do
                Law.isotropic options 6 (fun key -> Tensor.item 0 0 (Probe.draw probe key 6 (0, 1) DType.Float64))
                |> holds

            let correlated (key: Key) =
                let z = Tensor.normal key DType.Float64 [ 6 ]
                z + 0.2 * Tensor.concat 0 [ Tensor.slice 0 1 5 z; Tensor.slice 0 0 1 z ]

            Law.isotropic options 6 correlated |> violated
        }

        test "Hutchinson's estimator obeys its laws, and one that forgets a column does not" {
            let few = options.WithSamples 400
            let stop = StoppingRule.matvecs 30
            let signs = Hutchinson.estimator Probe.rademacher Measurement.trace

            for check in Law.estimator few signs stop trace form do
                holds check

            let without = LinearOperator.block 0 11 form
            let checks = Law.estimator few signs stop (trace + 40.0) without
            Expect.isTrue $"%A{checks}" (checks |> List.forall (fun check -> check.Verdict = LawVerdict.Violated))
        }

        test "XTrace is exact for a matrix of low rank" {
            let factor = Tensor.normal (Key.OfSeed 6L) DType.Float64 [ 3; 40 ]
            let low = LinearOperator.ofMatrix factor |> LinearOperator.gram
            let truth = (Exact.trace low).Value
            let few = options.WithSamples 20

            let estimate (key: Key) = (Estimate.run XTrace.estimator (StoppingRule.matvecs 12) key low).Value
            Law.exact few 1e-9 truth estimate |> holds
            Law.exact few 1e-9 truth (fun key -> estimate key + 1e-6 * truth) |> violated
        }

        test "operators are held to linearity, symmetry and transposes" {
            holds (Law.linear options form)
            holds (Law.symmetric options form)
            holds (Law.transposed options (LinearOperator.ofMatrix matrix))

            let affine = LinearOperator.ofFunction DType.Float64 12 12 (fun v -> v + 1.0)
            violated (Law.linear options affine)

            let skewed = LinearOperator.ofMatrix matrix
            violated (Law.symmetric options skewed)

            let wrong = skewed |> LinearOperator.withTranspose (fun v -> Tensor.matmul matrix v)
            violated (Law.transposed options wrong)

            let wide = LinearOperator.ofMatrix (Tensor.ones DType.Float64 [ 2; 3 ])
            Expect.equal "verdict" LawVerdict.Undecided (Law.symmetric options wide).Verdict
        }

        for dtype in [ DType.Float64; DType.Float32 ] do
            test $"a Hessian agrees with differences of its gradient, and half of it does not ({dtype})" {
                let loss (x: Tensor) = Tensor.sum (Tensor.sin x * x)
                let theta = Tensor.normal (Key.OfSeed 7L) dtype [ 9 ]
                let hessian = Hessian.at loss theta
                holds (Law.finiteDifferences options (grad loss) theta hessian)
                violated (Law.finiteDifferences options (grad loss) theta (0.5 * hessian))
            }

        test "two operators are the same where their products are" {
            let dense = LinearOperator.ofMatrix (LinearOperator.dense form)
            holds (Law.same options 1e-12 form dense)
            violated (Law.same options 1e-12 form (LinearOperator.shift 1e-6 dense))

            refused<ShapeException> "one shape" (fun () ->
                Law.same options 1e-9 form (LinearOperator.identity DType.Float64 3) |> ignore)
        }

        test "a check says its key, and the same key gives the same bits" {
            let check seed = Law.unbiased (options.WithKey(Key.OfSeed seed)) 0.0 normal
            Expect.equal "score" (check 3L).ZScore (check 3L).ZScore
            Expect.isTrue "another key gives another score" ((check 3L).ZScore <> (check 4L).ZScore)
            Expect.isTrue (string (check 3L)) ((string (check 3L)).Contains(string (Key.OfSeed 3L)))
        }

        test "what does not hold is an error where it is required" {
            (Law.unbiased options 0.0 normal).Require()

            refused<LawViolatedException> "unbiased: violated" (fun () -> (Law.unbiased options 1.0 normal).Require())
        }

        test "options and truths that make no sense are refused" {
            refused<ArgumentRangeException> "20 samples" (fun () -> options.WithSamples 19 |> ignore)
            refused<ArgumentRangeException> "rate" (fun () -> options.WithFalseAlarmRate 0.0 |> ignore)
            refused<ArgumentRangeException> "share" (fun () -> options.WithRounding -1.0 |> ignore)
            refused<ArgumentRangeException> "truth" (fun () -> Law.unbiased options nan normal |> ignore)
            refused<ArgumentRangeException> "negative" (fun () -> Law.variance options (0.0, -1.0) normal |> ignore)

            refused<ArgumentRangeException> "confidence" (fun () ->
                Law.coverage options 1.0 0.0 (fun _ -> 0.0, 1.0) |> ignore)

            refused<ArgumentRangeException> "64" (fun () ->
                Law.isotropic options 65 (fun key -> Tensor.normal key DType.Float64 [ 65 ]) |> ignore)
        }

        test "a cancelled check ends" {
            use source = new CancellationTokenSource()
            source.Cancel()

            refused<OperationCanceledException> "" (fun () ->
                Law.unbiased (options.WithCancellation source.Token) 0.0 normal |> ignore)
        }
    ]
