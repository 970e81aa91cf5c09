namespace Curvature.Tests.Properties

open System.IO
open NUnit.Framework
open FsCheck
open FsCheck.NUnit
open Curvature
open Curvature.FSharp
open Curvature.Tests

module SafetensorsLaws =

    let private written tensors =
        use stream = new MemoryStream()
        Safetensors.writeStream stream tensors
        stream.ToArray()

    [<Property>]
    let ``tensors that were written are read with the same names and bits``
        (values: float[], singles: float32[], names: NonEmptySet<string>)
        =
        let names = names.Get |> Set.toList |> List.filter (fun name -> not (isNull name) && name <> "__metadata__")
        let unpaired = names |> List.exists (Seq.exists System.Char.IsSurrogate)

        let tensors =
            names
            |> List.mapi (fun i name ->
                name,
                match i % 3 with
                | 0 -> Tensor.ofArray [ values.Length ] values
                | 1 -> Tensor.ofSingleArray [ 1; singles.Length ] singles
                | _ -> Tensor.ofIndices [ values.Length ] (Array.init values.Length (fun k -> k - 3)))

        if not unpaired then
            let read = Safetensors.readStream "file" (new MemoryStream(written tensors)) |> Map.ofList
            Expect.isTrue "as many" (read.Count = tensors.Length)

            for name, tensor in tensors do
                Expect.isTrue name (read[name].DType = tensor.DType && read[name].Shape = tensor.Shape)
                Expect.sameBits tensor read[name]

    [<Test>]
    let ``ten thousand damaged safetensors files are read or refused`` () =
        let file =
            written
                [
                    "layer.weight", Tensor.normal (Key.OfSeed 1L) DType.Float32 [ 3; 2 ]
                    "layer.bias", Tensor.normal (Key.OfSeed 2L) DType.Float64 [ 3 ]
                    "steps", Tensor.ofIndices [] [| 7 |]
                ]

        Mutation.survives 10_000 2025 [ file ] (fun stream -> Safetensors.readStream "file" stream |> ignore)
