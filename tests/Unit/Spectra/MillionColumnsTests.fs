/// A Float32 operator too large for anything but a few vectors: 0 to 1 on the diagonal, and five spikes.
module Curvature.Tests.Unit.MillionColumnsTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private n = 1_000_000
let private bulk = lazy (Tensor.uniform (Key.OfSeed 1L) DType.Float32 [ n ])
let private spikes = [| 100.0; 80.0; 60.0; 40.0; 20.0 |]

/// Cosines are orthogonal up to rounding.
let private factor =
    lazy
        (Array.init (5 * n) (fun i ->
            float32 (sqrt (2.0 / float n) * cos (Math.PI * (float (i / 5) + 0.5) * float (i % 5 + 1) / float n)))
         |> Tensor.ofSingleArray [ n; 5 ])

let private matrix =
    lazy
        (LinearOperator.lowRankPlusDiagonal
            bulk.Value
            factor.Value
            (Tensor.ofArray [ 5 ] spikes |> Tensor.convert DType.Float32))

let private self = Diagnostics.Process.GetCurrentProcess()
let mutable private most = 0L

/// Before each product, what nothing refers to any more is collected, which may come sooner or later, and the
/// memory in use is read.
let private operator =
    LinearOperator.ofBlockFunction DType.Float32 n n (fun v ->
        GC.Collect()
        GC.WaitForPendingFinalizers()
        self.Refresh()
        most <- max most self.WorkingSet64
        matrix.Value.Apply v)
    |> LinearOperator.claim OperatorProperties.Symmetric

/// The most memory that a computation takes beyond what there was before.
let private memoryOf (f: unit -> 'T) =
    GC.Collect()
    GC.WaitForPendingFinalizers()
    self.Refresh()
    let before = self.WorkingSet64
    most <- before
    let result = f ()
    result, most - before

let private isWithin vectors bytes =
    let limit = 4L * int64 vectors * 4L * int64 n
    Expect.isTrue $"{bytes / 1000000L} MB for {vectors} vectors of 4 MB" (bytes < limit)

[<Tests>]
let tests =
    testList "Unit.MillionColumnsTests" [
        test "the five largest eigenvalues, within four times basis and block" {
            let options = EigenOptions.Default.WithBasisSize 15

            let pairs, bytes = memoryOf (fun () -> ThickRestartLanczos.findWith options SpectrumEnd.Largest 5 operator)

            isWithin 16 bytes
            Expect.isTrue $"{pairs}" pairs.AllConverged

            // First-order shift by the mean of the bulk, 1/2; the second order is below 1/(12·20·2).
            Array.iter2
                (fun spike found -> Expect.isTrue $"{found} for {spike}" (abs (found - spike - 0.5) < 0.02))
                spikes
                pairs.Values
        }

        test "the density of eigenvalues, within four times bases and block" {
            let options = RunOptions.Default.WithBlockSize 2

            let sample, bytes =
                memoryOf (fun () -> StochasticLanczos.sampleWith options Probe.rademacher 2 12 (Key.OfSeed 2L) operator)

            isWithin 26 bytes
            let density = SpectralDensity.ofSample Smoothing.papyan sample
            Expect.isTrue "no NaN" (density.Values |> Array.forall Double.IsFinite)
            let middle = (CumulativeDensity.ofSample sample).Band(0.5, 0.99)

            Expect.isTrue
                $"half of the bulk lies below 1/2: [{middle.Low}, {middle.High}]"
                (middle.Low < 0.5 && 0.5 < middle.High)
        }

        test "trace and diagonal, right to Float32, within four times the block" {
            let key, weights = Key.OfSeed 3L, Tensor.ofArray [ 5 ] spikes
            let wide = Tensor.convert DType.Float64
            let truth = wide bulk.Value + Tensor.matmul (Tensor.square (wide factor.Value)) weights
            let options = RunOptions.Default.WithBlockSize 4
            let both = Measurement.both Measurement.trace (Measurement.unwatched Measurement.diagonal)

            let (trace, diagonal), bytes =
                memoryOf (fun () ->
                    Estimate.runWith
                        options
                        (Hutchinson.estimator Probe.rademacher both)
                        (StoppingRule.matvecs 40)
                        key
                        operator)

            // The running sums of the diagonal, and the block, are Float64: two vectors each.
            isWithin (2 * (4 + 4)) bytes
            let off = abs (trace.Value - (Tensor.sum truth).ToScalar())

            Expect.isTrue
                $"{trace} is off by {off} with {key}"
                (off < 6.0 * trace.StandardError && off < 5e-4 * trace.Value)
            // All errors come from 40 vectors' components along five spikes: the sum of their squares is known to 13 %.
            let variance = Tensor.square (wide factor.Value * weights) |> Tensor.sumAxes [ 1 ] |> Tensor.mean
            let expected = variance.ToScalar() / 40.0
            let found = (diagonal.Value - truth |> Tensor.square |> Tensor.mean).ToScalar()
            Expect.isTrue $"{found} for {expected} with {key}" (abs (found / expected - 1.0) < 5.0 * 0.13)
        }
    ]
    |> testSequenced
