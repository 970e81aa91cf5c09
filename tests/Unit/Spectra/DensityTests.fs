module Curvature.Tests.Unit.DensityTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private key = Key.OfSeed 16L

let private dense (seed: int) (values: float[]) =
    let n = values.Length
    let q = (MathNet.Numerics.LinearAlgebra.Matrix<float>.Build.Random(n, n, seed)).QR().Q
    let a = q * MathNet.Numerics.LinearAlgebra.Matrix<float>.Build.DiagonalOfDiagonalArray values * q.Transpose()
    LinearOperator.ofSymmetricMatrix (Tensor.ofArray [ n; n ] (a.ToRowMajorArray()))

let private clusters = Array.append (Array.create 30 1.0) (Array.create 30 5.0)

let private integral (density: SpectralDensity) low high =
    let grid = density.Grid
    let step = grid[1] - grid[0]
    Seq.fold2 (fun sum x y -> if x >= low && x <= high then sum + step * y else sum) 0.0 grid density.Values

[<Tests>]
let tests =
    testList "Unit.DensityTests" [
        test "two clusters of 30 have half of the mass each, whatever the smoothing" {
            let sample = StochasticLanczos.sample 10 20 key (dense 1 clusters)

            for smoothing in [ Smoothing.pyHessian; Smoothing.papyan; Smoothing.gaussian 0.1 ] do
                let density = SpectralDensity.ofSample smoothing sample
                Expect.isTrue $"{smoothing}: no NaN" (density.Values |> Array.forall Double.IsFinite)
                let low, high = integral density -10.0 3.0, integral density 3.0 10.0

                Expect.isTrue
                    $"{smoothing}: masses {low} and {high} with {key}"
                    (abs (low - 0.5) < 0.15 && abs (high - 0.5) < 0.15)

                if smoothing.Name <> "Papyan" then Expect.close 2e-3 [| 1.0 |] [| low + high |]

            for rule in sample.Rules do
                Expect.close 1e-6 [| 1.0 |] [| Array.sum rule.Weights |]
                Expect.close 0.0 [| 2.0 |] [| float rule.Nodes.Length |]
        }

        test "Gaussians that are narrow beside the spectrum are seen by the grid" {
            let sample = StochasticLanczos.sample 2 20 key (dense 1 clusters)

            for width in [ 1.0; 1e-2; 1e-3; 1e-4 ] do
                let density = SpectralDensity.ofSample (Smoothing.gaussian width) sample
                Expect.close 1e-5 [| 1.0 |] [| integral density -20.0 30.0 |]
        }

        test "the parameters of named smoothings are the published ones" {
            let sample = StochasticLanczos.sample 3 20 key (dense 1 clusters)
            let pyHessian = SpectralDensity.ofSample Smoothing.pyHessian sample

            Expect.close 1e-9 [| 10000.0; 0.99; 5.01; sqrt (1e-5 * 4.02) |] [|
                float pyHessian.Grid.Length
                pyHessian.Grid[0]
                Array.last pyHessian.Grid
                pyHessian.Width
            |]

            let papyan = SpectralDensity.ofSample Smoothing.papyan sample
            let width = 2.1 * 2.0 / (19.0 * sqrt (8.0 * log 3.0))

            Expect.close 1e-9 [| 1024.0; 0.9; 5.1; width |] [|
                float papyan.Grid.Length
                papyan.Grid[0]
                Array.last papyan.Grid
                papyan.Width
            |]
        }

        test "the band of the cumulative density holds the truth everywhere and narrows with more probes" {
            let values =
                Array.init 200 (fun i -> if i < 4 then 10.0 + float i else Math.Sin(float i) ** 3.0) |> Array.sort

            let operator = dense 7 values
            let truth x = (values |> Array.filter (fun v -> v <= x) |> Array.length |> float) / 200.0

            let widths =
                [ 8; 32 ]
                |> List.map (fun probes ->
                    let cumulative = CumulativeDensity.ofSample (StochasticLanczos.sample probes 60 key operator)

                    [| -1.2 .. 0.1..14.0 |]
                    |> Array.averageBy (fun x ->
                        let band = cumulative.Band(x, 0.999999)
                        let found = cumulative.At x

                        Expect.isTrue
                            $"{truth x} at {x} outside [{band.Low}, {band.High}] with {key}"
                            (band.Low - 1e-12 <= truth x && truth x <= band.High + 1e-12)

                        Expect.isTrue $"{found} at {x} outside its own band" (band.Low <= found && found <= band.High)
                        band.High - band.Low))

            Expect.isTrue $"widths {widths}" (widths[1] < 0.8 * widths[0] && widths[1] < 0.1)
        }

        test "counts of eigenvalues in intervals lie within their errors" {
            let values = Array.init 200 (fun i -> if i < 4 then 10.0 + float i else Math.Sin(float i) ** 3.0)
            let sample = StochasticLanczos.sample 16 60 key (dense 7 values)

            for low, high in [ -2.0, 0.0; 0.5, 0.9; 9.0, 20.0; 10.5, 11.5; 3.0, 5.0; -9.0, 99.0 ] do
                let truth = values |> Array.filter (fun v -> low <= v && v <= high) |> Array.length |> float
                let count = CumulativeDensity.count (low, high) sample
                let interval = count.Interval 0.999999

                Expect.isTrue
                    $"{truth} in [{low}, {high}] against {count} with {key}"
                    (interval.Low - 1e-9 <= truth && truth <= interval.High + 1e-9)

                Expect.isTrue $"{count} for [{low}, {high}]" (count.StandardError < 30.0)

            Expect.close 1e-12 [| 200.0; 0.0 |] [|
                (CumulativeDensity.count (-9.0, 99.0) sample).Value
                (CumulativeDensity.count (3.0, 5.0) sample).Value
            |]
        }

        test "densities of nothing, and widths that are none, are typed errors" {
            let none = StochasticLanczos.sample 2 2 key (LinearOperator.zero DType.Float64 0 0)

            Expect.error<ArgumentRangeException> [ "no eigenvalues" ] (fun () ->
                SpectralDensity.ofSample Smoothing.papyan none |> ignore)

            Expect.error<ArgumentRangeException> [ "no eigenvalues" ] (fun () ->
                CumulativeDensity.ofSample none |> ignore)

            Expect.error<ArgumentRangeException> [ "width" ] (fun () -> Smoothing.gaussian 0.0 |> ignore)
            let zero = StochasticLanczos.sample 2 2 key (LinearOperator.zero DType.Float64 5 5)

            for smoothing in [ Smoothing.papyan; Smoothing.pyHessian ] do
                let density = SpectralDensity.ofSample smoothing zero
                Expect.isTrue $"{smoothing} of a zero operator" (density.Values |> Array.forall Double.IsFinite)

            Expect.error<ArgumentRangeException> [ "interval" ] (fun () ->
                CumulativeDensity.count (2.0, 1.0) zero |> ignore)
        }

        test "Chebyshev moments of a diagonal matrix are the means of Chebyshev polynomials" {
            let values = Array.init 50 (fun i -> -2.0 + 0.1 * float i)

            // Signs see a diagonal matrix without variance.
            let sample = ChebyshevMoments.sample 2 31 key (LinearOperator.ofDiagonal (Tensor.ofArray [ 50 ] values))

            let expected =
                Array.init 31 (fun j ->
                    values |> Array.averageBy (fun x -> cos (float j * acos ((x - sample.Centre) / sample.HalfWidth))))

            Expect.close 1e-12 expected sample.Moments
            Expect.isTrue $"{sample.Ledger.Matvecs} products" (sample.Ledger.Matvecs <= 24 + 2 * 16)
        }

        test "the kernel polynomial density of two clusters is not negative and has half of its mass in each" {
            let sample = ChebyshevMoments.sample 10 80 key (dense 1 clusters)
            let density = ChebyshevMoments.density 2000 sample
            Expect.isTrue "not negative" (density.Values |> Array.forall (fun y -> y > -1e-12))

            // The grid is one of Chebyshev nodes: ∫ f dx = (π/points)·Σ f(x)·√(h² − (x − c)²).
            let mass keep =
                Array.map2
                    (fun x y ->
                        let root = sqrt (sample.HalfWidth ** 2.0 - (x - sample.Centre) ** 2.0)
                        if keep x then Math.PI / 2000.0 * y * root else 0.0)
                    density.Grid
                    density.Values
                |> Array.sum

            Expect.close 1e-9 [| 1.0 |] [| mass (fun _ -> true) |]
            let low = mass (fun x -> x < 3.0)
            Expect.isTrue $"{low} of the mass lies below 3 with {key}" (abs (low - 0.5) < 0.15)

            for operator in [ LinearOperator.zero DType.Float64 5 5; LinearOperator.identity DType.Float64 1 ] do
                let density = ChebyshevMoments.density 100 (ChebyshevMoments.sample 2 10 key operator)
                Expect.isTrue "no NaN" (density.Values |> Array.forall Double.IsFinite)

            Expect.error<ArgumentRangeException> [ "moments" ] (fun () ->
                ChebyshevMoments.sample 2 1 key (dense 1 clusters) |> ignore)
        }
    ]
