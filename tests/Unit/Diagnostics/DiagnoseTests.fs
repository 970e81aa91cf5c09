namespace Curvature.Tests.Unit

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

module DiagnoseTests =

    let private options = DiagnoseOptions.Default
    let private failures (diagnosis: Diagnosis) = [ for check in diagnosis.Failures -> check.Name ]
    let private symmetric = LinearOperator.ofSymmetricMatrix (Matrices.symmetric 90 20)
    let private ofRows (f: Tensor -> Tensor) = LinearOperator.ofBlockFunction DType.Float64 20 20 f

    /// What fails, and how far off it is said to be.
    let private expect (names: string list) (diagnosis: Diagnosis) =
        if failures diagnosis <> names then failtest (string diagnosis)

    [<Tests>]
    let tests =
        testList "Unit.DiagnoseTests" [
            test "healthy operators pass every check that applies" {
                let loss (x: Tensor) = Tensor.sum (Tensor.exp (0.3 * x)) + Tensor.square (Tensor.sum (Tensor.sin x))
                let theta = Tensor.flatten (Matrices.random 91 1 20)
                let hessian = Hessian.at loss theta
                let diagnosis = Diagnose.againstRisk options (Risk.ofFunction loss) theta hessian
                Expect.isTrue (string diagnosis) diagnosis.IsHealthy

                let passed =
                    [
                        for check in diagnosis.Checks do
                            if check.Outcome = CheckOutcome.Passed then check.Name
                    ]

                Expect.equal
                    "passed"
                    [
                        "products"
                        "determinism"
                        "linearity"
                        "blocks"
                        "symmetry"
                        "quadratic forms"
                        "finite differences"
                    ]
                    passed

                Expect.inRange "diagnosis.Symmetry.Error" 0.0 1e-14 diagnosis.Symmetry.Error
                Expect.inRange "diagnosis.FiniteDifferences.Err…" 1e-14 1e-6 diagnosis.FiniteDifferences.Error
                Expect.isTrue "no data" (isNull diagnosis.TraceUncertainty)

                for healthy in
                    [
                        symmetric
                        LinearOperator.ofMatrix (Matrices.random 92 5 20)
                        LinearOperator.ofDiagonal (Tensor.ones DType.Float32 [ 30 ])
                        LinearOperator.zero DType.Float64 4 4
                        LinearOperator.identity DType.Float64 1
                        Solver.inverse
                            (SolverOptions.Default.WithTolerance 1e-12)
                            ConjugateGradients.solver
                            (LinearOperator.damped 6.0 symmetric)
                        Jacobian.at (fun x -> Tensor.sin (Tensor.slice 0 0 7 x)) theta
                    ] do
                    expect [] (Diagnose.run options healthy)
            }

            testCase "products are counted" (fun () ->
                let mutable vectors = 0

                let counting =
                    ofRows (fun block ->
                        vectors <- vectors + block.Shape[0]
                        2.0 * block)
                    |> LinearOperator.claim OperatorProperties.Symmetric

                let diagnosis = Diagnose.run (options.WithProbes(5).WithLanczosSteps 3) counting
                // 2·I is exhausted by one step of Lanczos.
                Expect.equal "diagnosis.Matvecs, vectors" (4 * 5 + 2 + 1, 4 * 5 + 2 + 1) (diagnosis.Matvecs, vectors))

            test "a false claim of symmetry is caught, and measured" {
                let a = Matrices.symmetric 93 20
                let skew = Matrices.random 94 20 20
                let skew = skew - Tensor.transpose skew
                let share = 1e-3 * (Tensor.norm a).ToScalar() / (Tensor.norm skew).ToScalar()

                let false' =
                    LinearOperator.ofMatrix (a + share * skew) |> LinearOperator.claim OperatorProperties.Symmetric

                let diagnosis = Diagnose.run options false'
                Expect.isTrue (string diagnosis) (List.contains "symmetry" (failures diagnosis))
                // ‖A − Aᵀ‖/‖A‖ is 2e-3; from 8 probes it is known to about a fifth.
                Expect.inRange "diagnosis.Symmetry.Error" 1e-3 4e-3 diagnosis.Symmetry.Error
            }

            test "a false claim of definiteness is caught, also by one negative eigenvalue" {
                let values = Array.init 200 (fun i -> if i = 7 then -0.05 else 1.0 + float i / 200.0)

                let false' =
                    LinearOperator.ofDiagonal (Tensor.ofArray [ 200 ] values)
                    |> LinearOperator.claim OperatorProperties.PositiveSemidefinite

                let diagnosis = Diagnose.run options false'
                expect [ "definiteness" ] diagnosis
                Expect.within "diagnosis.Definiteness.Error" 1e-3 (0.05 / 1.995) diagnosis.Definiteness.Error
                // Where nothing is claimed, the range is told.
                let told = (Diagnose.run options symmetric).Definiteness

                Expect.equal
                    "told.Outcome, told.Explanation.…"
                    (CheckOutcome.Skipped, true)
                    (told.Outcome, told.Explanation.Contains "Ritz values lie between")
            }

            testCase "random products are caught" (fun () ->
                let random = Random 1

                let diagnosis =
                    Diagnose.run options (ofRows (fun block -> block * (1.0 + 1e-12 * random.NextDouble())))

                Expect.isTrue (string diagnosis) (List.contains "determinism" (failures diagnosis))
                let mutable calls = 0

                let drifting =
                    symmetric
                    |> LinearOperator.withQuadraticForms (fun block ->
                        calls <- calls + 1
                        Tensor.sumAxes [ 1 ] (block * symmetric.Apply block) + (if calls = 2 then 1e-13 else 0.0))

                expect [ "determinism" ] (Diagnose.run options drifting))

            test "what is not linear, or not the same in a block, is caught" {
                expect [ "linearity" ] (Diagnose.run options (ofRows (fun block -> block + 1e-3 * block * block)))

                let mean = ofRows (fun block -> block - Tensor.meanAxes [ 0 ] block)
                let diagnosis = Diagnose.run options mean
                expect [ "blocks" ] diagnosis
            }

            test "wrong transposes and quadratic forms are caught" {
                let a = Matrices.random 95 20 20

                let wrong =
                    LinearOperator.ofMatrix a |> LinearOperator.withTranspose (fun u -> 1.001 * Tensor.matmul u a)

                expect [ "transpose" ] (Diagnose.run options wrong)

                let forms =
                    LinearOperator.ofMatrix a
                    |> LinearOperator.withQuadraticForms (fun z -> Tensor.sumAxes [ 1 ] (z * z))

                expect [ "quadratic forms" ] (Diagnose.run options forms)
            }

            test "a wrong derivative is caught by differences" {
                // As torch-secorder's Gauss-Newton products: zeros. And one that is half a percent off.
                let loss (x: Tensor) = Tensor.sum (Tensor.exp x) + Tensor.square (Tensor.sum x)
                let theta = Tensor.flatten (Matrices.random 96 1 20)
                let check operator = Diagnose.againstRisk options (Risk.ofFunction loss) theta operator
                expect [ "finite differences" ] (check (LinearOperator.zero DType.Float64 20 20))
                let off = check (1.005 * Hessian.at loss theta)
                expect [ "finite differences" ] off
                Expect.within "off.FiniteDifferences.Error" 1e-4 0.005 off.FiniteDifferences.Error
                let theta = Tensor.convert DType.Float32 theta
                expect [] (Diagnose.againstRisk options (Risk.ofFunction loss) theta (Hessian.at loss theta))
                let wrong = 1.05 * Hessian.at loss theta
                expect [ "finite differences" ] (Diagnose.againstRisk options (Risk.ofFunction loss) theta wrong)
            }

            test "a function with dropout is caught" {
                let random = Random 2
                let theta = Tensor.flatten (Matrices.random 97 1 20)
                let loss (keep: Tensor -> Tensor) (x: Tensor) = Tensor.sum (Tensor.exp (keep x))

                let dropout (x: Tensor) =
                    x * Tensor.ofArray [ 20 ] (Array.init 20 (fun _ -> if random.NextDouble() < 0.5 then 0.0 else 2.0))

                let diagnosis =
                    Diagnose.againstRisk options (Risk.ofFunction (loss dropout)) theta (Hessian.at (loss id) theta)

                expect [ "finite differences" ] diagnosis
                Expect.isTrue (string diagnosis) (diagnosis.FiniteDifferences.Explanation.Contains "different results")

                // The operators themselves refuse it.
                Expect.error<DifferentiationException> [ "different results" ] (fun () ->
                    Hessian.at (loss dropout) theta |> ignore)
            }

            testCase "reshuffled data are caught, and so are products that are not finite" (fun () ->
                let x, y = Matrices.random 98 10 4, Matrices.random 99 10 1
                let mutable passes = 0

                let shuffled =
                    seq {
                        passes <- passes + 1
                        let order = Batches.shuffled (Key.OfSeed(int64 passes)) 10
                        yield! Batches.split 3 (Batches.rows order x) (Batches.rows order y)
                    }

                let loss (batch: Batch) (theta: Tensor) =
                    Tensor.matmul batch.Inputs (Tensor.reshape [ 4; 1 ] theta)
                    |> Loss.meanSquaredError Reduction.Mean batch.Targets

                let theta = Tensor.ones DType.Float64 [ 4 ]

                let diagnosis =
                    Diagnose.run options (Hessian.ofRisk (Risk.ofBatches Reduction.Mean loss shuffled) theta)

                Expect.isTrue
                    (string diagnosis)
                    (not diagnosis.IsHealthy && diagnosis.Products.Explanation.Contains "same order")

                let broken = Diagnose.run options (ofRows (fun block -> Tensor.log (block - 100.0)))
                expect [ "products" ] broken
                Expect.isTrue (string broken) (broken.Products.Explanation.Contains "NaN")
                Expect.equal "broken.Symmetry.Outcome" CheckOutcome.Skipped broken.Symmetry.Outcome)

            test "operators of no rows or columns, and of one" {
                for rows, columns in [ 0, 0; 0, 3; 3, 0; 1, 1; 1, 3 ] do
                    expect [] (Diagnose.run options (LinearOperator.zero DType.Float64 rows columns))
            }

            test "the printed form says what was checked and how far off it was" {
                let diagnosis =
                    Diagnose.run
                        options
                        (LinearOperator.ofMatrix (Matrices.random 89 4 4)
                         |> LinearOperator.claim OperatorProperties.Symmetric)

                let text = string diagnosis
                Expect.isTrue text (text.StartsWith "matrix [4; 4] Float64: ")
                Expect.isTrue text (text.Contains "failed  symmetry")
                Expect.isTrue text (text.Contains "off by" && text.Contains "allowed 1e-08")
                Expect.isTrue text (text.Contains "skipped finite differences")
            }

            test "options and points that do not fit are refused" {
                Expect.error<ArgumentRangeException> [ "two probes" ] (fun () -> options.WithProbes 1 |> ignore)
                Expect.error<ArgumentRangeException> [ "0" ] (fun () -> options.WithLanczosSteps 0 |> ignore)
                Expect.error<ArgumentRangeException> [ "2" ] (fun () -> options.WithTolerance 2.0 |> ignore)

                Expect.error<ShapeException> [ "20 elements"; "[3]" ] (fun () ->
                    Diagnose.againstRisk
                        options
                        (Risk.ofFunction Tensor.sum)
                        (Tensor.ones DType.Float64 [ 3 ])
                        symmetric
                    |> ignore)
            }
        ]

module TraceUncertaintyTests =

    let private theta = Tensor.ones DType.Float64 [ 30 ]

    /// ½ Σᵢ wᵢ (θᵢ xᵢ)² for each sample: the Hessian is the mean of diag(w x²), so that signs know its trace exactly.
    let private diagonalLoss (batch: Batch) (theta: Tensor) =
        0.5 * Tensor.sum (Tensor.square (batch.Inputs * theta)) / float batch.Size

    let private diagnose source loss =
        Diagnose.run DiagnoseOptions.Default (Hessian.ofRisk (Risk.ofBatches Reduction.Mean loss source) theta)

    [<Tests>]
    let tests =
        testList "Unit.TraceUncertaintyTests" [
            test "for a diagonal Hessian all uncertainty is from the data" {
                let x = Matrices.random 60 70 30
                let found = (diagnose (Batches.split 10 x x) diagonalLoss).TraceUncertainty
                // The trace of sample i is ‖xᵢ‖², independent from sample to sample.
                let traces = (Tensor.sumAxes [ 1 ] (Tensor.square x)).ToArray()
                Expect.within "found.Trace" 1e-12 (Array.average traces) found.Trace
                Expect.close 1e-7 [| 0.0; 0.0 |] [| found.ProbeError; found.JointError |]
                Expect.within "found.DataShare" 1e-12 1.0 found.DataShare
                let mean = Array.average traces
                let expected = sqrt (Array.sumBy (fun t -> (t - mean) * (t - mean)) traces / 69.0 / 70.0)
                // From 7 batches, the error is known to a factor.
                Expect.inRange "found.DataError / expected" 0.3 2.5 (found.DataError / expected)
                Expect.equal "found.Probes, found.Batches, fo…" (8, 7, 70) (found.Probes, found.Batches, found.Samples)
            }

            test "for samples that are all the same all uncertainty is from the probes" {
                let one = Matrices.random 61 1 30
                let x = Tensor.broadcastTo [ 12; 30 ] one + 0.0

                let loss (batch: Batch) (theta: Tensor) =
                    0.5 * Tensor.sum (Tensor.square (Tensor.matmul batch.Inputs theta)) / float batch.Size

                let found = (diagnose (Batches.split 5 x x) loss).TraceUncertainty
                Expect.within "found.ProbeShare" 1e-9 1.0 found.ProbeShare
                Expect.isTrue (string found) ((string found).Contains "more probes would help")
            }

            test "the three variances are those that the forms were drawn with, batches of different sizes or not" {
                // x_ik = 5 + sᵢ + pₖ + e_ik with standard deviations 2, 1.5 and 4, averaged over batches: means of 300
                // analyses.
                let sizes = [| 3; 3; 5; 8; 3; 1; 7 |]
                let probes, samples = 6, Array.sum sizes
                let key = Key.OfSeed 62L
                let draw number count = (Tensor.normal (key.FoldIn number) DType.Float64 [ count ]).ToArray()
                let times = 300

                let found =
                    [|
                        for time in 0 .. times - 1 do
                            let draws = draw (uint32 time) (samples + probes + samples * probes)

                            let s, p, e =
                                draws[.. samples - 1],
                                draws[samples .. samples + probes - 1],
                                draws[samples + probes ..]

                            let starts = Array.scan (+) 0 sizes

                            let forms =
                                sizes
                                |> Array.mapi (fun b size ->
                                    Array.init probes (fun k ->
                                        Seq.init size (fun i ->
                                            let i = starts[b] + i
                                            5.0 + 2.0 * s[i] + 1.5 * p[k] + 4.0 * e[i * probes + k])
                                        |> Seq.average))

                            TraceVariance.analyse sizes forms
                    |]

                let check what expected (value: TraceUncertainty -> float) =
                    let values = found |> Array.map value
                    let mean = Array.average values
                    let deviation = sqrt (values |> Array.averageBy (fun v -> (v - mean) * (v - mean)))
                    let error = 5.0 * deviation / sqrt (float times)
                    // Negative estimates of the probes' variance are cut at 0, which moves their mean a little.
                    let bias = if what = "probes" then 0.1 * expected else 0.0

                    Expect.isTrue
                        $"{what}: {mean} ± {error}, expected {expected}; {key}"
                        (abs (mean - expected) < error + bias)

                check "trace" 5.0 _.Trace
                check "data" (4.0 / float samples) (fun u -> u.DataError * u.DataError)
                check "probes" (2.25 / float probes) (fun u -> u.ProbeError * u.ProbeError)
                check "both" (16.0 / float (samples * probes)) (fun u -> u.JointError * u.JointError)
            }

            test "sums, multiples and blocks keep what batches say" {
                let x = Matrices.random 63 9 30
                let sum (batch: Batch) theta = diagonalLoss batch theta * float batch.Size
                let mean = diagnose (Batches.split 4 x x) diagonalLoss
                let summed = Hessian.ofRisk (Risk.ofBatches Reduction.Sum sum (Batches.split 4 x x)) theta
                let found (operator: LinearOperator) = (Diagnose.run DiagnoseOptions.Default operator).TraceUncertainty
                Expect.within "(found summed).Trace" 1e-10 (9.0 * mean.TraceUncertainty.Trace) (found summed).Trace

                Expect.within
                    "(found ((1.0 / 9.0) * summed)).…"
                    1e-10
                    mean.TraceUncertainty.DataError
                    (found ((1.0 / 9.0) * summed)).DataError

                let block = LinearOperator.block 3 5 summed
                Expect.within "(found block).Trace" 1e-10 (Exact.trace block).Value (found block).Trace

                Expect.isTrue
                    "of one batch nothing is known"
                    (isNull (found (Hessian.ofRisk (Risk.ofBatches Reduction.Sum sum [ Batch(x, x) ]) theta)))
            }
        ]
