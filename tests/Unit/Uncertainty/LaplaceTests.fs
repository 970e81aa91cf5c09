module Curvature.Tests.Unit.LaplaceTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private options = LaplaceOptions.Default
let private x = SmallModels.inputs 41L 30 4

let private y =
    Tensor.matmul x (tensor [ 1.0; -2.0; 0.5; 0.0 ]) + 0.3 * Tensor.normal (Key.OfSeed 42L) DType.Float64 [ 30 ]

let private regression size =
    Batches.split size x y
    |> Risk.ofModel Reduction.Mean SmallModels.linear (Loss.meanSquaredError Reduction.Mean)

let private gram = Tensor.matmul (Tensor.transpose x) x
let private eye = Tensor.eye DType.Float64

/// The posterior mean for a prior precision and a noise variance.
let private mode precision noise =
    Tensor.solve (gram / noise + precision * eye 4) (Tensor.matmul (Tensor.transpose x) y / noise)

/// ln N(y; 0, σ²I + XXᵀ/δ).
let private closedForm precision noise =
    let covariance = noise * eye 30 + Tensor.matmul x (Tensor.transpose x) / precision
    let square = (Tensor.dot y (Tensor.solve covariance y)).ToScalar()
    -0.5 * (30.0 * log (2.0 * Math.PI) + (Tensor.logdet covariance).ToScalar() + square)

let private fitted structure precision noise =
    let options = options.WithStructure(structure).WithPriorPrecision precision
    Laplace.fit options (Likelihood.gaussian noise) (regression 7) (mode precision noise)

/// (f(x + h) − f(x − h))/2h along the logarithm of a number.
let private slope (f: float -> float) (at: float) =
    let h = 1e-5
    (f (at * exp h) - f (at * exp -h)) / (2.0 * h)

let private network, networkTheta = SmallModels.network, SmallModels.networkTheta
let private networkInputs = SmallModels.networkInputs 12
let private classes = SmallModels.classes networkInputs 5

[<Tests>]
let tests =
    testList "Unit.LaplaceTests" [
        test "the log evidence of a linear regression is the closed form" {
            for precision, noise in [ 1.0, 0.09; 0.01, 1.0; 30.0, 0.5 ] do
                let found = fitted LaplaceStructure.Full precision noise
                let expected = closedForm precision noise
                Expect.within "the evidence" (1e-10 * abs expected) expected found.LogEvidence
                Expect.within "at the mode" 1e-18 0.0 found.DistanceFromMode
                Expect.equal "samples" 30 found.Samples
        }

        test "another prior and another noise give the posterior that a new fit gives" {
            let theta = mode 1.0 0.09

            let fit precision noise =
                Laplace.fit (options.WithPriorPrecision precision) (Likelihood.gaussian noise) (regression 7) theta

            let moved = (fit 1.0 0.09).WithPriorPrecision(5.0).WithNoiseVariance 0.4
            let anew = fit 5.0 0.4
            Expect.within "the evidence" 1e-10 anew.LogEvidence moved.LogEvidence
            Expect.tensorsClose 1e-13 anew.Variances moved.Variances
            Expect.within "the distance" 1e-11 anew.DistanceFromMode moved.DistanceFromMode
            // In a linear model, the evidence and the distance make up the evidence at the mode.
            let whole = moved.LogEvidence + moved.DistanceFromMode
            Expect.within "the whole" 1e-9 (closedForm 5.0 0.4) whole
        }

        test "the covariance is the inverse of the precision, in samples too" {
            let found = fitted LaplaceStructure.Full 2.0 0.3
            let expected = Tensor.inverse (gram / 0.3 + 2.0 * eye 4)
            Expect.tensorsClose 1e-13 expected (LinearOperator.dense found.Covariance)
            Expect.tensorsClose 1e-13 (Tensor.diagonal expected) found.Variances
            let key = Key.OfSeed 45L
            let draws = 20_000
            let centered = found.Draw(key, draws) - mode 2.0 0.3
            let covariance = Tensor.matmul (Tensor.transpose centered) centered / float draws

            for i in 0..3 do
                for j in 0..3 do
                    let at (t: Tensor) = (t[i, j]).ToScalar()

                    let deviation =
                        sqrt (
                            (at expected ** 2.0 + expected[i, i].ToScalar() * expected[j, j].ToScalar()) / float draws
                        )

                    Expect.within $"covariance {i}, {j}, {key}" (5.0 * deviation) (at expected) (at covariance)

            Expect.sameBits (found.Draw(key, 3)) (Tensor.slice 0 0 3 (found.Draw(key, 7)))
        }

        test "gradients of the evidence are those of differences" {
            let layout = ParameterLayout.ofShapes [ "w", [ 4 ] ]
            let corrected = KfacOptions.Default.WithCorrectedEigenvalues true

            for structure in
                [
                    LaplaceStructure.Full
                    LaplaceStructure.Diagonal
                    LaplaceStructure.LowRank 2
                    LaplaceStructure.Kronecker layout
                    LaplaceStructure.Kronecker(layout, corrected)
                ] do
                let found = fitted structure 2.0 0.3
                let byPrecision (p: float) = found.WithPriorPrecision(p).LogEvidence
                let byNoise (v: float) = found.WithNoiseVariance(v).LogEvidence
                Expect.within $"{structure}, prior" 1e-6 (slope byPrecision 2.0) found.LogPriorPrecisionGradient
                Expect.within $"{structure}, noise" 1e-6 (slope byNoise 0.3) found.LogNoiseVarianceGradient
        }

        test "a tuned posterior has the largest evidence, and a network's prior too" {
            let tuned = fitted LaplaceStructure.Full 2.0 0.3 |> Laplace.tune
            Expect.within "prior" 1e-9 0.0 tuned.LogPriorPrecisionGradient
            Expect.within "noise" 1e-9 0.0 tuned.LogNoiseVarianceGradient

            for factor in [ 0.9; 1.1 ] do
                let other = tuned.WithPriorPrecision(factor * tuned.PriorPrecision)
                Expect.isTrue "less evidence" (other.LogEvidence < tuned.LogEvidence)
                let other = tuned.WithNoiseVariance(factor * tuned.NoiseVariance)
                Expect.isTrue "less evidence" (other.LogEvidence < tuned.LogEvidence)

            let ofClasses = Laplace.fit options Likelihood.categorical classes networkTheta |> Laplace.tune
            Expect.within "prior of classes" 1e-9 0.0 ofClasses.LogPriorPrecisionGradient
            Expect.isTrue "no noise" (Double.IsNaN ofClasses.NoiseVariance)
        }

        test "structures keep what they say of the Fisher matrix" {
            let fisher = 12.0 * Fisher.ofRisk (FisherKind.exact Likelihood.categorical) classes networkTheta
            let dense = LinearOperator.dense fisher
            let n = networkTheta.Size

            let fit structure =
                Laplace.fit
                    (options.WithStructure(structure).WithPriorPrecision 0.5)
                    Likelihood.categorical
                    classes
                    networkTheta

            let check structure (matrix: Tensor) =
                let found, precision = fit structure, matrix + 0.5 * eye n
                let inverse = Tensor.inverse precision
                Expect.tensorsClose 1e-9 (Tensor.diagonal inverse) found.Variances
                Expect.tensorsClose 1e-9 inverse (LinearOperator.dense found.Covariance)
                let logDeterminant = (Tensor.logdet precision).ToScalar()
                Expect.within $"{structure}" 1e-8 logDeterminant found.LogDeterminant

            check LaplaceStructure.Full dense
            check LaplaceStructure.Diagonal (Tensor.diag (Tensor.diagonal dense))
            let values, vectors = Tensor.eigh dense
            let top = Tensor.slice 1 (n - 5) 5 vectors
            let kept = Tensor.slice 0 (n - 5) 5 values
            check (LaplaceStructure.LowRank 5) (Tensor.matmul (top * kept) (Tensor.transpose top))
        }

        test "Float32 parameters have a posterior near that of Float64" {
            let single = SmallModels.classes (Tensor.convert DType.Float32 networkInputs) 5
            let kronecker = LaplaceStructure.Kronecker network.Layout

            for structure in [ LaplaceStructure.Full; LaplaceStructure.Diagonal; kronecker ] do
                let options = options.WithStructure structure
                let wide = Laplace.fit options Likelihood.categorical classes networkTheta

                let narrow =
                    Laplace.fit options Likelihood.categorical single (Tensor.convert DType.Float32 networkTheta)

                Expect.within "the evidence" 1e-3 wide.LogEvidence narrow.LogEvidence
                let predict (p: LaplacePosterior) (inputs: Tensor) = (Laplace.predict inputs p).Probabilities

                Expect.tensorsClose
                    1e-4
                    (predict wide networkInputs)
                    (predict narrow (Tensor.convert DType.Float32 networkInputs))
        }

        test "by K-FAC, the log evidence of a linear regression is the closed form" {
            let layout = ParameterLayout.ofShapes [ "w", [ 4 ] ]

            for precision, noise in [ 1.0, 0.09; 0.01, 1.0; 30.0, 0.5 ] do
                let found = fitted (LaplaceStructure.Kronecker layout) precision noise
                let expected = closedForm precision noise
                Expect.within "the evidence" (1e-10 * abs expected) expected found.LogEvidence
                let inverse = Tensor.inverse (gram / noise + precision * eye 4)
                Expect.tensorsClose 1e-13 (Tensor.diagonal inverse) found.Variances
        }

        for corrects, name in [ false, "K-FAC"; true, "EK-FAC" ] do
            test $"a posterior by {name} is that of its matrix, of all parameters and of some by name" {
                let kfac = KfacOptions.Default.WithCorrectedEigenvalues corrects
                let exactly = kfac.WithKind(KfacKind.fisher (FisherKind.exact Likelihood.categorical))

                let check (layout: ParameterLayout) risk (theta: Tensor) =
                    let structure = LaplaceStructure.Kronecker(layout, kfac)

                    let found =
                        Laplace.fit
                            (options.WithStructure(structure).WithPriorPrecision 0.5)
                            Likelihood.categorical
                            risk
                            theta

                    let k = LinearOperator.dense (Kfac.estimateWith exactly layout risk theta).Operator
                    let precision = 12.0 * k + 0.5 * eye theta.Size
                    let inverse = Tensor.inverse precision
                    Expect.tensorsClose 1e-10 (Tensor.diagonal inverse) found.Variances
                    Expect.tensorsClose 1e-10 inverse (LinearOperator.dense found.Covariance)
                    let logDeterminant = (Tensor.logdet precision).ToScalar()
                    Expect.within "ln det" 1e-9 logDeterminant found.LogDeterminant
                    Expect.within "γ" 1e-9 (float theta.Size - 0.5 * Matrices.trace inverse) found.EffectiveParameters
                    Expect.stringContains "name" name (string found)

                    // A sample is θ + P^−½z.
                    let struct (z, draws) = found.DrawWithNoise(Key.OfSeed 46L, 0, 3)
                    let away = draws - Tensor.flatten theta
                    let squares = Tensor.sumAxes [ 1 ] (away * Tensor.matmul away precision)
                    Expect.tensorsClose 1e-9 (Tensor.sumAxes [ 1 ] (Tensor.square z)) squares
                    Expect.isEmpty "warnings" (List.ofSeq found.Warnings)

                check network.Layout classes networkTheta

                for names in [ [ "2.weight"; "2.bias" ]; [ "0.weight" ] ] do
                    let layout = network.Layout.Restrict names
                    let pieces = network.Layout.Pieces networkTheta
                    let some = Tensor.concat 0 [ for tensor in layout.Tensors -> Tensor.flatten pieces[tensor.Name] ]
                    check layout (classes |> Risk.restrictTo names network.Layout networkTheta) some
            }

        test "of drawn targets K-FAC gives a posterior near that of the exact Fisher matrix" {
            let fit kind =
                let structure = LaplaceStructure.Kronecker(network.Layout, KfacOptions.Default.WithKind kind)
                Laplace.fit (options.WithStructure structure) Likelihood.categorical classes networkTheta

            let key = Key.OfSeed 47L
            let drawn = fit (KfacKind.fisher (FisherKind.monteCarlo Likelihood.categorical 2000 key))
            let exact = fit KfacKind.gaussNewton
            // The spread over keys is about 0.03.
            Expect.within $"ln det, {key}" 0.3 exact.LogDeterminant drawn.LogDeterminant
            Expect.isGreaterThan "drawn" (abs (exact.LogDeterminant - drawn.LogDeterminant), 1e-6)
        }

        test "the last layer alone is a posterior of its tensors" {
            let names = [ "2.weight"; "2.bias" ]
            let layout = network.Layout.Restrict names
            let risk = classes |> Risk.restrictTo names network.Layout networkTheta
            let last = networkTheta |> Tensor.slice 0 (networkTheta.Size - layout.Size) layout.Size
            let found = Laplace.fit options Likelihood.categorical risk last
            Expect.equal "the size" layout.Size found.Size
            let whole = Fisher.ofRisk (FisherKind.exact Likelihood.categorical) classes networkTheta
            let block = LinearOperator.block (networkTheta.Size - layout.Size) layout.Size whole
            let expected = Tensor.inverse (12.0 * LinearOperator.dense block + eye layout.Size)
            Expect.tensorsClose 1e-10 expected (LinearOperator.dense found.Covariance)
            Expect.equal "inputs" 12 (Laplace.predict networkInputs found).Samples
        }

        test "bad input is refused" {
            let theta = mode 1.0 1.0
            let gaussian = Likelihood.gaussian 1.0
            let fit options risk () = Laplace.fit options gaussian risk theta |> ignore
            let alone = Risk.ofOutputs (Tensor.matmul x) Tensor.sum
            Expect.error<DataException> [ "needs data" ] (fit options alone)
            let loss = Risk.ofBatches Reduction.Mean (fun _ theta -> Tensor.sum theta) (Batches.split 5 x y)
            Expect.error<OperatorException> [ "Laplace"; "Risk.ofModel" ] (fit options loss)

            Expect.error<ArgumentRangeException>
                [ "rank"; "below the 4" ]
                (fit (options.WithStructure(LaplaceStructure.LowRank 4)) (regression 7))

            Expect.error<ArgumentRangeException> [ "rank" ] (fun () -> LaplaceStructure.LowRank 0 |> ignore)

            Expect.error<ArgumentRangeException> [ "Kronecker"; "inputs only" ] (fun () ->
                LaplaceStructure.Kronecker(network.Layout, KfacOptions.Default.WithKind KfacKind.inputsOnly) |> ignore)

            Expect.error<ShapeException>
                [ "Kfac"; "[27]" ]
                (fit (options.WithStructure(LaplaceStructure.Kronecker network.Layout)) (regression 7))

            Expect.error<ArgumentRangeException> [ "-1" ] (fun () -> options.WithPriorPrecision -1.0 |> ignore)
            let found = Laplace.fit options gaussian (regression 7) theta
            Expect.error<ArgumentRangeException> [ "NaN" ] (fun () -> found.WithNoiseVariance nan |> ignore)
            Expect.error<ArgumentRangeException> [ "0" ] (fun () -> found.Draw(Key.OfSeed 1L, 0) |> ignore)
            let classes = Laplace.fit options Likelihood.categorical classes networkTheta
            Expect.error<OperatorException> [ "no noise" ] (fun () -> classes.WithNoiseVariance 1.0 |> ignore)
            let predictive = Laplace.predict x found
            Expect.error<OperatorException> [ "no probabilities" ] (fun () -> predictive.Probabilities |> ignore)
        }
    ]
