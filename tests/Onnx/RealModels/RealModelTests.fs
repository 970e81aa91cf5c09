/// Two models from packages: what they compute, and their curvature.
module Curvature.Tests.Onnx.RealModelTests

open System
open System.Collections.Generic
open System.Diagnostics
open System.IO
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// A real model, with inputs.
type private Case =
    {
        Model: OnnxModel
        Bytes: Lazy<byte[]>
        Feeds: (string * Tensor) list
    }

    /// The first output for other parameters.
    member case.Output (model: OnnxModel) (theta: Tensor) : Tensor =
        let feed (name: string, t: Tensor) =
            KeyValuePair(name, (if t.DType = DType.Int32 then t else Tensor.convert theta.DType t))

        model.Forward(theta, case.Feeds |> List.map feed)[model.Outputs[0].Name]

let private resNet (batch: int) : Case =
    let path = Packages.resNet18 ()
    let model = (Onnx.read path).WithFreeBatch()
    let images = Tensor.normal (Key.OfSeed 1L) DType.Float32 [ batch; 3; 224; 224 ]

    {
        Model = model
        Bytes = lazy File.ReadAllBytes path
        Feeds = [ model.Inputs[0].Name, images ]
    }

let private miniLM (sentences: int) (tokens: int) : Case =
    use stream = Packages.miniLM ()
    let model = OnnxModel.Read(stream, "MiniLM", OnnxOptions.Default)
    let random = Random 2
    let shape = [ sentences; tokens ]
    let ids = Array.init (sentences * tokens) (fun _ -> random.Next(1000, 20000))
    let ones = Array.init (sentences * tokens) (fun i -> if i = sentences * tokens - 1 then 0 else 1)

    let feed (input: OnnxValue) =
        let values =
            if input.Name.Contains "mask" then ones
            elif input.Name.Contains "type" then Array.zeroCreate ids.Length
            else ids

        input.Name, Tensor.ofIndices shape values

    let bytes () =
        use stream = Packages.miniLM ()
        use copy = new MemoryStream()
        stream.CopyTo copy
        copy.ToArray()

    {
        Model = model
        Bytes = Lazy<byte[]> bytes
        Feeds = model.Inputs |> Seq.map feed |> List.ofSeq
    }

/// The first output is that of OnnxRuntime, to this share of its largest element.
let private agrees (share: float) (case: Case) =
    let feeds =
        [
            for name, t in case.Feeds do
                let shape = List.ofArray t.Shape

                if t.DType = DType.Int32 then
                    Reference.feed name shape (t.ToInt32Array() |> Array.map int64)
                else
                    Reference.feed name shape (t.ToSingleArray())
        ]

    match Reference.run case.Bytes.Value feeds with
    | Error message -> failtest message
    | Ok results ->
        let found = case.Output case.Model case.Model.Theta
        Expect.equal "shape" results.Head.Shape found.Shape
        let largest = results.Head.Values |> Array.map abs |> Array.max
        let difference = Array.map2 (fun a b -> abs (a - b)) results.Head.Values (found.ToArray()) |> Array.max
        Expect.isLessThan $"differences, of {largest}" (difference, share * largest)

let private loss (y: Tensor) : Tensor = Tensor.mean (Tensor.square y)

let private relative (expected: Tensor) (actual: Tensor) : float =
    (Tensor.norm (actual - expected)).ToScalar() / (Tensor.norm expected).ToScalar()

/// Products with the Hessian and the Gauss–Newton matrix in Float64, against differences of gradients and outputs.
let private curves (tolerance: float) (step: float) (case: Case) =
    let wide = case.Model.WithDType DType.Float64
    let theta = wide.Theta
    let v = Tensor.rademacher (Key.OfSeed 3L) DType.Float64 [ theta.Size ]
    let f = case.Output wide
    let gradient = Differentiation.grad (f >> loss)
    let differences = (gradient (theta + step * v) - gradient (theta - step * v)) / (2.0 * step)
    use hessian = Hessian.at (f >> loss) theta
    let hv = hessian.Apply v
    Expect.isLessThan "Hv" (relative differences hv, tolerance)
    use gaussNewton = GaussNewton.at f loss theta
    let outputs = (f (theta + step * v) - f (theta - step * v)) / (2.0 * step)
    // The Hessian of a mean of squares is 2/n.
    let expected = 2.0 * (Tensor.mean (Tensor.square outputs)).ToScalar()
    Expect.withinPercent "vᵀGv" (100.0 * tolerance) expected ((gaussNewton.QuadraticForm v).ToScalar())

/// Traces by tensor from two random vectors, and what they took.
let private traces (name: string) (case: Case) =
    let theta = case.Model.Theta
    let watch = Stopwatch.StartNew()
    use hessian = Hessian.at (case.Output case.Model >> loss) theta
    let linearized = watch.Elapsed.TotalSeconds
    watch.Restart()
    let blocks = ParameterLayout.blocks case.Model.Layout
    let measurement = Measurement.both Measurement.trace (Measurement.blockTraces blocks)
    let stop = StoppingRule.matvecs 2
    let trace, parts = Hutchinson.estimate Probe.rademacher measurement stop (Key.OfSeed 4L) hessian
    let seconds = watch.Elapsed.TotalSeconds / 2.0
    Expect.withinPercent "sum of traces" 0.1 trace.Value (parts |> Array.sumBy _.Trace.Value)
    let memory = Process.GetCurrentProcess().PeakWorkingSet64 >>> 20
    printfn $"{name}: n = {theta.Size:N0}, linearized in {linearized:F2} s, {seconds:F2} s a product, {memory} MiB"

    for part in parts |> Array.sortByDescending _.Trace.Value |> Array.truncate 5 do
        printfn $"  {part.Block.Name}: {part.Trace.Value}"

/// Seconds of an action: the median of five, after one that makes plans.
let private seconds (action: unit -> unit) : float =
    action ()

    let once _ =
        let watch = Stopwatch.StartNew()
        action ()
        watch.Elapsed.TotalSeconds

    (Array.init 5 once |> Array.sort)[2]

/// Prints the figures of docs/performance.md. The peak of memory is that of the process, so that each model is measured
/// in a process of its own.
let private measure (name: string) (case: unit -> Case) =
    if Environment.GetEnvironmentVariable "CURVATURE_MEASURE" <> "1" then
        skiptest "measures time: CURVATURE_MEASURE=1 asks for it"

    let case = case ()
    let theta = case.Model.Theta
    let f = case.Output case.Model >> loss
    let forward = Compile.func f
    let watch = Stopwatch.StartNew()
    use hessian = Hessian.at f theta
    let linearized = watch.Elapsed.TotalSeconds
    let v = Tensor.rademacher (Key.OfSeed 5L) DType.Float32 [ theta.Size ]
    let product = seconds (fun () -> hessian.Apply v |> ignore)
    let form = seconds (fun () -> hessian.QuadraticForm v |> ignore)
    let loss = seconds (fun () -> forward theta |> ignore)
    let gradients = Gradient.family (Risk.ofFunction f)
    let gradient = seconds (fun () -> gradients theta |> ignore)
    let memory = Process.GetCurrentProcess().PeakWorkingSet64 >>> 20

    printfn $"{name}: n = {theta.Size:N0}, peak {memory} MiB"
    printfn $"  loss {loss:F3} s, gradient {gradient:F3} s, first linearized {linearized:F2} s"
    printfn $"  Hv {product:F3} s, vᵀHv {form:F3} s"

[<Tests>]
let tests =
    testList "Onnx.RealModelTests" [
        test "ResNet-18 computes what OnnxRuntime does" { resNet 1 |> agrees 1e-5 }

        test "MiniLM computes what OnnxRuntime does" { miniLM 2 7 |> agrees 1e-5 }

        test "MiniLM's curvature is that of differences" { miniLM 1 4 |> curves 1e-5 1e-5 }

        test "ResNet-18's curvature is that of differences" { resNet 1 |> curves 1e-3 1e-8 }

        test "traces of ResNet-18 by tensor are those of the whole" { resNet 1 |> traces "ResNet-18, 1 image" }

        test "time of ResNet-18, 4 images" { measure "ResNet-18, 4 images of 224×224" (fun () -> resNet 4) }

        test "time of MiniLM, 8 sentences" { measure "MiniLM, 8 sentences of 64 tokens" (fun () -> miniLM 8 64) }

        test "traces of MiniLM by tensor are those of the whole" { miniLM 2 7 |> traces "MiniLM, 2×7 tokens" }
    ]
