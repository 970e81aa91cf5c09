/// The F# of docs/resnet.md, which needs trained weights and images that are not part of the repository.
module DocExamples.ResnetExamples

open System.IO
open System.Xml.Linq
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private folder = TemporaryFolder.create "curvature-resnet-"
let private file name = Path.Combine(folder, name)

/// The network on the first of the images.
let private load count =
    let weightsFile = SharedData.path "data/resnet20_cifar10.safetensors"
    let imageFile = SharedData.path "data/cifar10_test_1000.bin"

    let theta, network = ResNet.resNet20 |> Network.load DType.Float32 (Safetensors.read weightsFile)
    let images, labels = Cifar.read10 DType.Float32 imageFile
    let normalized = Scaling.channels [ 0.485; 0.456; 0.406 ] [ 0.229; 0.224; 0.225 ] images
    let batch = Batch(normalized[.. count - 1], labels[.. count - 1])

    let loss theta = Network.forward network theta batch.Inputs |> Loss.softmaxCrossEntropy Reduction.Mean batch.Targets

    let risk = Risk.ofFunction loss
    let point = Hessian.evaluate risk theta
    printf $"{theta.Size} parameters, {batch.Size} images, loss {point.Loss:f7}, "
    printfn $"gradient norm {(Tensor.norm point.Gradient).ToScalar():f5}"

    network, theta, batch, risk, point

[<Tests>]
let tests =
    testList "DocExamples.ResnetExamples" [
        test "eigenvalues and activations of a residual network" {
            let network, theta, batch, _, point = load 50
            let vectors = 30

            let hessian = point.Hessian
            let pairs = ThickRestartLanczos.find SpectrumEnd.Largest 2 hessian

            for value, residual in Array.zip pairs.Values pairs.Residuals do
                printfn $"{value:f3}, residual {residual:g2}"

            printfn $"{pairs.Matvecs} products"

            let sum = Loss.softmaxCrossEntropy Reduction.Sum
            let perImage = network |> Network.risk Reduction.Sum sum [ batch ]
            let taps, stop = [ "conv1"; "layer1"; "layer2"; "layer3"; "linear" ], StoppingRule.matvecs vectors
            let traces = ActivationHessian.traces network perImage taps stop (Key.OfSeed 3L) theta

            for found in traces do
                printfn $"{found.Tap.Name} ({found.Tap.Size} numbers): trace {found.Trace}"

            Expect.within "point.Loss" 1e-5 0.0351289 point.Loss
            Expect.close 1e-3 [| 211.3007; 155.8568 |] pairs.Values

            let values, rows = [| for found in traces -> found.Trace.Value |], [| 0.0 .. 4.0 |]
            let low = [| for found in traces -> (found.Trace.Interval 0.95).Low |]
            let high = [| for found in traces -> (found.Trace.Interval 0.95).High |]

            let chart =
                Chart.create "Curvature by layer" (Axis.logarithmic "trace of ∂²loss/∂a²") (Axis.categories taps "a") [
                    Series.errorBars "" values rows low high
                ]

            File.WriteAllText(file "activations.svg", Chart.toSvg (chart.WithSize(720, 260)))

            Expect.all "the intervals" (fun (low, high) -> low < high) (Array.zip low high)
            Expect.equal "the root of the file" "svg" (XDocument.Load(file "activations.svg").Root.Name.LocalName)
        }

        test "landscapes and the density of a residual network" {
            let network, theta, _, risk, point = load 4
            let hessian = point.Hessian
            let pairs = ThickRestartLanczos.find SpectrumEnd.Largest 1 hessian
            let probes, steps = 2, 20

            let random = Direction.random (Key.OfSeed 1L) theta |> Direction.filterNormalized network.Layout theta

            let directions =
                [
                    "eigenvector", 0.1, Direction.eigenvector 0 pairs
                    "random", 1.0, random
                    "gradient", 0.1, Direction.gradient point.Gradient
                ]

            let along (name, radius, direction: Direction) =
                let line = Landscape.line risk theta direction (Landscape.grid radius 41)

                let chart =
                    Chart.create $"Loss along {direction.Name}" (Axis.linear "step") (Axis.linear "loss in nats") [
                        Series.line "loss" line.Positions line.Losses
                        Series.dashed "quadratic model" line.Positions line.ModelLosses
                    ]

                File.WriteAllText(file $"{name}.svg", Chart.toSvg (chart.WithSize(720, 300)))
                printf $"{direction.Name}: {line.Losses[0]:f4} at {line.Positions[0]:f1}, {line.Losses[20]:f4} at 0, "
                printfn $"{line.Losses[40]:f4} at {line.Positions[40]:f1}"

            List.iter along directions

            let sample = StochasticLanczos.sample probes steps (Key.OfSeed 2L) hessian
            let density = SpectralDensity.ofSample Smoothing.papyan sample
            let large = CumulativeDensity.count (2.0, 300.0) sample
            printfn $"Ritz values from {sample.Least:f3} to {sample.Largest:f3}; {large} eigenvalues lie above 2"

            let chart =
                Chart.create
                    "Eigenvalue density"
                    (Axis.linear "eigenvalue λ")
                    ((Axis.logarithmic "density").WithRange(1e-9, 1.0))
                    [ Series.line "density" density.Grid density.Values ]

            File.WriteAllText(file "density.svg", Chart.toSvg chart)

            for name in [ "eigenvector"; "random"; "gradient"; "density" ] do
                Expect.equal name "svg" (XDocument.Load(file $"{name}.svg").Root.Name.LocalName)

            Expect.isLessThanOrEqual "the largest Ritz value" (sample.Largest, 1.0001 * pairs.Values[0])
        }
    ]
