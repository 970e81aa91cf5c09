/// The F# of docs/tutorial.md.
module DocExamples.TutorialExamples

open System
open System.IO
open System.Xml.Linq
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private b =
    Tensor.normal (Key.OfSeed 1L) DType.Float64 [ 10; 10 ] |> LinearOperator.ofMatrix |> LinearOperator.gram

let private folder = TemporaryFolder.create "curvature-tutorial-"
let private file name = Path.Combine(folder, name)

let private train () =
    let spiral label i =
        let along = (float i + 0.5) / 100.0
        let angle = Math.PI * (float label + 2.5 * along)
        [| along * cos angle; along * sin angle |]

    let rows =
        [|
            for label in 0..1 do
                for i in 0..99 -> label, spiral label i
        |]

    let inputs = Tensor.ofArray [ 200; 2 ] (rows |> Array.collect snd)
    let labels = Tensor.ofIndices [ 200 ] (rows |> Array.map fst)
    let network = Network.mlp Layer.tanh [ 2; 16; 16; 2 ]
    let criterion = Loss.softmaxCrossEntropy Reduction.Mean

    let theta =
        Training.minimize
            (TrainingOptions.Default.WithEpochs(1000).WithOptimizer(Optimizer.adam 0.01))
            (Risk.ofOutputs (fun theta -> Network.forward network theta inputs) (criterion labels))
            (Network.initialize (Key.OfSeed 7L) DType.Float64 network)
        |> _.Theta

    let loss theta = Network.forward network theta inputs |> criterion labels
    let point = Hessian.evaluate (Risk.ofFunction loss) theta
    let hessian = point.Hessian

    printf $"loss {point.Loss:f6}, gradient norm {(Tensor.norm point.Gradient).ToScalar():g3}, "
    printfn $"{hessian.Columns} parameters"

    network, theta, inputs, labels, loss, point

let private trained = lazy (train ())

[<Tests>]
let tests =
    testList "DocExamples.TutorialExamples" [
        testCase "power iteration on an explicit matrix" (fun () ->
            let b =
                Tensor.normal (Key.OfSeed 1L) DType.Float64 [ 10; 10 ]
                |> LinearOperator.ofMatrix
                |> LinearOperator.gram

            let mutable v = Tensor.normal (Key.OfSeed 2L) DType.Float64 [ 10 ]
            let mutable eigenvalue = 0.0

            for step in 1..40 do
                v <- v / Tensor.norm v
                let next = b.Apply v
                eigenvalue <- (Tensor.dot v next).ToScalar()
                if step % 10 = 0 then printfn $"step {step}: {eigenvalue:f4}"
                v <- next

            let exact = ThickRestartLanczos.find SpectrumEnd.Largest 1 b
            printfn $"all of it: {exact.Values[0]:f4} after {exact.Matvecs} products, residual {exact.Residuals[0]:g2}"

            Expect.withinPercent "eigenvalue" 5 exact.Values[0] eigenvalue)

        test "the trace of an explicit matrix" {
            let estimate = Hutchinson.trace (StoppingRule.matvecs 1000) (Key.OfSeed 3L) b
            let exact = Exact.trace b
            printfn $"{estimate}, exactly {exact.Value:f4}"

            Expect.isLessThan
                "abs (estimate.Value - exact.Val…"
                (abs (estimate.Value - exact.Value), 6.0 * estimate.StandardError)
        }

        test "Gaussian against Rademacher" {
            let plain =
                Tensor.normal (Key.OfSeed 4L) DType.Float64 [ 100; 100 ]
                |> LinearOperator.ofMatrix
                |> LinearOperator.symmetricPart

            let stop = StoppingRule.matvecs 20_000

            let variance probe operator =
                let trace = Hutchinson.estimate probe Measurement.trace stop (Key.OfSeed 5L) operator
                trace.StandardError ** 2.0 * float trace.Samples

            for name, operator in [ "small diagonal", plain; "larger diagonal", LinearOperator.shift 10.0 plain ] do
                let gaussian, rademacher = variance Probe.gaussian operator, variance Probe.rademacher operator
                printfn $"{name}: variance {gaussian:f0} with Gaussian vectors, {rademacher:f0} with signs"

            let larger = LinearOperator.shift 10.0 plain
            let squares = (Exact.frobenius larger).Value ** 2.0
            let onDiagonal = (Tensor.sum (Tensor.square (Exact.diagonal larger).Value)).ToScalar()
            printfn $"in theory {2.0 * squares:f0} and {2.0 * (squares - onDiagonal):f0}"

            Expect.withinPercent "variance Probe.gaussian larger" 8 (2.0 * squares) (variance Probe.gaussian larger)

            Expect.withinPercent
                "variance Probe.rademacher larger"
                8
                (2.0 * (squares - onDiagonal))
                (variance Probe.rademacher larger)

            Expect.withinPercent
                "variance Probe.rademacher plain"
                1
                (variance Probe.rademacher larger)
                (variance Probe.rademacher plain)
        }

        test "top eigenvalues of a network" {
            let _, _, _, _, _, point = trained.Value
            let hessian = point.Hessian
            let asPyHessian = PowerIteration.find (PowerStop.pyHessian 1e-3) 100 2 (Key.OfSeed 8L) hessian
            let lanczos = ThickRestartLanczos.find SpectrumEnd.LargestMagnitude 2 hessian

            for found in [ asPyHessian; lanczos ] do
                for value, residual in Array.zip found.Values found.Residuals do
                    printfn $"{value:f8}, residual {residual:g2}"

                printfn $"{found.Matvecs} products"

            Expect.withinPercent "asPyHessian.Values[0]" 1 lanczos.Values[0] asPyHessian.Values[0]
        }

        test "three landscapes" {
            let _, theta, _, _, loss, point = trained.Value
            let hessian = point.Hessian
            let pairs = ThickRestartLanczos.find SpectrumEnd.Largest 1 hessian

            let directions =
                [
                    Direction.eigenvector 0 pairs
                    Direction.random (Key.OfSeed 9L) theta
                    Direction.gradient point.Gradient
                ]

            let lines =
                directions
                |> List.map (fun direction ->
                    Landscape.line (Risk.ofFunction loss) theta direction (Landscape.grid 0.5 21))

            for line in lines do
                printf $"{line.Direction.Name}: {line.Losses[0]:f4} at −0.5, {line.Losses[10]:f4} at 0, "
                printfn $"{line.Losses[20]:f4} at 0.5"

            let chart =
                Chart.create "Loss along three directions" (Axis.linear "distance") (Axis.linear "loss in nats") [
                    for line in lines do
                        Series.line line.Direction.Name line.Positions line.Losses
                ]

            File.WriteAllText(file "landscapes.svg", Chart.toSvg chart)

            Expect.isGreaterThan
                "lines[0].Losses[20] - lines[0].…"
                (lines[0].Losses[20] - lines[0].Losses[10], lines[1].Losses[20] - lines[1].Losses[10])

            Expect.equal "the root of the file" "svg" (XDocument.Load(file "landscapes.svg").Root.Name.LocalName)
        }

        test "trace, diagonal and density of a network" {
            let _, _, _, _, _, point = trained.Value
            let hessian = point.Hessian
            let trace = Hutchinson.trace (StoppingRule.relativeError 0.05) (Key.OfSeed 10L) hessian
            let exact = Exact.trace hessian
            printfn $"trace {trace}, exactly {exact.Value:f4}"

            let diagonal = Hutchinson.diagonal (StoppingRule.matvecs 1000) (Key.OfSeed 11L) hessian
            let largest = Tensor.max(diagonal.Value).ToScalar()
            let truth = (Exact.diagonal hessian).Value
            let error = Tensor.norm(diagonal.Value - truth).ToScalar() / Tensor.norm(truth).ToScalar()
            printfn $"largest entry of the diagonal {largest:f4}, relative error of all {error:p1}"

            let sample = StochasticLanczos.sample 8 80 (Key.OfSeed 12L) hessian
            let density = SpectralDensity.ofSample Smoothing.pyHessian sample
            let share = (CumulativeDensity.ofSample sample).At 0.01

            let low, high = sample.Least, sample.Largest
            printfn $"Ritz values from {low:f5} to {high:f5}; {share:p1} of the eigenvalues are below 0.01"

            let chart =
                Chart.create
                    "Eigenvalue density"
                    (Axis.linear "eigenvalue λ")
                    ((Axis.logarithmic "density").WithRange(1e-3, 1e3))
                    [ Series.line "density" density.Grid density.Values ]

            File.WriteAllText(file "density.svg", Chart.toSvg chart)

            Expect.isLessThanOrEqual
                "abs (trace.Value - exact.Value)"
                (abs (trace.Value - exact.Value), 6.0 * trace.StandardError + 1e-9)

            Expect.isLessThan "error" (error, 0.2)
            Expect.equal "the root of the file" "svg" (XDocument.Load(file "density.svg").Root.Name.LocalName)
        }

        test "curvature of activations" {
            let network, theta, inputs, labels, _, _ = trained.Value
            let sum = Loss.softmaxCrossEntropy Reduction.Sum
            let risk = network |> Network.risk Reduction.Sum sum [ Batch(inputs, labels) ]
            let taps, stop = [ "0"; "2"; "4" ], StoppingRule.matvecs 200

            for found in ActivationHessian.traces network risk taps stop (Key.OfSeed 13L) theta do
                let perSample = found.PerSample.Value.ToArray()
                printfn $"after layer {found.Tap.Name}: {found.Trace}, the largest of a sample {Array.max perSample:f4}"

            let outputs = ActivationHessian.at network (sum labels) "4" theta inputs
            Expect.isGreaterThan "(Exact.trace outputs).Value" ((Exact.trace outputs).Value, 0.0)
        }

        test "products, as in torch-secorder" {
            let network, theta, inputs, labels, loss, point = trained.Value
            let hessian = point.Hessian
            let v = Tensor.normal (Key.OfSeed 14L) DType.Float64 [ theta.Size ]
            let exact = hessian.Apply v
            let differences = (FiniteDifference.hessian loss theta).Apply v

            let model theta = Network.forward network theta inputs
            let gaussNewton = GaussNewton.at model (Loss.softmaxCrossEntropy Reduction.Mean labels) theta
            let product = gaussNewton.Apply v

            let off = Tensor.norm(differences - exact).ToScalar() / Tensor.norm(exact).ToScalar()

            printf $"‖Hv‖ {Tensor.norm(exact).ToScalar():f6}; differences are off by {off:g2}; ‖Gv‖ "
            printfn $"{Tensor.norm(product).ToScalar():f6}"

            for q in [ 0.1; 1.0 ] do
                let sparse =
                    Hutchinson.estimate
                        (Probe.sparse q)
                        Measurement.trace
                        (StoppingRule.matvecs 4000)
                        (Key.OfSeed 15L)
                        hessian

                printfn $"trace {sparse} where a share of {q} of each vector is not 0"

            Expect.isLessThan "off" (off, 1e-6)
            Expect.isGreaterThan "Tensor.norm(product)" (Tensor.norm(product).ToScalar(), 0.0)
        }
    ]
