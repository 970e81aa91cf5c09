/// Stochastic Taylor derivative estimators against exact values: residuals of partial differential equations in very
/// many dimensions, errors, and coverage.
module Curvature.Tests.Unit.StochasticTaylorTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// u(x) = (1 − |x|²)·N(x) with N(x) = Σ aⱼ tanh(wⱼ·x + bⱼ), as networks for equations on the unit ball are built; its
/// Laplacian is known: −2nN − 4 x·∇N + (1 − |x|²)ΔN.
type private Solution(n: int, width: int) =
    let draw seed shape = Tensor.normal (Key.OfSeed seed) DType.Float64 shape
    let w = 0.5 * draw 1L [ n; width ]
    let a, b = draw 2L [ width ] / float width, draw 3L [ width ]
    let squared (t: Tensor) = Tensor.dot t t
    let point = let t = draw 4L [ n ] in t * sqrt (0.5 / (squared t).ToScalar())

    member _.Point = point

    member _.Value(x: Tensor) =
        let network = Tensor.dot a (tanh (Tensor.matmul x w + b))
        (1.0 - squared x) * network

    member u.Laplacian =
        let projection = Tensor.matmul point w
        let y = tanh (projection + b)
        let slope = 1.0 - y * y
        let lengths = Tensor.sumAxes [ 0 ] (w * w)
        let network = Tensor.dot a y
        let along = Tensor.dot a (slope * projection)
        let ofNetwork = Tensor.dot a (-2.0 * y * slope * lengths)
        (-2.0 * float n * network - 4.0 * along + (1.0 - squared point) * ofNetwork).ToScalar()

let private isWithin errors (truth: float) (found: Estimate<float>) =
    Expect.isTrue
        $"{found} is within {errors} standard errors of {truth}"
        (found.IsErrorKnown && abs (found.Value - truth) <= errors * found.StandardError)

let private a = tensor [ 0.5; -0.3; 0.8; 0.2; -0.6 ]
let private x = tensor [ 0.3; -0.6; 0.9; 0.1; 0.4 ]
let private quartic (x: Tensor) = Tensor.dot x x ** 2.0 + exp (Tensor.dot a x)
let private keys seed count = (Key.OfSeed seed).Split count

let private share (truth: float) (runs: Estimate<float>[]) =
    runs
    |> Array.averageBy (fun found ->
        let interval = found.Interval 0.95
        if interval.Low <= truth && truth <= interval.High then 1.0 else 0.0)

[<Tests>]
let tests =
    testList "Unit.StochasticTaylorTests" [
        for n in [ 1_000; 100_000 ] do
            test $"residuals of Poisson and Allen–Cahn equations in {n} dimensions" {
                let u = Solution(n, 16)
                let stop = StoppingRule.matvecs 64
                // Δu = g with g = 3 at this point.
                let poisson v = (jet 2 u.Value u.Point [ v ])[1] - 3.0

                StochasticTaylor.estimate Probe.rademacher 2 poisson stop (Key.OfSeed 5L) u.Point
                |> isWithin 5.0 (u.Laplacian - 3.0)

                let allenCahn v =
                    let value, derivatives = fjet 2 u.Value u.Point [ v ]
                    derivatives[1] + value - value ** 3.0

                let value = (u.Value u.Point).ToScalar()

                StochasticTaylor.estimate Probe.rademacher 2 allenCahn stop (Key.OfSeed 6L) u.Point
                |> isWithin 5.0 (u.Laplacian + value - value ** 3.0)
            }

        test "the memory of a sample grows with the dimension, and not faster" {
            let bytes n =
                let u = Solution(n, 16)
                let map = Compile.family (fun x -> [ x ], fun v -> (jet 2 u.Value u.Point [ v ])[1]) u.Point
                float map.ScratchBytes / float n

            Expect.inRange "bytes for each dimension" 0.0 (1.1 * bytes 1_000) (bytes 16_000)
        }

        test "the error of a Laplacian is that of Hutchinson's estimator" {
            let hessian = LinearOperator.dense (Hessian.at quartic x)
            let variance = Probe.varianceOfForm Probe.rademacher hessian
            let found = StochasticTaylor.laplacian (StoppingRule.matvecs 4000) (Key.OfSeed 7L) quartic x
            isWithin 5.0 ((laplacian quartic x).ToScalar()) found
            Expect.withinPercent "standard error" 8.0 (sqrt (variance / 4000.0)) found.StandardError
            Expect.equal "samples" 4000 found.Samples
        }

        test "the biharmonic operator in 5 and in 100 dimensions" {
            let exact = (biharmonic quartic x).ToScalar()

            StochasticTaylor.biharmonic (StoppingRule.matvecs 4000) (Key.OfSeed 8L) quartic x |> isWithin 5.0 exact
            let n = 100
            let far = Tensor.full DType.Float64 [ n ] 0.05
            let a = Tensor.normal (Key.OfSeed 9L) DType.Float64 [ n ] * 0.1
            let f (x: Tensor) = Tensor.dot x x ** 2.0 + sin (Tensor.dot a x)
            let square = (Tensor.dot a a).ToScalar()
            let truth = 8.0 * float (n * (n + 2)) + square * square * Math.Sin((Tensor.dot a far).ToScalar())
            StochasticTaylor.biharmonic (StoppingRule.matvecs 500) (Key.OfSeed 10L) f far |> isWithin 5.0 truth
            // |x|⁴ is the same in all directions.
            let radial (x: Tensor) = Tensor.dot x x ** 2.0
            let same = StochasticTaylor.biharmonic (StoppingRule.matvecs 20) (Key.OfSeed 11L) radial (0.0 * far)
            Expect.within "no spread" 1e-8 (8.0 * float (n * (n + 2))) same.Value
        }

        test "a single dimension is not known from one sample of degree 4" {
            let f (x: Tensor) = Tensor.sum (x ** 4.0)
            let one = tensor [ 0.7 ]
            let term v = (jet 4 f one [ v ])[3] / 3.0
            let found = StochasticTaylor.estimate Probe.gaussian 4 term (StoppingRule.matvecs 2000) (Key.OfSeed 12L) one
            Expect.isFalse "exact" found.IsExact
            isWithin 5.0 24.0 found
        }

        // The most skewed law there is for each degree: f = (x·a)^k, along one direction.
        for degree, budgets in [ 2, [ 10; 40; 250 ]; 4, [ 20; 60; 250 ] ] do
            for samples in budgets do
                test $"95 percent intervals hold the truth (degree {degree}, {samples} samples)" {
                    let n = 12
                    let direction = Tensor.ones DType.Float64 [ n ] / sqrt (float n)
                    let f (x: Tensor) = Tensor.dot x direction ** float degree
                    let at = Tensor.zeros DType.Float64 [ n ]
                    let moment, truth = (if degree = 2 then 1.0, 2.0 else 3.0, 24.0)
                    let term v = (List.last (jet degree f at [ v ])) / moment
                    let options = RunOptions.Default.WithBlockSize samples
                    let estimator = StochasticTaylor.estimator Probe.gaussian degree at term
                    let operator = StochasticTaylor.directions at

                    let run key = Estimate.runWith options estimator (StoppingRule.matvecs samples) key operator

                    let held = share truth (keys 13L 1500 |> Array.map run)
                    stdout.WriteLine $"degree {degree}, {samples} samples: {held}"
                    // 93 % but for five standard errors of 1500 runs.
                    Expect.inRange "share" 0.90 1.0 held
                }

        test "an error that cannot be known is said to be unknown" {
            let at = tensor [ 0.1; 0.2; 0.3; 0.4; 0.5 ]

            let isUnknown (found: Estimate<float>) =
                Expect.isFalse $"{found}" found.IsErrorKnown
                Expect.equal "infinite" infinity found.StandardError

            let run probe degree samples order =
                let term v = List.last (jet order quartic at [ v ])
                StochasticTaylor.estimate probe degree term (StoppingRule.matvecs samples) (Key.OfSeed 14L) at

            isUnknown (run Probe.rademacher 2 2 2)
            isUnknown (run Probe.sphere 4 19 4)
            isUnknown (run Probe.sphere 6 500 6)
            // Coordinates of which some were not seen.
            isUnknown (run Probe.basis 2 10 2)
            Expect.isTrue "from 20 samples" (run Probe.sphere 4 20 4).IsErrorKnown
            Expect.isTrue "all coordinates" (run Probe.basis 2 100 2).IsErrorKnown
        }

        test "the same key gives the same bits in blocks of any size" {
            let run size =
                let options = RunOptions.Default.WithBlockSize size
                let operator = StochasticTaylor.directions x

                Estimate.runWith
                    options
                    (StochasticTaylor.laplacianEstimator quartic x)
                    (StoppingRule.matvecs 30)
                    (Key.OfSeed 15L)
                    operator

            let one, all = run 1, run 30
            Expect.within "value" 1e-12 one.Value all.Value
            Expect.within "error" 1e-12 one.StandardError all.StandardError
        }

        test "wrong use is refused" {
            let term v = (jet 2 quartic x [ v ])[1]

            let run degree (term: Tensor -> Tensor) (x: Tensor) () =
                StochasticTaylor.estimate Probe.rademacher degree term (StoppingRule.matvecs 4) (Key.OfSeed 1L) x
                |> ignore

            Expect.error<ArgumentRangeException> [ "degree"; "0" ] (run 0 term x)
            Expect.error<DTypeException> [ "Int32" ] (run 2 term (tensor [ 1; 2 ]))
            Expect.error<ShapeException> [ "no directions" ] (run 2 term (Tensor.zeros DType.Float64 [ 0 ]))
            Expect.error<ShapeException> [ "scalar for each direction" ] (run 2 id x)
            Expect.error<NonFiniteException> [] (run 2 (fun v -> Tensor.sum (log (-(v * v)))) x)

            Expect.error<OperatorException> [ "directions" ] (fun () ->
                let other = LinearOperator.identity DType.Float64 3

                Estimate.run
                    (StochasticTaylor.laplacianEstimator quartic x)
                    (StoppingRule.matvecs 4)
                    (Key.OfSeed 1L)
                    other
                |> ignore)
        }
    ]
