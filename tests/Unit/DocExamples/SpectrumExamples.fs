/// The F# of docs/spectra.md.
module DocExamples.SpectrumExamples

open System
open System.IO
open System.Threading
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private hessian =
    Tensor.normal (Key.OfSeed 5L) DType.Float64 [ 30; 30 ]
    |> LinearOperator.ofMatrix
    |> LinearOperator.gram
    |> LinearOperator.shift 1.0

let private eigenvalues = (Lanczos.run 30 (Key.OfSeed 1L) hessian).RitzValues
let private sum f = eigenvalues |> Array.sumBy f

let private within (expected: float) (estimate: Estimate<float>) =
    Expect.within "estimate.Value" (6.0 * estimate.StandardError + 1e-9) expected estimate.Value

[<Tests>]
let tests =
    testList "DocExamples.SpectrumExamples" [
        test "eigenpairs at the ends" {
            let pairs = ThickRestartLanczos.find SpectrumEnd.Largest 3 hessian

            for i in 0 .. pairs.Values.Length - 1 do
                printfn $"{pairs.Values[i]} ± {pairs.Residuals[i]}"

            let first = pairs.Vectors[0] // the eigenvector of the largest eigenvalue
            printfn $"{pairs.Matvecs} products, all good enough: {pairs.AllConverged}"

            Expect.within "hessian.QuadraticForm first" 1e-7 pairs.Values[0] ((hessian.QuadraticForm first).ToScalar())
            Expect.close 1e-9 (Array.rev eigenvalues[27..]) pairs.Values

            let options = EigenOptions.Default.WithTolerance(1e-6).WithMaximumMatvecs(2000).WithMultiplicities()
            let ends = ThickRestartLanczos.findWith options SpectrumEnd.BothEnds 4 hessian

            Expect.close 1e-6 [| eigenvalues[29]; eigenvalues[0]; eigenvalues[28]; eigenvalues[1] |] ends.Values
        }

        test "LOBPCG with a preconditioner" {
            let inverse = 1.0 / (Exact.diagonal hessian).Value

            let smallest =
                Lobpcg.findWith EigenOptions.Default (fun block -> block * inverse) SpectrumEnd.Smallest 2 hessian

            Expect.close 1e-8 eigenvalues[..1] smallest.Values
        }

        test "power iteration" {
            let key = Key.OfSeed 1L
            let exact = PowerIteration.find (PowerStop.residual 1e-6) 1000 2 key hessian
            let asPyHessian = PowerIteration.find (PowerStop.pyHessian 1e-3) 100 2 key hessian

            Expect.close 1e-6 [| eigenvalues[29]; eigenvalues[28] |] exact.Values
            Expect.isLessThan "asPyHessian.Matvecs" (asPyHessian.Matvecs, exact.Matvecs)
        }

        test "traces of functions" {
            let sample = StochasticLanczos.sample 10 25 (Key.OfSeed 1L) hessian
            let logDeterminant = StochasticLanczos.logDeterminant sample
            printfn $"ln det = {logDeterminant}, from {logDeterminant.Matvecs} products"

            let damped = StochasticLanczos.logDeterminantShifted 0.1 sample // ln det (A + 0.1·I)
            let ofInverse = StochasticLanczos.traceOfInverse sample
            let entropy = StochasticLanczos.entropy sample // −tr A ln A
            let dimension = StochasticLanczos.effectiveDimension 0.1 sample // tr A(A + 0.1·I)⁻¹
            let nuclear = StochasticLanczos.schattenNorm 1.0 sample // Σ|λ|
            let exponential = StochasticLanczos.trace (fun x -> exp -x) sample

            let bounds = SpectrumBounds.Unknown.WithLow(1.0).WithHigh 1000.0 // all eigenvalues lie in [1, 1000]
            let bounded = sample |> StochasticLanczos.within bounds |> StochasticLanczos.traceOfInverse

            if bounded.IsResolved then
                printfn $"{bounded}, of which the quadrature leaves {bounded.Bias} open"

            Expect.isTrue "bounded.IsResolved" bounded.IsResolved
            within (sum (fun x -> 1.0 / x)) bounded
            within (sum log) logDeterminant
            within (sum (fun x -> log (x + 0.1))) damped
            within (sum (fun x -> 1.0 / x)) ofInverse
            within (sum (fun x -> -x * log x)) entropy
            within (sum (fun x -> x / (x + 0.1))) dimension
            within (sum abs) nuclear
            within (sum (fun x -> exp -x)) exponential
        }

        test "where the eigenvalues lie" {
            let sample = StochasticLanczos.sample 10 25 (Key.OfSeed 1L) hessian
            let density = SpectralDensity.ofSample Smoothing.papyan sample
            let points = Array.zip density.Grid density.Values

            let cumulative = CumulativeDensity.ofSample sample
            let band = cumulative.Band(10.0, 0.95)
            printfn $"between {band.Low:P0} and {band.High:P0} of the eigenvalues are at most 10"

            let large = CumulativeDensity.count (10.0, 1000.0) sample
            printfn $"{large.Value} ± {large.StandardError} eigenvalues lie from 10 to 1000"

            Expect.hasLength "points" 1024 points
            let atMost10 = eigenvalues |> Array.filter (fun x -> x <= 10.0) |> Array.length |> float
            Expect.inRange "atMost10 / 30.0" band.Low band.High (atMost10 / 30.0)
            within (30.0 - atMost10) large
        }

        test "Chebyshev moments" {
            let moments = ChebyshevMoments.sample 10 100 (Key.OfSeed 1L) hessian
            let density = ChebyshevMoments.density 1024 moments

            Expect.all "density.Values" (fun x -> x > -1e-12) density.Values
        }

        test "Lanczos itself" {
            let result = Lanczos.from (Tensor.ones DType.Float64 [ 30 ]) 10 hessian
            let within = Array.zip result.RitzValues result.ResidualBounds
            let another = Lanczos.run 10 (Key.OfSeed 2L) hessian

            Expect.hasLength "within" 10 within
            Expect.equal "another.Steps" 10 another.Steps
        }

        test "long work" {
            let source = new CancellationTokenSource(TimeSpan.FromMinutes 1.0)
            let options = EigenOptions.Default.WithCancellation source.Token
            let pairs = ThickRestartLanczos.findWith options SpectrumEnd.LargestMagnitude 2 hessian

            if pairs.IsCancelled then printfn $"the best pairs after a minute: {pairs}"

            Expect.isTrue "pairs.AllConverged" pairs.AllConverged
        }

        test "sparse matrices from files" {
            let folder = TemporaryFolder.create "curvature-"
            let file name = Path.Combine(folder, name)

            let path = file "matrix.mtx"

            File.WriteAllLines(
                path,
                [ "%%MatrixMarket matrix coordinate real symmetric"; "2 2 3"; "1 1 2"; "2 1 1"; "2 2 3" ]
            )

            let matrix = MatrixMarket.read path
            let pairs = ThickRestartLanczos.find SpectrumEnd.BothEnds 2 matrix
            let written = MatrixMarket.readDense path // all entries, as a tensor

            Expect.close 1e-14 [| (5.0 + sqrt 5.0) / 2.0; (5.0 - sqrt 5.0) / 2.0 |] pairs.Values
            Expect.tensor 0.0 [ 2; 2 ] [ 2.0; 1.0; 1.0; 3.0 ] written
        }
    ]
