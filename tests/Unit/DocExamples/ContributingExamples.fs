/// The F# of CONTRIBUTING.md.
module DocExamples.ContributingExamples

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// The trace of A where that of a nearby B is known: tr A = tr B + E zᵀ(A − B)z. One sample has the variance of a form
/// with A − B.
[<RequireQualifiedAccess>]
module ControlVariate =

    /// With signs. A sample costs a product with A and one with B.
    let estimator (nearby: LinearOperator) (trace: float) : Estimator<Estimate<float>> =
        let difference (block: SampleBlock) = Array.map2 (-) block.Forms (nearby.QuadraticForm(block.Vectors).ToArray())

        let rounding = Rounding.ofProduct nearby.DType trace

        Procedure.Samples(Probe.rademacher, KnownPart.scalar trace rounding difference)
        |> Estimator.make "control variate" OperatorNeed.Square 1 Measurement.trace.Exact

/// How curved a risk is along its gradient g: gᵀHg/gᵀg.
[<RequireQualifiedAccess>]
module GradientCurvature =

    /// At θ. Costs a gradient of the data, and a quadratic form.
    let ofRisk (risk: EmpiricalRisk) (theta: Tensor) : float =
        let point = Hessian.evaluate risk theta
        use hessian = point.Hessian
        let g = Tensor.flatten point.Gradient
        (hessian.QuadraticForm g).ToScalar() / (Tensor.dot g g).ToScalar()

[<Tests>]
let tests =
    testList "DocExamples.ContributingExamples" [
        test "a control variate leaves the variance of the difference" {
            let noise seed = Tensor.normal (Key.OfSeed seed) DType.Float64 [ 30; 30 ]
            let b = LinearOperator.gram (LinearOperator.ofMatrix (noise 1L))
            let a = b + 0.1 * LinearOperator.symmetricPart (LinearOperator.ofMatrix (noise 2L))

            let found =
                let estimator = ControlVariate.estimator b (Exact.trace b).Value
                Estimate.run estimator (StoppingRule.matvecs 400) (Key.OfSeed 3L) a

            let variance = Probe.varianceOfForm Probe.rademacher (LinearOperator.dense (a - b))

            Expect.within "the trace" (5.0 * found.StandardError) (Exact.trace a).Value found.Value
            Expect.withinPercent "its error" 30.0 (sqrt (variance / 400.0)) found.StandardError
        }

        test "the curvature along the gradient does not depend on how the data are cut" {
            let inputs = Tensor.normal (Key.OfSeed 4L) DType.Float64 [ 10; 3 ]
            let targets = Tensor.normal (Key.OfSeed 5L) DType.Float64 [ 10 ]
            let theta = Tensor.normal (Key.OfSeed 6L) DType.Float64 [ 3 ]
            let model inputs theta = Tensor.tanh (Tensor.matmul inputs theta)
            let error = Loss.meanSquaredError Reduction.Mean

            let inBatchesOf size =
                let risk = Risk.ofModel Reduction.Mean model error (Batches.split size inputs targets)
                GradientCurvature.ofRisk risk theta

            Expect.within "in batches of 3" 1e-12 (inBatchesOf 10) (inBatchesOf 3)
        }

        test "the curvature along the gradient of half a sum of squares is 1" {
            let half = Risk.ofFunction (fun x -> 0.5 * Tensor.dot x x)

            Expect.within
                "GradientCurvature.ofRisk half (…"
                1e-14
                1.0
                (GradientCurvature.ofRisk half (Tensor.ones DType.Float64 [ 5 ]))
        }
    ]
