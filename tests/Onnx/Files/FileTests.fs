/// Files that are damaged, or lie, or ask for what there is not.
module Curvature.Tests.Onnx.FileTests

open System
open System.IO
open Expecto
open Expecto.Flip
open Google.Protobuf
open Onnx
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private single = OnnxElementType.Float32

/// y = x·w + b, of four inputs and two outputs.
let private linear () : ModelProto =
    let nodes =
        [
            ModelWriter.node DType.Float32 "MatMul" [ "x"; "weight" ] [ "product" ] []
            ModelWriter.node DType.Float32 "Add" [ "product"; "bias" ] [ "y" ] []
        ]

    ModelWriter.model 17 nodes [ ModelWriter.value "x" single (ValueSome [ -1; 4 ]) ] [
        ModelWriter.value "y" single (ValueSome [ -1; 2 ])
    ] [
        ModelWriter.reals DType.Float32 "weight" [ 4; 2 ] [| 1.0 .. 8.0 |]
        ModelWriter.reals DType.Float32 "bias" [ 2 ] [| 0.5; -0.5 |]
    ]

let private readBytes (bytes: byte[]) : OnnxModel =
    OnnxModel.Read(new MemoryStream(bytes), "test.onnx", OnnxOptions.Default)

let private refuses (fragments: string list) (change: ModelProto -> unit) =
    let model = linear ()
    change model
    Expect.error<DataException> ("test.onnx" :: fragments) (fun () -> ModelWriter.read model |> ignore)

let private tensorOf (model: ModelProto) (name: string) =
    model.Graph.Initializer |> Seq.find (fun tensor -> tensor.Name = name)

/// A model in a folder, whose weight is in another file.
let private external (location: string) (extra: (string * string) list) (folder: string) : string =
    let model = linear ()
    let weight = tensorOf model "weight"
    weight.RawData <- ByteString.Empty
    weight.DataLocation <- TensorProto.Types.DataLocation.External

    for key, value in ("location", location) :: extra do
        weight.ExternalData.Add(StringStringEntryProto(Key = key, Value = value))

    let path = Path.Combine(folder, "model.onnx")
    File.WriteAllBytes(path, ModelWriter.bytes model)
    path

let private weights = [| 1.0f .. 8.0f |] |> Array.collect BitConverter.GetBytes

[<Tests>]
let tests =
    testList "Onnx.FileTests" [
        test "a model says what it takes, gives and holds" {
            let model = ModelWriter.read (linear ())
            Expect.equal "inputs" [ "x Float32 [n0; 4]" ] (model.Inputs |> Seq.map string |> List.ofSeq)
            Expect.equal "outputs" [ "y Float32 [n0; 2]" ] (model.Outputs |> Seq.map string |> List.ofSeq)
            let tensors = model.Layout.Tensors |> Seq.map string |> List.ofSeq
            Expect.equal "layout" [ "weight [4; 2]"; "bias [2]" ] tensors
            Expect.tensor 0.0 [ 10 ] [ yield! [ 1.0 .. 8.0 ]; 0.5; -0.5 ] model.Theta
            Expect.equal "opset, producer" (17, "tests") (model.Opset, model.Producer)
            Expect.equal "operators" [ "Add"; "MatMul" ] (model.Operators |> Seq.map _.Key |> List.ofSeq)
            let y = model.Forward(model.Theta, Tensor.ones DType.Float32 [ 3; 4 ])

            Expect.tensor
                0.0
                [ 3; 2 ]
                [
                    for _ in 1..3 do
                        yield! [ 16.5; 19.5 ]
                ]
                y

            Expect.stringContains "text" "10 parameters in 2 tensors, 2 nodes, opset 17" (string model)
        }

        test "parameters are chosen by patterns of names" {
            let read (options: OnnxOptions) =
                OnnxModel.Read(new MemoryStream(ModelWriter.bytes (linear ())), "test.onnx", options)

            let names (model: OnnxModel) = model.Layout.Tensors |> Seq.map _.Name |> List.ofSeq
            Expect.equal "chosen" [ "bias" ] (names (read (OnnxOptions.Default.WithParameters [ "b*" ])))
            let without = read (OnnxOptions.Default.WithConstants [ "bia?" ])
            Expect.equal "without" [ "weight" ] (names without)
            Expect.equal "constants" [ "bias" ] (List.ofSeq without.Constants.Keys)
            let y = without.Forward(without.Theta, Tensor.ones DType.Float32 [ 1; 4 ])
            Expect.tensor 0.0 [ 1; 2 ] [ 16.5; 19.5 ] y

            Expect.error<ParameterException> [ "test.onnx"; "\"gamma*\"" ] (fun () ->
                read (OnnxOptions.Default.WithParameters [ "gamma*" ]) |> ignore)
        }

        test "feeds that do not fit are refused by name" {
            let model = ModelWriter.read (linear ())
            let feed name t () = Onnx.forward [ name, t ] model.Theta model |> ignore
            let ones shape = Tensor.ones DType.Float32 shape
            Expect.error<ShapeException> [ "\"x\""; "[n0; 4]"; "[1; 5]" ] (feed "x" (ones [ 1; 5 ]))
            Expect.error<ShapeException> [ "\"x\""; "[4]" ] (feed "x" (ones [ 4 ]))
            Expect.error<DTypeException> [ "\"x\""; "Float64" ] (feed "x" (Tensor.ones DType.Float64 [ 1; 4 ]))
            Expect.error<DataException> [ "no input \"z\""; "x" ] (feed "z" (ones [ 1; 4 ]))
            Expect.error<DataException> [ "\"x\" is not fed" ] (fun () -> Onnx.forward [] model.Theta model |> ignore)
            let other = Tensor.ones DType.Float32 [ 9 ]
            Expect.error<ShapeException> [ "[10]" ] (fun () -> model.Forward(other, ones [ 1; 4 ]) |> ignore)
        }

        test "all nodes that cannot be computed are named at once" {
            refuses
                [ "3 problems"; "\"the LSTM\""; "\"the Conv\" (Conv) has attribute colour"; "com.example" ]
                (fun model ->
                    let add op attributes outputs =
                        let node = ModelWriter.node DType.Float32 op [ "x"; "weight" ] outputs attributes
                        model.Graph.Node.Add node
                        node

                    add "LSTM" [] [ "a" ] |> ignore
                    add "Conv" [ "colour", Int 1L ] [ "b" ] |> ignore
                    (add "Fancy" [] [ "c" ]).Domain <- "com.example")

            refuses [ "training mode" ] (fun model ->
                model.Graph.Node.Add(
                    ModelWriter.node DType.Float32 "BatchNormalization" ("x" :: List.replicate 4 "bias") [ "z" ] [
                        "training_mode", Int 1L
                    ]
                ))

            refuses [ "Add"; "3 inputs" ] (fun model -> model.Graph.Node[1].Input.Add "bias")
            refuses [ "Upsample"; "version 17" ] (fun model -> model.Graph.Node[1].OpType <- "Upsample")
        }

        test "graphs that are no graphs are refused" {
            refuses [ "cycle"; "\"y\"" ] (fun model -> model.Graph.Node[0].Input[ 0 ] <- "y")
            refuses [ "nothing gives"; "\"nowhere\"" ] (fun model -> model.Graph.Node[0].Input[ 0 ] <- "nowhere")

            refuses [ "\"product\", which is there already" ] (fun model ->
                model.Graph.Node[1].Output[ 0 ] <- "product")

            refuses [ "the output \"z\"" ] (fun model -> model.Graph.Output[0].Name <- "z")
            refuses [ "\"bias\" is there twice" ] (fun model -> model.Graph.Initializer[0].Name <- "bias")
            refuses [ "has no name" ] (fun model -> model.Graph.Initializer[0].Name <- "")
            refuses [ "version 7"; "8 to 24" ] (fun model -> model.OpsetImport[0].Version <- 7L)
            refuses [ "which version" ] (fun model -> model.OpsetImport.Clear())
            refuses [ "no graph" ] (fun model -> model.Graph <- null)
        }

        test "tensors that are not what they say are refused before memory is taken" {
            let before = GC.GetAllocatedBytesForCurrentThread()
            let weight change = fun model -> change (tensorOf model "weight")

            let dims (lengths: int64 list) =
                weight (fun tensor ->
                    tensor.Dims.Clear()
                    tensor.Dims.AddRange lengths)

            refuses [ "\"weight\""; "32 bytes"; "needs 16" ] (dims [ 4L; 1L ])
            refuses [ "\"weight\""; "negative length" ] (dims [ -4L; -2L ])
            refuses [ "\"weight\""; "more than a tensor holds" ] (dims [ 1L <<< 40; 1L <<< 40 ])
            refuses [ "\"weight\""; "more than a tensor holds" ] (dims [ Int64.MaxValue ])
            refuses [ "\"weight\""; "bytes of memory"; "ReadLimits.WithBytes" ] (dims [ 2_000_000_000L ])
            refuses [ "\"weight\""; "number 99" ] (weight (fun tensor -> tensor.DataType <- 99))
            refuses [ "\"weight\""; "text" ] (weight (fun tensor -> tensor.DataType <- 8))
            refuses [ "\"weight\""; "needs 64" ] (weight (fun tensor -> tensor.DataType <- int OnnxElementType.Float64))
            refuses [ "\"weight\""; "several places" ] (weight (fun tensor -> tensor.FloatData.Add 1.0f))
            Expect.isLessThan "memory" (GC.GetAllocatedBytesForCurrentThread() - before, 1L <<< 25)
        }

        test "every form of elements is read" {
            let read (change: TensorProto -> unit) =
                let model = linear ()
                let weight = tensorOf model "weight"
                weight.RawData <- ByteString.Empty
                change weight
                (ModelWriter.read model).Theta.ToArray()[..7] |> List.ofArray

            let numbers = [ 1.0 .. 8.0 ]
            Expect.equal "packed" numbers (read (fun t -> t.FloatData.AddRange [ 1.0f .. 8.0f ]))

            let half (bits: float -> int) kind (t: TensorProto) =
                t.DataType <- int kind
                t.Int32Data.AddRange(numbers |> List.map bits)

            let float16 x = int (BitConverter.HalfToUInt16Bits(Half.op_Explicit (float32 x)))
            let bfloat16 x = int (BitConverter.SingleToUInt32Bits(float32 x) >>> 16)
            Expect.equal "Float16" numbers (read (half float16 OnnxElementType.Float16))
            Expect.equal "BFloat16" numbers (read (half bfloat16 OnnxElementType.BFloat16))

            let halves (t: TensorProto) =
                t.DataType <- int OnnxElementType.Float16
                let bytes = numbers |> List.map (fun x -> BitConverter.GetBytes(Half.op_Explicit (float32 x): Half))
                t.RawData <- ByteString.CopyFrom(Array.concat bytes)

            Expect.equal "raw Float16" numbers (read halves)
        }

        test "external data are read from the folder of the model" {
            let folder = TemporaryFolder.create "curvature-onnx-"
            File.WriteAllBytes(Path.Combine(folder, "weights.bin"), Array.append (Array.zeroCreate 8) weights)
            let place = [ "offset", "8"; "length", "32" ]
            let model = Onnx.read (external "weights.bin" place folder)
            Expect.equal "weights" [ 1.0 .. 8.0 ] (List.ofArray (model.Theta.ToArray()[..7]))
        }

        test "external data elsewhere are refused" {
            let outside = TemporaryFolder.create "curvature-outside-"
            let folder = Path.Combine(outside, "model")
            Directory.CreateDirectory(Path.Combine(folder, "inner")) |> ignore
            let secret = Path.Combine(outside, "secret.bin")
            File.WriteAllBytes(secret, weights)
            File.WriteAllBytes(Path.Combine(folder, "short.bin"), weights[..15])

            let refused location extra fragments =
                let path = external location extra folder
                Expect.error<DataException> ([ path; location ] @ fragments) (fun () -> Onnx.read path |> ignore)

            refused "../secret.bin" [] [ "outside" ]
            refused "inner/../../secret.bin" [] [ "outside" ]
            refused secret [] [ "outside" ]
            refused "..\\secret.bin" [] [ "outside" ]
            refused "missing.bin" [] [ "is not in" ]
            refused "inner" [] [ "a folder" ]
            refused "short.bin" [] [ "32 bytes from byte 0"; "16 bytes" ]
            refused "short.bin" [ "offset", "9223372036854775807" ] [ "16 bytes" ]
            let negative = external "short.bin" [ "offset", "-4" ] folder
            Expect.error<DataException> [ negative; "offset"; "-4" ] (fun () -> Onnx.read negative |> ignore)

            if not (OperatingSystem.IsWindows()) then
                File.CreateSymbolicLink(Path.Combine(folder, "link.bin"), secret) |> ignore
                Directory.CreateSymbolicLink(Path.Combine(folder, "door"), outside) |> ignore
                refused "link.bin" [] [ "link" ]
                refused "door/secret.bin" [] [ "link" ]

            let model = File.ReadAllBytes(external "short.bin" [] folder)
            Expect.error<DataException> [ "read from a path" ] (fun () -> readBytes model |> ignore)
        }

        test "files that are no models are refused" {
            let folder = TemporaryFolder.create "curvature-onnx-"
            let path = Path.Combine(folder, "none.onnx")
            Expect.error<DataException> [ path; "does not exist" ] (fun () -> Onnx.read path |> ignore)
            Expect.error<DataException> [ folder; "a folder" ] (fun () -> Onnx.read folder |> ignore)
            Expect.error<DataException> [ "no graph" ] (fun () -> readBytes [||] |> ignore)
            let bytes = ModelWriter.bytes (linear ())

            for length in 1 .. bytes.Length - 1 do
                Expect.caught<DataException>(fun () -> readBytes bytes[.. length - 1] |> ignore) |> ignore

            let options = OnnxOptions.Default.WithLimits(ReadLimits.Default.WithBytes 20L)

            Expect.error<DataException> [ "test.onnx"; "20 bytes"; "WithBytes" ] (fun () ->
                OnnxModel.Read(new MemoryStream(bytes), "test.onnx", options) |> ignore)
        }
    ]
