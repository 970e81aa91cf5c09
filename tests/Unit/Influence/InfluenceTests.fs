module Curvature.Tests.Unit.InfluenceTests

open System
open System.IO
open System.IO.Compression
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private lambda = 0.7
let private x = SmallModels.inputs 91L 15 4
let private y = Tensor.normal (Key.OfSeed 92L) DType.Float64 [ 15 ]
let private eye = Tensor.eye DType.Float64 4

/// ½Σ(y − xᵀθ)² + ½λ|θ|², or the mean of the first part.
let private ridge reduction size =
    let halfSquares targets outputs = 0.5 * Loss.meanSquaredError reduction targets outputs

    Batches.split size x y
    |> Risk.ofModel reduction SmallModels.linear halfSquares
    |> Risk.withTerm (fun theta -> 0.5 * lambda * Tensor.dot theta theta)

/// The minimum without some samples, whose weights stay as they are.
let private minimum weight (left: int list) =
    let kept = [| 0..14 |] |> Array.filter (fun i -> not (List.contains i left))
    let index = Tensor.ofIndices [ kept.Length ] kept
    let x, y = Tensor.take 0 index x, Tensor.take 0 index y
    let a = weight * Tensor.matmul (Tensor.transpose x) x + lambda * eye
    Tensor.solve a (weight * Tensor.matmul (Tensor.transpose x) y)

let private exactly =
    InfluenceOptions.Default.WithDamping(0.0).WithSolving(SolverOptions.Default.WithTolerance 1e-14)

let private testLoss =
    let inputs, targets = SmallModels.inputs 93L 5 4, Tensor.normal (Key.OfSeed 94L) DType.Float64 [ 5 ]

    Risk.ofModel
        Reduction.Mean
        SmallModels.linear
        (Loss.meanSquaredError Reduction.Mean)
        (Batches.split 2 inputs targets)

/// Rows of the digits: pixels/16 with a constant, and labels.
let private digits first count =
    use file = File.OpenRead(SharedData.path "data/digits.csv.gz")
    use reader = new StreamReader(new GZipStream(file, CompressionMode.Decompress))

    let rows =
        Array.init (first + count) (fun _ -> reader.ReadLine().Split ',' |> Array.map float) |> Array.skip first

    let inputs =
        rows |> Array.collect (fun row -> Array.append (row[..63] |> Array.map (fun pixel -> pixel / 16.0)) [| 1.0 |])

    Tensor.ofArray [ count; 65 ] inputs, Tensor.ofIndices [ count ] (rows |> Array.map (fun row -> int row[64]))

[<Tests>]
let tests =
    testList "Unit.InfluenceTests" [
        for reduction, size in [ Reduction.Sum, 15; Reduction.Sum, 4; Reduction.Mean, 6 ] do
            for matrix in [ InfluenceMatrix.GaussNewton; InfluenceMatrix.Hessian ] do
                test $"influence over 1 − hᵢᵢ is the change of ridge regression ({reduction}, {size}, {matrix})" {
                    let weight = if reduction = Reduction.Sum then 1.0 else 1.0 / 15.0
                    let theta = minimum weight []
                    let a = weight * Tensor.matmul (Tensor.transpose x) x + lambda * eye
                    let hat = weight * Tensor.diagonal (Tensor.matmul x (Tensor.solve a (Tensor.transpose x)))

                    let found =
                        Influence.onParameters (exactly.WithMatrix matrix) (ridge reduction size) [ 0..14 ] theta

                    for i in 0..14 do
                        let change = minimum weight [ i ] - theta
                        Expect.tensorsClose 1e-10 change (found[i] / (1.0 - hat[i].ToScalar()))
                }

        test "influence on a loss is the gradient times that on the parameters, by any solver" {
            let theta, risk = minimum 1.0 [], ridge Reduction.Sum 4
            let onParameters = Influence.onParameters exactly risk [ 0..14 ] theta
            let gradient = (Gradient.ofRisk testLoss theta).Gradient
            let expected = (Tensor.matmul onParameters gradient).ToArray()
            Expect.close 1e-12 expected (Influence.onLoss exactly risk testLoss theta).Values

            let largest =
                (Tensor.max (fst (Tensor.eigh (Tensor.matmul (Tensor.transpose x) x + lambda * eye)))).ToScalar()

            let series = exactly.WithSolver(Neumann.solver (1.0 / largest))
            Expect.close 1e-11 expected (Influence.onLoss series risk testLoss theta).Values
            let order = (Influence.onLoss exactly risk testLoss theta).Order
            Expect.equal "the order" (Array.sortBy (fun i -> -expected[i]) [| 0..14 |]) order
        }

        test "bounds hold what a loose solve makes wrong" {
            let theta, risk = minimum 1.0 [], ridge Reduction.Sum 4
            let options = InfluenceOptions.Default.WithDamping 0.5

            let right =
                Influence.onLoss (options.WithSolving(SolverOptions.Default.WithTolerance 1e-14)) risk testLoss theta

            for iterations in [ 1; 2; 3 ] do
                let loose =
                    Influence.onLoss
                        (options.WithSolving(SolverOptions.Default.WithMaxIterations iterations))
                        risk
                        testLoss
                        theta

                let errors = Array.map2 (fun a b -> abs (a - b)) right.Values loose.Values
                Expect.isTrue "within" (Array.forall2 (fun error bound -> error <= bound) errors loose.Bounds)
                Expect.isTrue $"some error after {iterations}" (Array.max errors > 0.0)

            let unknown = Influence.onLoss (options.WithMatrix InfluenceMatrix.Hessian) risk testLoss theta
            Expect.isTrue "no bound" (unknown.Bounds |> Array.forall Double.IsPositiveInfinity)
        }

        test "by an approximation, influence is that of its inverse, with bounds from the true matrix" {
            let theta, risk = minimum 1.0 [], ridge Reduction.Sum 4
            // The weights of a linear model with one output: K-FAC is exact, and the term adds λ to each eigenvalue.
            let layout = ParameterLayout.ofShapes [ "w", [ 4 ] ]
            let k = Kfac.estimate layout risk theta
            let exact = Influence.onLoss exactly risk testLoss theta
            let found = Influence.onLoss (exactly.WithApproximation k) risk testLoss theta
            Expect.close 1e-12 exact.Values found.Values
            let moves options = Influence.onParameters options risk [ 0..14 ] theta
            Expect.tensorsClose 1e-12 (moves exactly) (moves (exactly.WithApproximation k))

            // One that is wrong: the bounds hold all the same.
            let options = InfluenceOptions.Default.WithDamping 0.5
            let wrong = Influence.onLoss (options.WithApproximation(k.Damped 3.0)) risk testLoss theta

            let right =
                Influence.onLoss (options.WithSolving(SolverOptions.Default.WithTolerance 1e-14)) risk testLoss theta

            let errors = Array.map2 (fun a b -> abs (a - b)) right.Values wrong.Values
            Expect.isTrue "within" (Array.forall2 (fun error bound -> error <= bound) errors wrong.Bounds)
            Expect.isGreaterThan "wrong" (Array.max errors, 0.01 * (right.Values |> Array.map abs |> Array.max))
            let solution = nonNull wrong.Solution
            Expect.isTrue (string solution) (solution.Residuals[0] > 0.01)
            let expected = k.Damped(3.0 + 0.5 + lambda).Inverse().Apply((Gradient.ofRisk testLoss theta).Gradient)
            Expect.tensorsClose 1e-12 expected solution.Value
            Expect.stringContains "the way" "inverse of K-FAC" (string (options.WithApproximation k))

            Expect.isFalse
                "a solver takes its place"
                ((options.WithApproximation k).WithSolver(Minres.solver)).IsApproximate
        }

        test "of a network, EK-FAC's influence goes with that of the damped matrix" {
            let network = Network.mlp Layer.tanh [ 4; 6; 3 ]
            let inputs, labels = SmallModels.inputs 95L 60 4, SmallModels.labels 60
            let criterion = Loss.softmaxCrossEntropy Reduction.Mean
            let risk = network |> Network.risk Reduction.Mean criterion (Batches.split 20 inputs labels)
            let training = risk |> Risk.withTerm (fun theta -> Tensor.dot theta theta / 120.0)
            let start = Network.initialize (Key.OfSeed 96L) DType.Float64 network
            let theta = (Lbfgs.minimize (LbfgsOptions.Default.WithIterations 300) training start).Theta
            let heldOut = SmallModels.inputs 97L 30 4, SmallModels.labels 30
            let loss = network |> Network.risk Reduction.Mean criterion (Batches.split 30 (fst heldOut) (snd heldOut))
            let options = InfluenceOptions.Default.WithDamping 1e-3
            let exact = Influence.onLoss options training loss theta
            let drawn = FisherKind.monteCarlo Likelihood.categorical 20 (Key.OfSeed 98L)

            for kind in [ KfacKind.gaussNewton; KfacKind.fisher drawn ] do
                let kfac = KfacOptions.Default.WithCorrectedEigenvalues(true).WithKind kind
                let ek = Kfac.estimateWith kfac network.Layout training theta
                let found = Influence.onLoss (options.WithApproximation ek) training loss theta
                let check = RetrainingCheck([| 0..59 |], found.Values, exact.Values)
                printfn $"network, {kind}: EK-FAC with CG {check.Correlation:f3}; {found}"
                Expect.isTrue $"correlation {check.Correlation}" (check.Correlation > 0.6)
        }

        test "baselines are products and cosines of gradients" {
            let theta, risk = 0.5 * minimum 1.0 [], ridge Reduction.Sum 4
            let gradients = SampleGradients.matrix SampleOptions.Default risk theta
            let gradient = (Gradient.ofRisk testLoss theta).Gradient
            let products = (Tensor.matmul gradients gradient).ToArray()
            Expect.close 1e-12 products (Influence.dotProducts exactly risk testLoss theta).Values
            let norm (t: Tensor) = (Tensor.norm t).ToScalar()
            let cosines = products |> Array.mapi (fun i p -> p / norm gradients[i] / norm gradient)
            Expect.close 1e-12 cosines (Influence.cosines exactly risk testLoss theta).Values
        }

        test "retraining ridge regression finds what was predicted" {
            let theta, risk = minimum 1.0 [], ridge Reduction.Sum 4
            let influence = Influence.onLoss exactly risk testLoss theta
            let found = influence |> Influence.retrain SmallModels.newton risk testLoss [ 0..14 ] theta

            for i in 0..14 do
                let change = Risk.value testLoss (minimum 1.0 [ i ]) - Risk.value testLoss theta
                Expect.within $"sample {i}" 1e-11 change found.Actual[i]

            Expect.isTrue "correlated" (found.Correlation > 0.9)
            Expect.equal "samples" [| 0..14 |] found.Samples
            let interval = found.CorrelationInterval 0.95
            Expect.isTrue "around" (interval.Low < found.Correlation && found.Correlation < interval.High)
        }

        test "correlations of known numbers" {
            let check = RetrainingCheck([| 0..3 |], [| 1.0; 2.0; 3.0; 4.0 |], [| 2.0; 4.0; 6.0; 100.0 |])
            // Σ(x − 2.5)(y − 28) = 148; Σ(x − 2.5)² = 5; Σ(y − 28)² = 6920.
            Expect.within "Pearson" 1e-14 (148.0 / sqrt (5.0 * 6920.0)) check.Correlation
            Expect.within "Spearman" 1e-14 1.0 check.RankCorrelation
        }

        test "influence on the loss of a logistic regression on digits correlates with retraining" {
            let inputs, labels = digits 0 200
            let heldOut, heldLabels = digits 200 100

            let model (x: Tensor) (theta: Tensor) = Tensor.einsum "ni,ci->nc" x (Tensor.reshape [ 10; 65 ] theta)

            let criterion = Loss.softmaxCrossEntropy Reduction.Mean

            let risk =
                Batches.split 100 inputs labels
                |> Risk.ofModel Reduction.Mean model criterion
                |> Risk.withTerm (fun theta -> 0.005 * Tensor.dot theta theta)

            let loss = Risk.ofModel Reduction.Mean model criterion (Batches.split 100 heldOut heldLabels)
            let lbfgs = LbfgsOptions.Default.WithIterations(500).WithGradientTolerance 1e-9
            let train risk theta = (Lbfgs.minimize lbfgs risk theta).Theta
            let theta = train risk (Tensor.zeros DType.Float64 [ 650 ])
            let options = InfluenceOptions.Default.WithDamping 0.0
            let influence = Influence.onLoss options risk loss theta
            // The samples of most influence on both sides, and some between.
            let order = influence.Order
            let samples = [| yield! order[..9]; yield! order[190..]; for i in 20..18..180 -> order[i] |]
            let found = influence |> Influence.retrain train risk loss samples theta

            let of' (baseline: SampleInfluence) =
                let values = samples |> Array.map (fun i -> baseline.Values[i])
                RetrainingCheck(samples, values, found.Actual).Correlation

            let products = of' (Influence.dotProducts options risk loss theta)
            let cosines = of' (Influence.cosines options risk loss theta)

            // By EK-FAC in place of solving.
            let layout = ParameterLayout.ofShapes [ "weight", [ 10; 65 ] ]
            let ek = Kfac.estimateWith (KfacOptions.Default.WithCorrectedEigenvalues true) layout risk theta
            let byEkfac = Influence.onLoss (options.WithApproximation ek) risk loss theta
            let all = [| 0..199 |]
            let withCg = RetrainingCheck(all, byEkfac.Values, influence.Values)
            let ofEkfac = of' byEkfac

            printfn $"digits: {found}; EK-FAC {ofEkfac:f3}, gradient products {products:f3}, cosines {cosines:f3}"
            printfn $"EK-FAC with CG: {withCg.Correlation:f3}, of ranks {withCg.RankCorrelation:f3}; {byEkfac}"

            Expect.isTrue $"EK-FAC with CG, {withCg.Correlation}" (withCg.Correlation > 0.85)
            Expect.isTrue $"the correlation, {found.Correlation}" (found.Correlation > 0.9)
            Expect.isTrue "baselines are worse" (found.Correlation > products && found.Correlation > cosines)
        }

        test "bad input is refused" {
            let theta, risk = minimum 1.0 [], ridge Reduction.Sum 4
            let parameters samples () = Influence.onParameters exactly risk samples theta |> ignore
            Expect.error<ArgumentRangeException> [ "15 samples"; "15" ] (parameters [ 0; 15 ])
            Expect.error<ArgumentRangeException> [ "-1" ] (parameters [ -1 ])
            Expect.error<ArgumentRangeException> [ "one sample" ] (parameters [])
            let influence = Influence.onLoss exactly risk testLoss theta

            let retrain samples () =
                influence |> Influence.retrain SmallModels.newton risk testLoss samples theta |> ignore

            Expect.error<ArgumentRangeException> [ "15 samples" ] (retrain [ 99 ])
            let alone = Risk.ofOutputs id (fun o -> Tensor.dot o o)

            Expect.error<DataException> [ "no samples" ] (fun () ->
                Influence.onLoss exactly alone testLoss theta |> ignore)

            Expect.error<ArgumentRangeException> [ "damping" ] (fun () -> exactly.WithDamping -1.0 |> ignore)

            Expect.error<ArgumentRangeException> [ "99" ] (fun () ->
                exactly.WithMatrix(enum<InfluenceMatrix> 99) |> ignore)

            // A Hessian that is not definite.
            let concave =
                Risk.ofBatches
                    Reduction.Sum
                    (fun batch theta -> -(Tensor.sum (Tensor.square (Tensor.matmul batch.Inputs theta))))
                    (Batches.split 5 x y)

            Expect.error<OperatorException> [ "could not be solved"; "damp" ] (fun () ->
                Influence.onLoss (exactly.WithMatrix InfluenceMatrix.Hessian) concave testLoss theta |> ignore)
        }
    ]
