module Curvature.Tests.Unit.CheckpointTests

open System
open System.IO
open System.Threading
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private key = Key.OfSeed 120L
let private none = RunOptions.Default
let private matrix = Matrices.symmetric 121 30
let private operator = LinearOperator.ofMatrix matrix
let private blocks = [ ParameterBlock("a", 0, 12); ParameterBlock("b", 12, 18) ]

let private everything =
    Measurement.both
        (Measurement.both
            (Measurement.map (fun (t: Estimate<float>) -> t.Value) Measurement.trace)
            (Measurement.both Measurement.diagonal (Measurement.unwatched Measurement.diagonalRatio)))
        (Measurement.all [
            Measurement.map (Array.map (fun (t: BlockTrace) -> t.Trace.Value)) (Measurement.blockTraces blocks)
            Measurement.map (fun (f: Estimate<float>) -> [| f.Value; f.StandardError |]) Measurement.frobenius
        ])

/// Runs with the file until some samples are taken, and gives up.
let private interrupt path samples measurement stop (operator: LinearOperator) =
    use source = new CancellationTokenSource()

    let listener =
        { new IProgress<SamplingProgress> with
            member _.Report report = if report.Samples >= samples then source.Cancel()
        }

    let options = none.WithCheckpoint(path).WithCancellation(source.Token).WithProgress(listener, 0.0)
    Estimate.runWith options (Hutchinson.estimator Probe.gaussian measurement) stop key operator

let private withFile (test: string -> unit) =
    let path = Path.Combine(Path.GetTempPath(), $"curvature-{Guid.NewGuid()}.run")

    try
        test path
    finally
        File.Delete path

/// A file with bytes changed, or cut off, anywhere is refused.
let private damagedIn (whole: byte[]) (path: string) run =
    let random = Random 122

    for _ in 1..150 do
        let place, bit = random.Next whole.Length, random.Next 8
        File.WriteAllBytes(path, whole |> Array.mapi (fun i b -> if i = place then b ^^^ (1uy <<< bit) else b))
        Expect.error<DataException> [ path ] run

    for length in 5 :: whole.Length - 1 :: [ for _ in 1..50 -> random.Next(1, whole.Length) ] do
        File.WriteAllBytes(path, whole[.. length - 1])
        Expect.error<DataException> [ path ] run

    File.WriteAllBytes(path, Array.init 500 (fun _ -> byte (random.Next 256)))
    Expect.error<DataException> [ path ] run

let private resume (path: string) measurement =
    Estimate.runWith (none.WithCheckpoint path) (Hutchinson.estimator Probe.gaussian measurement)

[<Tests>]
let tests =
    testList "Unit.CheckpointTests" [
        test "a resumed run comes to the same bits as one that was never interrupted" {
            for stop in
                [
                    StoppingRule.matvecs 150
                    StoppingRule.relativeError 1e-9 |> StoppingRule.orElse (StoppingRule.matvecs 100)
                ] do
                withFile (fun path ->
                    let (trace, (diagonal, ratio)), others =
                        Hutchinson.estimate Probe.gaussian everything stop key operator

                    interrupt path 32 everything stop operator |> ignore
                    interrupt path 64 everything stop operator |> ignore
                    let (again, (diagonalAgain, ratioAgain)), othersAgain = resume path everything stop key operator
                    Expect.equal "again" trace again
                    Expect.isTrue "othersAgain = others" (othersAgain = others)

                    for whole, resumed in [ diagonal, diagonalAgain; ratio, ratioAgain ] do
                        Expect.sameBits whole.Value resumed.Value
                        Expect.sameBits whole.StandardError resumed.StandardError
                        Expect.sameBits (whole.Interval 0.9).High (resumed.Interval 0.9).High

                        Expect.equal
                            "resumed.Samples, resumed.StopRe…"
                            (whole.Samples, whole.StopReason)
                            (resumed.Samples, resumed.StopReason)

                        Expect.equal
                            "one product sees whether the operator is the same"
                            (whole.Matvecs + 1)
                            resumed.Matvecs)
        }

        test "a run of quadratic forms is resumed too" {
            withFile (fun path ->
                let hessian =
                    Hessian.at (fun x -> Tensor.sum (Tensor.sin x * x)) (Tensor.ofArray [ 9 ] (Array.init 9 float))

                let stop = StoppingRule.matvecs 90
                let whole = Hutchinson.estimate Probe.gaussian Measurement.trace stop key hessian
                interrupt path 48 Measurement.trace stop hessian |> ignore
                let resumed = resume path Measurement.trace stop key hessian

                Expect.equal
                    "one of them sees whether the operator is the same"
                    (whole.Value, whole.StandardError, 91)
                    (resumed.Value, resumed.StandardError, resumed.QuadraticForms))
        }

        testCase "a complete run is not repeated, and a longer rule goes on from it" (fun () ->
            withFile (fun path ->
                let mutable products = 0

                let counting =
                    LinearOperator.ofDelegate DType.Float64 30 30 (fun v ->
                        products <- products + 1
                        if products = 1 then Thread.Sleep 20
                        (operator.Apply(Tensor.ofArray [ 30 ] v)).ToArray())

                let run n = resume path Measurement.trace (StoppingRule.matvecs n) key counting
                let first = run 48
                Expect.equal "products" 48 products
                Expect.equal "(run 48).Value" first.Value (run 48).Value
                Expect.equal "products" 49 products

                Expect.equal
                    "(run 96).Value"
                    (Hutchinson.estimate Probe.gaussian Measurement.trace (StoppingRule.matvecs 96) key counting)
                        .Value
                    (run 96).Value

                Expect.isGreaterThan "time before counts" ((run 96).Seconds, 0.019)))

        test "numbers whose squares vanish are resumed too" {
            let tiny = LinearOperator.ofMatrix (1e-200 * matrix)

            let trace n options =
                Estimate.runWith
                    options
                    (Hutchinson.estimator Probe.gaussian Measurement.trace)
                    (StoppingRule.matvecs n)
                    key
                    tiny

            withFile (fun path ->
                let whole = trace 64 none
                trace 16 (none.WithCheckpoint path) |> ignore
                let resumed = trace 64 (none.WithCheckpoint path)

                Expect.equal
                    "resumed.Value, resumed.Standard…"
                    (whole.Value, whole.StandardError)
                    (resumed.Value, resumed.StandardError)

                Expect.isGreaterThan "whole.StandardError" (whole.StandardError, 0.0))
        }

        test "a damaged checkpoint is an error, wherever it is damaged" {
            withFile (fun path ->
                let stop = StoppingRule.matvecs 64
                interrupt path 32 everything stop operator |> ignore
                let whole = File.ReadAllBytes path
                let run () = resume path everything stop key operator |> ignore

                damagedIn whole path run

                File.WriteAllBytes(path, Array.append whole [| 0uy |])
                Expect.error<DataException> [ "damaged" ] run

                File.WriteAllText(
                    path,
                    "not a checkpoint, but a text that is longer than the words and numbers at its beginning"
                )

                Expect.error<DataException> [ "not one of a sampling run" ] run)
        }

        test "a checkpoint of another run or operator is refused" {
            withFile (fun path ->
                let stop = StoppingRule.matvecs 64
                interrupt path 32 Measurement.trace stop operator |> ignore
                let options = none.WithCheckpoint path
                let refused fragments run = Expect.error<DataException> (path :: fragments) (run >> ignore)

                refused [ "key" ] (fun () ->
                    Estimate.runWith
                        options
                        (Hutchinson.estimator Probe.gaussian Measurement.trace)
                        stop
                        (Key.OfSeed 1L)
                        operator)

                refused [ "probe"; "sphere" ] (fun () ->
                    Estimate.runWith options (Hutchinson.estimator Probe.sphere Measurement.trace) stop key operator)

                refused [ "block size"; "16"; "8" ] (fun () ->
                    Estimate.runWith
                        (options.WithBlockSize 8)
                        (Hutchinson.estimator Probe.gaussian Measurement.trace)
                        stop
                        key
                        operator)

                refused [ "another operator" ] (fun () ->
                    Estimate.runWith
                        options
                        (Hutchinson.estimator Probe.gaussian Measurement.trace)
                        stop
                        key
                        (LinearOperator.ofMatrix (1.01 * matrix)))

                refused [ "operator"; "[29; 29]" ] (fun () ->
                    Estimate.runWith
                        options
                        (Hutchinson.estimator Probe.gaussian Measurement.trace)
                        stop
                        key
                        (LinearOperator.ofMatrix (Matrices.symmetric 1 29)))

                let both () =
                    Estimate.runWith
                        options
                        (Hutchinson.estimator Probe.gaussian (Measurement.both Measurement.trace Measurement.trace))
                        stop
                        key
                        operator

                Expect.error<DataException> [ "result" ] (both >> ignore)
                // The same type of result, but another measurement: the numbers do not fit.
                let diagonal () =
                    Estimate.runWith
                        options
                        (Hutchinson.estimator
                            Probe.gaussian
                            (Measurement.map (fun _ -> Unchecked.defaultof<Estimate<float>>) Measurement.diagonal))
                        stop
                        key
                        operator

                Expect.error<DataException> [] (diagonal >> ignore))
        }

        test "a file that cannot be written or read is an error" {
            let path = Path.Combine(Path.GetTempPath(), "curvature-no-such-folder", "file.run")

            Expect.error<DataException> [ path; "written" ] (fun () ->
                resume path Measurement.trace (StoppingRule.matvecs 4) key operator |> ignore)
        }

        test "a run is written while it runs" {
            withFile (fun path ->
                let seen = ResizeArray<bool>()

                let listener =
                    { new IProgress<SamplingProgress> with
                        member _.Report _ = seen.Add(File.Exists path)
                    }

                let options = none.WithCheckpoint(path, 0.0).WithProgress(listener, 0.0)

                Estimate.runWith
                    options
                    (Hutchinson.estimator Probe.gaussian Measurement.trace)
                    (StoppingRule.matvecs 48)
                    key
                    operator
                |> ignore

                Expect.isTrue "List.ofSeq seen = [ false; fals…" (List.ofSeq seen = [ false; false; true; true; true ]))
        }
    ]
