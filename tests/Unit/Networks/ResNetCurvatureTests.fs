/// Eigenvalues and traces of the Hessian of a trained ResNet-20, against numbers that PyTorch computed in double
/// precision. The longest tests of all: some ten seconds each.
module Curvature.Tests.Unit.ResNetCurvatureTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

[<Tests>]
let tests =
    testList "Unit.ResNetCurvatureTests" [
        test "the six largest eigenvalues are PyTorch's to six digits" {
            // An eigenvalue is off by the square of its residual over the gap to the next one. For the sixth, 15.9 with
            // a gap of 3 or more, that is below 10⁻⁶ of it.
            let options = EigenOptions.Default.WithTolerance(3e-4).WithBasisSize 24
            let hessian = (TrainedResNet.point DType.Float64).Hessian
            let pairs = ThickRestartLanczos.findWith options SpectrumEnd.Largest 6 hessian
            stdout.WriteLine $"{pairs}; {pairs.Matvecs} products, {pairs.Seconds:F1} s"
            Expect.isTrue "all converged" pairs.AllConverged

            for expected, actual in Seq.zip (TrainedResNet.numbers "hessian_top6") pairs.Values do
                Expect.isTrue $"{actual} against {expected}" (abs (actual - expected) <= 1e-6 * abs expected)
        }

        test "trace and traces per layer are PyTorch's within both error bars" {
            let _, network = TrainedResNet.network DType.Float64

            let measurement =
                Measurement.both Measurement.trace (Measurement.blockTraces (ParameterLayout.blocks network.Layout))

            let key, hessian = Key.OfSeed 20L, (TrainedResNet.point DType.Float64).Hessian
            let clock = System.Diagnostics.Stopwatch.StartNew()
            let trace, layers = Hutchinson.estimate Probe.rademacher measurement (StoppingRule.matvecs 24) key hessian
            stdout.WriteLine $"key 20; trace {trace}; {clock.Elapsed.TotalSeconds:F1} s"

            let agree name (estimate: Estimate<float>) expected error =
                let away = estimate.Value - expected
                let allowed = 5.0 * sqrt (estimate.StandardError ** 2.0 + error ** 2.0)
                Expect.isTrue $"{name}: {estimate} against {expected} ± {error}" (abs away <= allowed)

            let whole = TrainedResNet.reference.Value["hutchinson_trace_100_rademacher"]
            agree "all" trace (whole["mean"].GetValue<float>()) (whole["standard_error"].GetValue<float>())
            let expected = TrainedResNet.reference.Value["parameters"].AsArray()
            Expect.isTrue $"{expected.Count} tensors" (expected.Count = layers.Length)

            for layer, node in Seq.zip layers expected do
                let number (name: string) = node[name].GetValue<float>()
                Expect.isTrue layer.Block.Name (layer.Block.Name = node["name"].GetValue<string>())
                agree layer.Block.Name layer.Trace (number "trace_mean") (number "trace_standard_error")
        }
    ]
