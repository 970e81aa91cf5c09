module Curvature.Tests.Unit.EmpiricalRiskTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private x, private y = Matrices.random 90 41 3, Matrices.random 91 41 2
let private theta = Tensor.flatten (Matrices.random 92 1 12)

/// Twelve parameters: two layers without biases.
let private model (inputs: Tensor) (theta: Tensor) =
    let first, second = Tensor.slice 0 0 6 theta, Tensor.slice 0 6 4 theta
    let hidden = Tensor.tanh (Tensor.matmul inputs (Tensor.reshape [ 3; 2 ] first))
    Tensor.matmul hidden (Tensor.reshape [ 2; 2 ] second) + Tensor.slice 0 10 2 theta

let private criterion reduction targets outputs = Loss.meanSquaredError reduction targets outputs
let private risk reduction size = Risk.ofModel reduction model (criterion reduction) (Batches.split size x y)
let private whole reduction = Risk.ofOutputs (model x) (criterion reduction y)
let private decay (theta: Tensor) = 0.3 * Tensor.sum (Tensor.square (Tensor.square theta))

let private matrices (risk: EmpiricalRisk) =
    let likelihood = Likelihood.gaussian 0.5
    let losses targets outputs = Tensor.sumAxes [ 1 ] (Tensor.square (outputs - targets))

    [
        Hessian.ofRisk risk theta
        GaussNewton.ofRisk risk theta
        Fisher.ofRisk (FisherKind.exact likelihood) risk theta
        if risk.HasData then
            Fisher.ofRisk (FisherKind.empirical losses) risk theta
        else
            Fisher.ofRisk (FisherKind.Empirical(fun _ -> losses y)) risk theta
    ]

let private sameMatrices expected actual =
    for expected, actual in List.zip (matrices expected) (matrices actual) do
        Expect.tensorsClose 1e-11 (LinearOperator.dense expected) (LinearOperator.dense actual)
        let z = Matrices.random 93 3 expected.Columns
        Expect.tensorsClose 1e-11 (expected.QuadraticForm z) (actual.QuadraticForm z)

[<Tests>]
let tests =
    testList "Unit.EmpiricalRiskTests" [
        test "value, gradient and matrices over batches are those of the whole, for every cut and reduction" {
            for reduction in [ Reduction.Mean; Reduction.Sum ] do
                let whole = whole reduction

                for size in [ 1; 5; 41; 50 ] do
                    let parts = risk reduction size
                    Expect.close 1e-12 [| Risk.value whole theta |] [| Risk.value parts theta |]
                    let gradient = Gradient.ofRisk parts theta
                    Expect.close 1e-12 [| Risk.value whole theta |] [| gradient.Loss |]
                    Expect.tensorsClose 1e-12 (Gradient.ofRisk whole theta).Gradient gradient.Gradient
                    sameMatrices whole parts
        }

        test "a term without data is added once" {
            for reduction in [ Reduction.Mean; Reduction.Sum ] do
                let term = LinearOperator.dense (Hessian.at decay theta)

                for risk in [ whole reduction; risk reduction 6 ] do
                    let decayed = Risk.withTerm decay risk
                    let both = Risk.value risk theta + (decay theta).ToScalar()
                    Expect.close 1e-12 [| both |] [| Risk.value decayed theta |]
                    let point = Hessian.evaluate decayed theta
                    Expect.close 1e-12 [| both |] [| point.Loss |]
                    let slope = (Gradient.ofRisk risk theta).Gradient + grad decay theta
                    Expect.tensorsClose 1e-12 slope point.Gradient
                    Expect.tensorsClose 1e-12 slope (Gradient.ofRisk decayed theta).Gradient

                    for before, after in List.zip (matrices risk) (matrices decayed) do
                        Expect.tensorsClose 1e-11 (LinearOperator.dense before + term) (LinearOperator.dense after)
                        Expect.equal "after.Properties" before.Properties after.Properties

                    let twice = Risk.withTerm decay decayed
                    Expect.close 1e-12 [| both + (decay theta).ToScalar() |] [| Risk.value twice theta |]
                    let direction = Direction.random (Key.OfSeed 94L) theta
                    let line = Landscape.line decayed theta direction [ -0.5; 0.0; 0.5 ]
                    let at t = theta + t * Tensor.reshape [ 12 ] direction.Vector
                    Expect.close 1e-12 [| for t in line.Positions -> Risk.value decayed (at t) |] line.Losses
                    let curvature = (point.Hessian.QuadraticForm(Tensor.flatten direction.Vector)).ToScalar()
                    Expect.close 1e-11 [| curvature |] [| line.Model.Curvatures[0, 0] |]
        }

        test "what batches say of a trace includes the term" {
            let diagnosis =
                Hessian.ofRisk (Risk.withTerm decay (risk Reduction.Mean 6)) theta
                |> Diagnose.run DiagnoseOptions.Default

            Expect.isTrue (string diagnosis) diagnosis.IsHealthy
            let exact = (Exact.trace (Hessian.ofRisk (Risk.withTerm decay (whole Reduction.Mean)) theta)).Value
            let found = diagnosis.TraceUncertainty
            Expect.isTrue $"{found} against {exact}" (abs (found.Trace - exact) < 6.0 * found.ErrorForTheseData)
        }

        test "a risk restricted by name has the blocks of the matrices, and costs only those" {
            let layout = ParameterLayout.ofShapes [ "first", [ 3; 2 ]; "second", [ 2; 2 ]; "bias", [ 2 ] ]
            let parts = layout |> ParameterLayout.split theta

            for names in [ [ "second" ]; [ "bias"; "first" ]; [ "first"; "second"; "bias" ] ] do
                let free = layout |> ParameterLayout.restrict names
                // Names come in the order of the layout.
                let point = free |> ParameterLayout.join [ for t in free.Tensors -> t.Name, parts[t.Name] ]

                let indices =
                    [|
                        for t in free.Tensors do
                            yield! [| layout[t.Name].Offset .. layout[t.Name].Offset + t.Size - 1 |]
                    |]
                    |> fun places -> Tensor.ofIndices [ places.Length ] places

                let block (matrix: Tensor) = matrix |> Tensor.take 0 indices |> Tensor.take 1 indices

                for risk in [ whole Reduction.Mean; risk Reduction.Mean 6 ] do
                    let risk = Risk.withTerm decay risk
                    let restricted = risk |> Risk.restrictTo names layout theta
                    Expect.close 1e-12 [| Risk.value risk theta |] [| Risk.value restricted point |]
                    let expected = Hessian.evaluate risk theta
                    let actual = Hessian.evaluate restricted point
                    Expect.tensorsClose 1e-12 (Tensor.take 0 indices expected.Gradient) actual.Gradient

                    Expect.tensorsClose
                        1e-11
                        (block (LinearOperator.dense expected.Hessian))
                        (LinearOperator.dense actual.Hessian)

                    let gaussNewton = GaussNewton.ofRisk restricted point

                    Expect.tensorsClose
                        1e-11
                        (block (LinearOperator.dense (GaussNewton.ofRisk risk theta)))
                        (LinearOperator.dense gaussNewton)

            let risk = whole Reduction.Mean

            Expect.error<ParameterException> [ "third" ] (fun () ->
                Risk.restrictTo [ "third" ] layout theta risk |> ignore)

            Expect.error<ParameterException> [ "one name" ] (fun () -> Risk.restrictTo [] layout theta risk |> ignore)

            Expect.error<ShapeException> [ "[12]"; "[3]" ] (fun () ->
                Risk.restrictTo [ "bias" ] layout (Tensor.slice 0 0 3 theta) risk |> ignore)
        }

        test "partial sums of groups, added along the tree, are the bits of the whole" {
            // 41 batches of one sample: five groups of eight and one of one.
            for reduction in [ Reduction.Mean; Reduction.Sum ] do
                let risk = risk reduction 1
                let z = Matrices.random 95 3 12

                let product (batch: Batch) =
                    let loss = model batch.Inputs >> criterion reduction batch.Targets
                    vmap (hessianv loss theta) z

                let sums = [ for group in 0..5 -> Risk.partialSum group product theta.Device risk ]
                Expect.isTrue "Float64" (sums |> List.forall (fun sum -> sum.DType = DType.Float64))
                let tree = ((sums[0] + sums[1]) + (sums[2] + sums[3])) + (sums[4] + sums[5])
                let total = if reduction = Reduction.Mean then tree / 41.0 else tree
                let found = Hessian.ofRisk risk theta
                Expect.tensorsClose 1e-13 total (found.Apply z)
                // The same plans on both sides give the same bits.
                let tree = TreeSum()

                for batch in Batches.split 1 x y do
                    tree.Add(product batch)

                let other = if reduction = Reduction.Mean then tree.Total.Value / 41.0 else tree.Total.Value
                Expect.sameBits total other

            Expect.error<DataException> [ "group 6" ] (fun () ->
                Risk.partialSum 6 (fun batch -> Tensor.sum batch.Inputs) theta.Device (risk Reduction.Sum 1) |> ignore)

            Expect.error<ArgumentRangeException> [ "-1" ] (fun () ->
                Risk.partialSum -1 (fun batch -> Tensor.sum batch.Inputs) theta.Device (risk Reduction.Sum 1) |> ignore)

            Expect.error<DataException> [ "θ alone" ] (fun () ->
                Risk.partialSum 0 (fun batch -> Tensor.sum batch.Inputs) theta.Device (whole Reduction.Sum) |> ignore)
        }

        test "sums along the tree do not lose what a long row of terms would" {
            // Sums of equal powers of two are exact whatever their order; the tree must give them for every number of
            // terms.
            for count in [ 1; 7; 8; 9; 16; 17; 24; 64; 65; 1000 ] do
                let tree = TreeSum()

                for i in 1..count do
                    tree.Add(Tensor.scalar DType.Float64 (float i))

                Expect.close 0.0 [| float (count * (count + 1) / 2) |] [| tree.Total.Value.ToScalar() |]

            Expect.isTrue "no terms" (TreeSum().Total.IsNone)
        }

        testCase "a single batch in memory is bound once, and still checked at every pass" (fun () ->
            let mutable inputs = x
            let source = Seq.delay (fun () -> Seq.singleton (Batch(inputs, y)))
            let risk = Risk.ofModel Reduction.Mean model (criterion Reduction.Mean) source
            let hessian = Hessian.ofRisk risk theta
            let v = Matrices.random 96 4 12
            Expect.tensorsClose 1e-13 ((Hessian.ofRisk (whole Reduction.Mean) theta).Apply v) (hessian.Apply v)
            Expect.sameBits (hessian.Apply v) (hessian.Apply v)
            Expect.sameBits (hessian.QuadraticForm v) (hessian.QuadraticForm v)
            inputs <- x + 1.0
            Expect.error<DataException> [ "batch 0 is not what it was" ] (fun () -> hessian.Apply v |> ignore))

        test "Gauss-Newton and Fisher matrices need a model" {
            let loss = Risk.ofFunction (fun theta -> Tensor.sum (Tensor.square theta))

            Expect.error<OperatorException> [ "Gauss-Newton"; "Risk.ofModel" ] (fun () ->
                GaussNewton.ofRisk loss theta |> ignore)

            Expect.error<OperatorException> [ "Fisher"; "Risk.ofModel" ] (fun () ->
                Fisher.ofRisk (FisherKind.exact Likelihood.categorical) loss theta |> ignore)

            Expect.error<DataException> [ "no batches" ] (fun () ->
                Fisher.ofRisk (FisherKind.empirical (fun _ outputs -> outputs)) (whole Reduction.Mean) theta |> ignore)

            Expect.error<DataException> [ "θ alone" ] (fun () -> Risk.withPasses (fun _ -> Seq.empty) loss |> ignore)
        }

        test "a risk tells what it is" {
            Expect.equal "string (Risk.ofFunction Tensor.…" "a loss" (string (Risk.ofFunction Tensor.sum))
            let full = risk Reduction.Mean 6 |> Risk.withTerm decay

            Expect.equal
                "string full"
                "the mean over batches of a criterion of a model's outputs, and a term without data"
                (string full)

            Expect.isTrue
                "properties"
                (full.HasData && full.HasModel && full.HasTerm && full.Reduction = Reduction.Mean)
        }

        test "passes may differ for training, and others take the first" {
            let asked = ResizeArray<int>()

            let source pass =
                asked.Add pass
                Batches.shuffledEachPass 6 (Key.OfSeed 97L) x y pass

            let risk = risk Reduction.Mean 6 |> Risk.withPasses source
            Expect.close 1e-12 [| Risk.value (whole Reduction.Mean) theta |] [| Risk.value risk theta |]
            Expect.equal "List.ofSeq asked" [ 0 ] (List.ofSeq asked)
            Training.minimize (TrainingOptions.Default.WithEpochs 3) risk theta |> ignore
            Expect.equal "List.ofSeq asked" [ 0; 0; 1; 2 ] (List.ofSeq asked)
        }
    ]
