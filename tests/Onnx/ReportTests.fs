/// The report on a classifier in an ONNX file.
module Curvature.Tests.Onnx.ReportTests

open System.IO
open System.Text.Json.Nodes
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Samples.Report
open Curvature.Tests

let private folder = TemporaryFolder.create "curvature-onnx-report-"
let private file name = Path.Combine(folder, name)

/// The exit code, what was printed, and what was complained about.
let private run (arguments: string list) =
    use printed = new StringWriter()
    use complaint = new StringWriter()
    let code = Program.run (List.toArray arguments) (PlainDisplay printed) complaint
    code, string printed, string complaint

/// Images and labels as .npy files.
let private data: Lazy<string * string> =
    lazy
        (let images = Tensor.normal (Key.OfSeed 1L) DType.Float32 [ 20; 1; 8; 8 ]
         let labels = Tensor.ofIndices [ 20 ] (Array.init 20 (fun i -> i % 10))
         Numpy.write (file "images.npy") images
         Numpy.write (file "labels.npy") labels
         file "images.npy", file "labels.npy")

let private refuses (arguments: string list) (fragments: string list) =
    let code, _, complaint = run arguments
    Expect.equal $"{arguments}: exit code" 2 code

    for fragment in fragments do
        Expect.stringContains $"{arguments}" fragment complaint

[<Tests>]
let tests =
    testList "Onnx.ReportTests" [
        test "a classifier of a file is reported on" {
            let images, labels = data.Value
            let out = file "report"
            let sizes = [ "--batch"; "8"; "--dataset-size"; "20"; "--probes"; "4"; "--density-steps"; "10" ]
            let model = [ "--onnx"; Classifier.path.Value; "--data"; images; "--labels"; labels ]
            let code, printed, complaint = run (model @ sizes @ [ "--landscape-points"; "5"; "--out"; out ])
            Expect.equal $"exit code, {complaint}" 0 code
            let json = JsonNode.Parse(File.ReadAllText(Path.Combine(out, "report.json"))).AsObject()
            Expect.equal "parameters" 98 (json["parameters"].GetValue<int>())
            Expect.stringContains "printed" "classifier.onnx" printed
            let read = (Onnx.read Classifier.path.Value).WithDType DType.Float64
            let inputs = Numpy.read images |> Tensor.convert DType.Float64
            let loss = Loss.softmaxCrossEntropy Reduction.Mean (Numpy.read labels) (read.Forward(read.Theta, inputs))
            Expect.within "loss" 1e-9 (loss.ToScalar()) (json["loss"].GetValue<float>())
        }

        test "what does not belong together is refused in one line" {
            let images, labels = data.Value
            let model = [ "--onnx"; Classifier.path.Value ]
            refuses model [ "--onnx"; "--data" ]
            refuses (model @ [ "--data"; images ]) [ "images.npy"; "--labels" ]
            refuses [ "--data"; images; "--labels"; labels ] [ "--labels"; "--onnx" ]
            refuses (model @ [ "--model"; "resnet20"; "--data"; images ]) [ "--onnx"; "--model" ]
            refuses (model @ [ "--weights"; "w"; "--data"; images ]) [ "--weights" ]
            refuses [ "--onnx"; file "missing.onnx"; "--data"; images; "--labels"; labels ] [ "missing.onnx" ]
            refuses (model @ [ "--data"; images; "--labels"; images ]) [ "images.npy"; "20 labels" ]
            let more = [ "--dataset-size"; "21"; "--data"; images; "--labels"; labels ]
            refuses (model @ more) [ "--dataset-size 21"; "20 images" ]
        }
    ]
