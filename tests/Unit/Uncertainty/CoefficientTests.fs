module Curvature.Tests.Unit.CoefficientTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private options = SampleOptions.Default
let private layout = ParameterLayout.ofShapes [ "weight", [ 2 ]; "bias", [] ]
let private x = SmallModels.logisticInputs
let private fitted = SmallModels.newton (SmallModels.logistic Reduction.Sum 40) (Tensor.zeros DType.Float64 [ 3 ])

/// p(1 − p) of each sample.
let private weights theta =
    let p = Tensor.sigmoid (Tensor.matmul x theta)
    Tensor.unsqueeze 1 (p * (1.0 - p))

let private information theta = Tensor.matmul (Tensor.transpose x) (weights theta * x)

/// A linear regression whose noise has the variance 1.
let private linear (x: Tensor) (y: Tensor) =
    Batches.split 10 x y
    |> Risk.ofModel Reduction.Sum SmallModels.linear (Likelihood.loss (Likelihood.gaussian 1.0) Reduction.Sum)

let private leastSquares (x: Tensor) (y: Tensor) =
    Tensor.solve (Tensor.matmul (Tensor.transpose x) x) (Tensor.matmul (Tensor.transpose x) y)

[<Tests>]
let tests =
    testList "Unit.CoefficientTests" [
        test "standard errors of a logistic regression are the roots of the diagonal of (XᵀWX)⁻¹" {
            let expected = Tensor.inverse (information fitted)

            for reduction, size in [ Reduction.Sum, 40; Reduction.Mean, 7 ] do
                let found = CoefficientTable.inverseHessian layout (SmallModels.logistic reduction size) fitted
                Expect.tensorsClose 1e-10 expected found.Covariance
                Expect.close 1e-10 ((Tensor.sqrt (Tensor.diagonal expected)).ToArray()) found.StandardErrors
                Expect.within "at the minimum" 1e-15 0.0 found.DistanceFromMinimum
        }

        test "the sandwich is A⁻¹BA⁻¹, and its errors are right where the noise is not what the likelihood says" {
            let residuals = Tensor.sigmoid (Tensor.matmul x fitted) - SmallModels.logisticTargets
            let g = Tensor.unsqueeze 1 residuals * x
            let b = Tensor.matmul (Tensor.transpose g) g
            let inverse = Tensor.inverse (information fitted)
            let expected = Tensor.matmul inverse (Tensor.matmul b inverse)

            for reduction, size in [ Reduction.Sum, 40; Reduction.Mean, 7 ] do
                let found = CoefficientTable.sandwich options layout (SmallModels.logistic reduction size) fitted
                Expect.tensorsClose 1e-10 expected found.Covariance

            // Noise that grows with the first input.
            let key = Key.OfSeed 81L
            let layout = ParameterLayout.ofShapes [ "w", [ 2 ] ]
            let truth = tensor [ 1.0; -1.0 ]

            let runs =
                [
                    for run in 0u .. 299u do
                        let x = Tensor.normal (key.FoldIn(2u * run)) DType.Float64 [ 200; 2 ]
                        let noise = Tensor.normal (key.FoldIn(2u * run + 1u)) DType.Float64 [ 200 ]
                        let y = Tensor.matmul x truth + 0.5 * Tensor.square (Tensor.item 1 0 x) * noise
                        let theta = leastSquares x y
                        let risk = linear x y

                        let isCovered (table: CoefficientTable) =
                            abs (table["w[0]"].Estimate - 1.0) <= 1.96 * table["w[0]"].StandardError

                        isCovered (CoefficientTable.sandwich options layout risk theta),
                        isCovered (CoefficientTable.inverseHessian layout risk theta)
                ]

            let share choose = runs |> List.filter choose |> List.length
            // Of 300 at 95 %, 285 ± 3.8 are expected; the sandwich of 200 samples is a little too narrow.
            Expect.inRange $"sandwich, {key}" 255 300 (share fst)
            Expect.isTrue $"the inverse Hessian covers less, {key}" (share snd < share fst - 20)
        }

        test "names, z, p and intervals are those of a table" {
            let table = CoefficientTable.inverseHessian layout (SmallModels.logistic Reduction.Sum 40) fitted
            Expect.equal "names" [ "weight[0]"; "weight[1]"; "bias" ] [ for row in table.Rows -> row.Name ]
            let row = table["bias"]
            Expect.equal "estimate" (fitted.ToArray()[2]) row.Estimate
            Expect.within "z" 1e-15 (row.Estimate / row.StandardError) row.Z
            let interval = row.Interval 0.95
            Expect.within "low" 1e-12 (row.Estimate - 1.959963984540054 * row.StandardError) interval.Low
            let unit = Coefficient("a", 1.96, 1.0)
            Expect.within "p" 1e-12 0.04999579029644087 unit.PValue
            Expect.stringContains "the table has a header" "std. error" (string table)
            Expect.error<ParameterException> [ "gamma"; "bias" ] (fun () -> table["gamma"] |> ignore)
        }

        test "the names of a matrix have two positions" {
            let names = CoefficientTable.names (ParameterLayout.ofShapes [ "w", [ 2; 2 ]; "b", [ 1 ] ])
            Expect.equal "names" [| "w[0, 0]"; "w[0, 1]"; "w[1, 0]"; "w[1, 1]"; "b" |] names
        }

        test "the profile interval of a linear regression is the Wald interval" {
            let x, y = SmallModels.inputs 82L 25 3, Tensor.normal (Key.OfSeed 83L) DType.Float64 [ 25 ]
            let layout = ParameterLayout.ofShapes [ "w", [ 3 ] ]
            let theta = leastSquares x y
            let table = CoefficientTable.inverseHessian layout (linear x y) theta
            let wald = table["w[1]"].Interval 0.9
            let found = ProfileLikelihood.interval 0.9 "w[1]" layout (linear x y) theta
            Expect.within "low" 1e-7 wald.Low found.Interval.Low
            Expect.within "high" 1e-7 wald.High found.Interval.High
        }

        test "at the ends of a profile interval of a logistic regression the deviance is the quantile" {
            let risk = SmallModels.logistic Reduction.Mean 9
            let found = ProfileLikelihood.interval 0.95 "weight[0]" layout risk fitted
            let least = 40.0 * Risk.value risk fitted

            for value in [ found.Interval.Low; found.Interval.High ] do
                let held (phi: Tensor) = Tensor.concat 0 [ tensor [ value ]; phi ]
                let others = SmallModels.newton (Risk.compose held risk) (Tensor.slice 0 1 2 fitted)
                let deviance = 2.0 * (40.0 * Risk.value risk (held others) - least)
                Expect.within "the deviance" 1e-5 3.841458820694124 deviance

            // It is skewed as the likelihood is.
            let table = CoefficientTable.inverseHessian layout risk fitted
            let wald = table["weight[0]"].Interval 0.95
            let above, below = found.Interval.High - found.Estimate, found.Estimate - found.Interval.Low
            Expect.isTrue "not symmetric" (abs (above - below) > 0.01)
            Expect.within "near Wald's" 0.3 wald.High found.Interval.High
        }

        test "a likelihood that does not end has an infinite interval" {
            // All targets are yes, but for a prior that keeps the bias: the weight of an input of one sign may grow.
            let inputs, targets = tensor [ [ 1.0 ]; [ 1.0 ]; [ 1.0 ] ], tensor [ 1.0; 1.0; 0.0 ]

            let risk =
                Batches.split 3 inputs targets
                |> Risk.ofModel Reduction.Sum (fun x theta -> Tensor.minimum (Tensor.matmul x theta) 1.0) (fun t o ->
                    0.1 * Likelihood.loss Likelihood.bernoulli Reduction.Sum t o)

            let layout = ParameterLayout.ofShapes [ "w", [ 1 ] ]
            let theta = SmallModels.newton risk (Tensor.zeros DType.Float64 [ 1 ])
            let found = ProfileLikelihood.interval 0.95 "w" layout risk theta
            Expect.equal "above" infinity found.Interval.High
            Expect.isTrue "below" (Double.IsFinite found.Interval.Low)
        }

        test "bad input is refused" {
            let risk = SmallModels.logistic Reduction.Sum 40
            let alone = Risk.ofFunction (fun theta -> Tensor.dot theta theta)
            let table layout risk theta () = CoefficientTable.inverseHessian layout risk theta |> ignore
            Expect.error<DataException> [ "need samples" ] (table layout alone fitted)
            let other = ParameterLayout.ofShapes [ "w", [ 2 ] ]
            Expect.error<ShapeException> [ "[2]"; "[3]" ] (table other risk fitted)

            let concave =
                Risk.ofBatches
                    Reduction.Sum
                    (fun b theta -> -(Tensor.sum (Tensor.square (Tensor.matmul b.Inputs theta))))
                    (Batches.split 40 x SmallModels.logisticTargets)

            Expect.error<OperatorException> [ "not positive definite" ] (table layout concave fitted)

            let profile confidence name theta () =
                ProfileLikelihood.interval confidence name layout risk theta |> ignore

            Expect.error<ArgumentRangeException> [ "confidence" ] (profile 1.0 "bias" fitted)
            Expect.error<ParameterException> [ "gamma" ] (profile 0.9 "gamma" fitted)
            Expect.error<OperatorException> [ "not fitted" ] (profile 0.9 "bias" (fitted + 1.0))
            Expect.error<DTypeException> [ "Float64" ] (profile 0.9 "bias" (Tensor.convert DType.Float32 fitted))
        }
    ]
