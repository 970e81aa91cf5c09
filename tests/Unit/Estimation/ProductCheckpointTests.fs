/// Runs of estimators that keep vectors, with their products in files.
module Curvature.Tests.Unit.ProductCheckpointTests

open System
open System.IO
open System.Threading
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private key = Key.OfSeed 140L
let private none = RunOptions.Default

let private matrix =
    Matrices.withEigenvalues (Matrices.orthogonal 141 150) (Array.init 150 (fun i -> 1.0 / float (i + 1)))

let private semidefinite = LinearOperator.claim OperatorProperties.PositiveSemidefinite
let private operator = LinearOperator.ofSymmetricMatrix matrix |> semidefinite
let private rule = StoppingRule.relativeError 1e-4 |> StoppingRule.orElse (StoppingRule.matvecs 100)
let private numbers (value: Tensor) (error: Tensor) = Array.append (value.ToArray()) (error.ToArray())
let private ofScalar (e: Estimate<float>) = [| e.Value; e.StandardError; float (e.Matvecs + e.QuadraticForms) |]
let private ofVector (e: Estimate<Tensor>) = Array.append (numbers e.Value e.StandardError) [| float e.Matvecs |]

/// Every estimator that keeps vectors, and its result in numbers.
let private estimators: (string * (RunOptions -> Key -> LinearOperator -> float[])) list =
    [
        "XTrace", (fun options key a -> Estimate.runWith options (XTrace.withProbe Probe.sphere) rule key a |> ofScalar)
        "XNysTrace",
        (fun options key a -> Estimate.runWith options (XNysTrace.withProbe Probe.sphere) rule key a |> ofScalar)
        "XDiag",
        (fun options key a -> Estimate.runWith options (XDiag.withProbe Probe.rademacher) rule key a |> ofVector)
        "XNysDiag",
        (fun options key a -> Estimate.runWith options (XNysDiag.withProbe Probe.rademacher) rule key a |> ofVector)
        "Hutch++",
        (fun options key a ->
            Estimate.runWith options (HutchPlusPlus.withProbe Probe.rademacher) (StoppingRule.matvecs 96) key a
            |> ofScalar)
        "NA-Hutch++",
        (fun options key a ->
            Estimate.runWith options NonadaptiveHutchPlusPlus.estimator (StoppingRule.matvecs 96) key a |> ofScalar)
        "A-Hutch++",
        (fun options key a ->
            Estimate.runWith
                options
                (AdaptiveHutchPlusPlus.estimator 0.1 0.05)
                (StoppingRule.matvecs Int32.MaxValue)
                key
                a
            |> ofScalar)
        "UDiag++",
        (fun options key a ->
            Estimate.runWith options UDiagPlusPlus.estimator (StoppingRule.matvecs 96) key a |> ofVector)
        "Automatic.trace",
        (fun options key a ->
            (Estimate.runWith options (Automatic.traceEstimator Automatic.memory) rule key a).Estimate |> ofScalar)
        "Automatic.diagonal",
        (fun options key a ->
            (Estimate.runWith options (Automatic.diagonalEstimator Automatic.memory) rule key a).Estimate |> ofVector)
        "Exact.trace", (fun options _ a -> Exact.measureWith options Measurement.trace a |> ofScalar)
        "Exact.diagonal", (fun options _ a -> Exact.measureWith options Measurement.diagonal a |> ofVector)
        "StochasticLanczos",
        (fun options key a ->
            let rules = StochasticLanczos.sampleWith options Probe.rademacher 3 12 key a
            (StochasticLanczos.trace exp rules).Value |> Array.singleton)
        "ChebyshevMoments",
        (fun options key a -> (ChebyshevMoments.sampleWith options Probe.rademacher 3 40 key a).Moments |> Seq.toArray)
        "Norm.spectral", (fun options key a -> [| (Norm.spectralWith options 0.95 0.01 key a).Value |])
    ]

let private bits = Array.map BitConverter.DoubleToInt64Bits

/// The operator, which fails after some products, and counts them.
let private failing (limit: int) (counted: int ref) (a: LinearOperator) =
    let multiply (block: Tensor) =
        counted.Value <- counted.Value + block.Signature.Shape[0]
        if counted.Value > limit then raise (TimeoutException "the power fails")
        a.Apply block

    LinearOperator.ofBlockFunction a.DType a.Rows a.Columns multiply
    |> LinearOperator.named "matrix"
    |> semidefinite

let private withFile (test: string -> unit) =
    let path = Path.Combine(Path.GetTempPath(), $"curvature-{Guid.NewGuid()}.run")

    try
        test path
    finally
        File.Delete path

let private interrupted path limit estimate =
    try
        estimate (none.WithCheckpoint(path: string)) key (failing limit (ref 0) operator) |> ignore
    with :? TimeoutException ->
        ()

[<Tests>]
let tests =
    testList "Unit.ProductCheckpointTests" [
        test "a run whose operator failed goes on from its products to the same bits" {
            for name, estimate in estimators do
                withFile (fun path ->
                    let whole = ref 0
                    let expected = estimate none key (failing Int32.MaxValue whole operator)
                    interrupted path 20 estimate
                    interrupted path 33 estimate
                    let rest = ref 0
                    let resumed = estimate (none.WithCheckpoint path) key (failing Int32.MaxValue rest operator)
                    Expect.isTrue name (bits resumed = bits expected)
                    Expect.isLessThan $"{name}: products are not taken twice" (rest.Value, whole.Value - 15)

                    // Complete, it costs the one product that recognises the operator.
                    let again = ref 0
                    let repeated = estimate (none.WithCheckpoint path) key (failing Int32.MaxValue again operator)
                    Expect.isTrue name (bits repeated = bits expected)
                    Expect.equal name 1 again.Value)
        }

        test "a run that was cancelled is resumed" {
            withFile (fun path ->
                let expected = XTrace.estimate rule key operator
                use source = new CancellationTokenSource()

                let listener =
                    { new IProgress<SamplingProgress> with
                        member _.Report report = if report.Samples >= 40 then source.Cancel()
                    }

                let options = none.WithCheckpoint(path).WithProgress(listener, 0.0).WithCancellation source.Token
                let first = Estimate.runWith options (XTrace.withProbe Probe.sphere) rule key operator
                Expect.equal "first.StopReason" StopReason.Cancelled first.StopReason

                let resumed =
                    Estimate.runWith (none.WithCheckpoint path) (XTrace.withProbe Probe.sphere) rule key operator

                Expect.isTrue "bits (ofScalar resumed) = bits…" (bits (ofScalar resumed) = bits (ofScalar expected)))
        }

        test "quadratic forms, single vectors, transposes and float32 are kept too" {
            let hessian =
                Hessian.at (fun x -> Tensor.sum (Tensor.sin x * x)) (Tensor.ofArray [ 9 ] (Array.init 9 float))

            let wide = LinearOperator.ofMatrix (Matrices.random 142 7 4 |> Tensor.convert DType.Float32)
            let v = Tensor.ones DType.Float32 [ 4 ]

            let all (a: LinearOperator) =
                [ a.Apply v; a.Transposed.Apply(a.Apply v); a.Transposed.Apply(Tensor.ones DType.Float32 [ 2; 7 ]) ]

            for _ in 1..2 do
                withFile (fun path ->
                    let expected = (Hutchinson.trace (StoppingRule.matvecs 8) key hessian).Value

                    for _ in 1..2 do
                        let kept = Checkpoint.run path (Hutchinson.trace (StoppingRule.matvecs 8) key) hessian
                        Expect.equal "kept.Value, kept.QuadraticForms" (expected, 8) (kept.Value, kept.QuadraticForms))

                withFile (fun path ->
                    for _ in 1..2 do
                        for kept, expected in List.zip (Checkpoint.run path all wide) (all wide) do
                            Expect.equal "kept.DType" DType.Float32 kept.DType
                            Expect.sameBits expected kept)
        }

        test "damage anywhere in the file is an error" {
            withFile (fun path ->
                let run () =
                    Estimate.runWith
                        (none.WithCheckpoint path)
                        (XNysTrace.withProbe Probe.sphere)
                        (StoppingRule.matvecs 24)
                        key
                        operator
                    |> ignore

                run ()
                let whole = File.ReadAllBytes path
                let random = Random 143

                for _ in 1..150 do
                    let place, bit = random.Next whole.Length, random.Next 8

                    File.WriteAllBytes(
                        path,
                        whole |> Array.mapi (fun i b -> if i = place then b ^^^ (1uy <<< bit) else b)
                    )

                    Expect.error<DataException> [ path ] run

                File.WriteAllText(
                    path,
                    "not a checkpoint, but a text that is longer than what stands at the beginning of one"
                )

                Expect.error<DataException> [ path; "not one of products" ] run
                // What an interruption left behind the last complete product is no damage, nor is a file that it cut
                // off.
                for length in [ 5; 55; 56; whole.Length - 1 ] do
                    File.WriteAllBytes(path, whole[.. length - 1])
                    run ()
                    Expect.isTrue "File.ReadAllBytes path = whole" (File.ReadAllBytes path = whole)

                File.WriteAllBytes(path, Array.append whole [| 1uy; 2uy; 3uy |])
                run ()

                Expect.isTrue
                    "(File.ReadAllBytes path)[.. who…"
                    ((File.ReadAllBytes path)[.. whole.Length - 1] = whole))
        }

        test "a file of another run or operator is refused" {
            withFile (fun path ->
                let options = none.WithCheckpoint path

                let run key a =
                    Estimate.runWith options (XTrace.withProbe Probe.sphere) (StoppingRule.matvecs 24) key a |> ignore

                run key operator
                let refused fragments action = Expect.error<DataException> (path :: fragments) action
                refused [ "other vectors" ] (fun () -> run (Key.OfSeed 1L) operator)
                let doubled = LinearOperator.ofSymmetricMatrix (2.0 * matrix) |> semidefinite
                refused [ "another operator" ] (fun () -> run key doubled)
                let smaller = LinearOperator.ofSymmetricMatrix (Matrices.symmetric 1 29)
                refused [ "another run"; "[29; 29]" ] (fun () -> run key smaller)

                refused [ "other vectors" ] (fun () ->
                    Estimate.runWith
                        options
                        (XTrace.withProbe Probe.rademacher)
                        (StoppingRule.matvecs 24)
                        key
                        operator
                    |> ignore)

                refused [ "sampling run" ] (fun () ->
                    Estimate.runWith
                        options
                        (Hutchinson.estimator Probe.rademacher Measurement.trace)
                        (StoppingRule.matvecs 4)
                        key
                        operator
                    |> ignore))
        }

        test "a file that cannot be opened, or is in use, is an error" {
            let path = Path.Combine(Path.GetTempPath(), "curvature-no-such-folder", "file.run")
            Expect.error<DataException> [ path; "opened" ] (fun () -> Checkpoint.run path ignore operator)

            withFile (fun path ->
                Checkpoint.run
                    path
                    (fun _ ->
                        Expect.error<DataException> [ path; "opened" ] (fun () -> Checkpoint.run path ignore operator))
                    operator)
        }
    ]
