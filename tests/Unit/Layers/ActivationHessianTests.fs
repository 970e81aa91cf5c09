module Curvature.Tests.Unit.ActivationHessianTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private key = Key.OfSeed 31L
let private inputs = Tensor.normal (Key.OfSeed 32L) DType.Float64 [ 5; 6 ]
let private labels = Tensor.ofIndices [ 5 ] [| 0; 2; 1; 1; 0 |]
let private mlp = Network.mlp Layer.tanh [ 6; 5; 4; 3 ]
let private initial (network: Network) = Network.initialize (Key.OfSeed 33L) DType.Float64 network
let private crossEntropy = Loss.softmaxCrossEntropy Reduction.Sum labels

/// The risk of a network over the inputs as one batch.
let private riskOf (loss: Tensor -> Tensor) network =
    network |> Network.risk Reduction.Sum (fun _ -> loss) [ Batch(inputs, labels) ]

let private perSample (trace: ActivationTrace) = trace.PerSample.Value.ToArray()

/// The traces of N blocks on the diagonal of a matrix.
let private blockTraces count (matrix: Tensor) =
    Matrices.diagonal matrix |> Array.chunkBySize (matrix.Shape[0] / count) |> Array.map Array.sum

[<Tests>]
let tests =
    testList "Unit.ActivationHessianTests" [
        test "the taps of a network are the outputs of its parts, and what layers name" {
            let own =
                Layer.create "own" [ Layer.parameter "w" [ 6 ] (Initial.constant 2.0) ] (fun parameters x ->
                    parameters.Tap("scaled", x * parameters["w"]) |> Tensor.tanh)

            let twice = Layer.composed "twice" [ "f", Layer.dense 6 6 ] (fun run x -> run "f" (run "f" x))

            let network =
                Network.ofLayer (
                    Layer.named [
                        "own", own
                        "twice", twice
                        "block", Layer.residual (Layer.sequential [ Layer.relu ])
                    ]
                )

            let taps = ActivationHessian.taps network (initial network) inputs

            Expect.equal
                "taps |> List.map _.Name"
                [ "own.scaled"; "own"; "twice.f"; "twice.f#2"; "twice"; "block.0"; "block" ]
                (taps |> List.map _.Name)

            Expect.isTrue "shapes" (taps |> List.forall (fun tap -> tap.Shape = [| 5; 6 |] && tap.Size = 30))
        }

        test "squared error has the closed forms 2d at the outputs and 2‖W‖² before the last layer" {
            let network = Network.sequential [ Layer.dense 6 4; Layer.tanh; Layer.dense 4 3 ]
            let theta = initial network
            let targets = Tensor.zeros DType.Float64 [ 5; 3 ]
            let loss = Loss.meanSquaredError Reduction.Sum targets
            let weight = (network.Layout |> ParameterLayout.split theta)["2.weight"]
            let inner = 2.0 * (Tensor.sum (Tensor.square weight)).ToScalar()
            let exact = ActivationHessian.exactTraces network (riskOf loss network) [ "2"; "1" ] theta
            Expect.close 1e-12 (Array.create 5 6.0) (perSample exact[0])
            Expect.close 1e-12 (Array.create 5 inner) (perSample exact[1])
            Expect.close 1e-12 [| 30.0; 5.0 * inner |] [| for trace in exact -> trace.Trace.Value |]
            // A diagonal Hessian is known from one vector of signs.
            let sampled =
                ActivationHessian.traces network (riskOf loss network) [ "2" ] (StoppingRule.matvecs 1) key theta

            Expect.close 1e-12 (Array.create 5 6.0) (perSample sampled.Head)
        }

        test "exact traces are those of explicit Hessians, which are block-diagonal" {
            let theta = initial mlp

            let risk = riskOf crossEntropy mlp

            for trace in ActivationHessian.exactTraces mlp risk [ "0"; "1"; "2"; "3"; "4" ] theta do
                let matrix = ActivationHessian.at mlp crossEntropy trace.Tap.Name theta inputs |> LinearOperator.dense
                let width = trace.Tap.Size / 5
                Expect.close 1e-12 (blockTraces 5 matrix) (perSample trace)

                for entry, value in matrix.ToArray() |> Array.indexed do
                    if entry / trace.Tap.Size / width <> entry % trace.Tap.Size / width then
                        Expect.close 0.0 [| 0.0 |] [| value |]

            // The same matrix by differentiating what comes after the tap.
            let parameters = mlp.Layout |> ParameterLayout.split theta

            let layer name x =
                Tensor.matmul x (Tensor.transpose parameters[name + ".weight"]) + parameters[name + ".bias"]

            let hidden = Tensor.tanh (layer "0" inputs)
            let rest (a: Tensor) = a |> layer "2" |> Tensor.tanh |> layer "4" |> crossEntropy
            let expected = hessian rest hidden |> Tensor.reshape [ 25; 25 ]
            let actual = ActivationHessian.at mlp crossEntropy "1" theta inputs |> LinearOperator.dense
            Expect.tensorsClose 1e-12 expected actual
        }

        test "sampled traces lie within 5 standard errors of exact ones, tap by tap and sample by sample" {
            let theta = initial mlp
            let names = [ "0"; "3" ]
            let exact = ActivationHessian.exactTraces mlp (riskOf crossEntropy mlp) names theta

            let found =
                ActivationHessian.traces mlp (riskOf crossEntropy mlp) names (StoppingRule.matvecs 400) key theta

            for trace, truth in List.zip found exact do
                let within (value: float) expected error =
                    Expect.isTrue
                        $"{trace.Tap}: {value} ± {error} against {expected} with {key}"
                        (abs (value - expected) < 5.0 * error)

                within trace.Trace.Value truth.Trace.Value trace.Trace.StandardError

                Array.zip3 (perSample trace) (perSample truth) (trace.PerSample.StandardError.ToArray())
                |> Array.iter (fun (value, expected, error) -> within value expected error)

                Expect.close 1e-12 [| trace.Trace.Value |] [| Array.sum (perSample trace) |]
                // The known variance of a sample: twice the squared off-diagonal.
                let matrix = ActivationHessian.at mlp crossEntropy trace.Tap.Name theta inputs |> LinearOperator.dense
                let spread = sqrt (Probe.varianceOfForm Probe.rademacher matrix / 400.0)

                Expect.isTrue
                    $"{trace.Trace} against {spread} with {key}"
                    (abs (trace.Trace.StandardError / spread - 1.0) < 0.3)
        }

        testCase "one tap at a time has less variance for its cost than all taps at once" (fun () ->
            let theta = initial mlp
            let taps = ActivationHessian.taps mlp theta inputs
            // The Hessian by perturbations of all values at once, written out.
            let joint (delta: Tensor) =
                let pieces = Tensor.split 0 (taps |> List.map _.Size) delta

                let see name (value: Tensor) =
                    let i = taps |> List.findIndex (fun tap -> tap.Name = name)
                    value + Tensor.reshape (List.ofArray taps[i].Shape) pieces[i]

                crossEntropy (mlp.ForwardTapped(see, theta, inputs))

            let n = taps |> List.sumBy _.Size
            let matrix = Hessian.at joint (Tensor.zeros DType.Float64 [ n ]) |> LinearOperator.dense |> _.ToArray()
            let mutable first = 0
            let ratios = ResizeArray<float>()

            for tap in taps do
                let mutable own, cross = 0.0, 0.0

                for i in first .. first + tap.Size - 1 do
                    for j in 0 .. n - 1 do
                        let entry = matrix[i * n + j] * matrix[i * n + j]

                        if j < first || j >= first + tap.Size then cross <- cross + entry
                        elif i <> j then own <- own + 2.0 * entry

                ratios.Add((own + cross) / own)
                first <- first + tap.Size

            // A product for all taps at once costs as much as one from the first tap, and one tap at a time at most as
            // much for each.
            stdout.WriteLine $"%A{List.ofSeq ratios} for {taps.Length} times the products"
            Expect.isTrue $"%A{List.ofSeq ratios}" (Seq.average ratios > float taps.Length))

        test "batch normalisation in training couples samples, and a sample's trace is that of its own block" {
            let network = Network.sequential [ Layer.dense 6 3; Normalization.batch 3; Layer.tanh; Layer.dense 3 3 ]
            let training = Network.forTraining network
            let theta = initial network

            let evaluated =
                ActivationHessian.exactTraces network (riskOf crossEntropy network) [ "0" ] theta |> List.exactlyOne

            let trained =
                ActivationHessian.exactTraces training (riskOf crossEntropy training) [ "0" ] theta |> List.exactlyOne

            Expect.isTrue "evaluation" (not evaluated.CouplesSamples)
            Expect.isTrue "training" trained.CouplesSamples
            let matrix = ActivationHessian.at training crossEntropy "0" theta inputs |> LinearOperator.dense
            Expect.close 1e-12 (blockTraces 5 matrix) (perSample trained)
            let between = (matrix |> Tensor.slice 0 0 3 |> Tensor.slice 1 3 12).ToArray() |> Array.map abs |> Array.max
            Expect.isTrue "entries between samples" (between > 1e-3)
        }

        test "over uneven batches the traces are those of all samples" {
            let theta, names = initial mlp, [ "1"; "4" ]

            for reduction in [ Reduction.Mean; Reduction.Sum ] do
                let loss targets = Loss.softmaxCrossEntropy reduction targets
                let exact = ActivationHessian.exactTraces mlp (riskOf (loss labels) mlp) names theta
                let over batches = mlp |> Network.risk reduction loss batches

                let found =
                    ActivationHessian.traces
                        mlp
                        (over (Batches.split 2 inputs labels))
                        names
                        (StoppingRule.matvecs 300)
                        key
                        theta

                for trace, truth in List.zip found exact do
                    Expect.equal
                        "trace.Tap.Name, trace.Tap.Shape"
                        (truth.Tap.Name, truth.Tap.Shape)
                        (trace.Tap.Name, trace.Tap.Shape)

                    Expect.equal
                        "trace.Trace.Matvecs, trace.Trac…"
                        (900, 300)
                        (trace.Trace.Matvecs, trace.Trace.Samples)

                    Expect.close 1e-12 [| trace.Trace.Value |] [| Array.sum (perSample trace) |]
                    let off = abs (trace.Trace.Value - truth.Trace.Value)
                    Expect.isTrue $"{trace} against {truth} with {key}" (off < 5.0 * trace.Trace.StandardError)

                    Array.zip3 (perSample trace) (perSample truth) (trace.PerSample.StandardError.ToArray())
                    |> Array.iter (fun (value, expected, error) ->
                        Expect.isTrue
                            $"{trace.Tap}: {value} ± {error} against {expected} with {key}"
                            (abs (value - expected) < 5.0 * error))

                    // The spread of the whole is that of the batches, which are independent.
                    let matrix =
                        ActivationHessian.at mlp (loss labels) trace.Tap.Name theta inputs |> LinearOperator.dense

                    let spread = sqrt (Probe.varianceOfForm Probe.rademacher matrix / 300.0)

                    Expect.isTrue
                        $"{trace.Trace} against {spread}"
                        (abs (trace.Trace.StandardError / spread - 1.0) < 0.3)

            let none () =
                let risk = mlp |> Network.risk Reduction.Mean (Loss.softmaxCrossEntropy Reduction.Mean) []
                ActivationHessian.traces mlp risk [ "1" ] (StoppingRule.matvecs 1) key theta

            raises<DataException>(fun () -> none ()) |> ignore
        }

        test "a ResNet-20 has a tap for every part, and the closed form of cross-entropy at its logits" {
            let tensors = Safetensors.read (SharedData.path "data/resnet20_cifar10.safetensors")
            let theta, network = Network.load DType.Float32 tensors ResNet.resNet20
            let images, labels = Cifar.read10 DType.Float64 (SharedData.path "data/cifar10_test_1000.bin")

            let images =
                images
                |> Tensor.slice 0 0 3
                |> Scaling.channels [ 0.485; 0.456; 0.406 ] [ 0.229; 0.224; 0.225 ]
                |> Tensor.convert DType.Float32

            let loss = Loss.softmaxCrossEntropy Reduction.Sum
            let risk = network |> Network.risk Reduction.Sum loss [ Batch(images, Tensor.slice 0 0 3 labels) ]
            let names = ActivationHessian.taps network theta images |> List.map _.Name
            Expect.isTrue $"%A{names}" (List.contains "layer1.0.conv1" names && List.contains "layer3.2" names)
            let exact = ActivationHessian.exactTraces network risk [ "linear" ] theta |> List.exactlyOne
            let p = Network.forward network theta images |> Tensor.softmax
            let expected = Tensor.sumAxes [ 1 ] (p * (1.0 - p))
            Expect.close 1e-4 (expected.ToArray()) (perSample exact)

            let deep =
                ActivationHessian.traces network risk [ "layer3" ] (StoppingRule.matvecs 8) key theta |> List.exactlyOne

            Expect.equal "deep.Tap.Shape" [| 3; 8; 8; 64 |] deep.Tap.Shape
            Expect.close 1e-4 [| deep.Trace.Value |] [| Array.sum (perSample deep) |]
        }

        test "an unknown tap and a value without samples are errors" {
            let theta = initial mlp

            let unknown =
                raises<ParameterException>(fun () -> ActivationHessian.at mlp crossEntropy "hidden" theta inputs)

            Expect.isTrue
                unknown.Message
                (unknown.Message.Contains "hidden" && unknown.Message.Contains "0, 1, 2, 3, 4")

            let flat =
                Layer.ofFunction "sum" (Tensor.sumAxes [ 0 ])
                |> fun sum -> Network.ofLayer (Layer.named [ "sum", sum; "dense", Layer.dense 6 3 ])

            let wrong =
                raises<ShapeException>(fun () ->
                    ActivationHessian.exactTraces flat (riskOf Tensor.sum flat) [ "sum" ] (initial flat))

            Expect.isTrue wrong.Message (wrong.Message.Contains "sum has shape [6]")
        }
    ]
