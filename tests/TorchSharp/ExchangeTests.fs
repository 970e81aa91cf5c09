module Curvature.Tests.Torch.ExchangeTests

open System
open Expecto
open Expecto.Flip
open TorchSharp
open Curvature
open Curvature.FSharp
open Curvature.Tests
open Curvature.TorchSharp

[<Tests>]
let tests =
    testList "Torch.ExchangeTests" [
        torchTest "tensors go to torch and back with the same bits" (fun () ->
            for dtype in [ DType.Float32; DType.Float64 ] do
                for shape in [ []; [ 7 ]; [ 2; 0; 3 ]; [ 3; 5; 2 ] ] do
                    let t = Tensor.normal (Key.OfSeed 1L) dtype shape
                    let there = Exchange.toTorch t
                    Expect.equal "the type" (Exchange.scalarType dtype) there.dtype
                    Expect.sameBits t (Exchange.ofTorch there)

            let indices = Tensor.ofIndices [ 2; 2 ] [| -1; 0; 7; Int32.MaxValue |]
            Expect.sameBits indices (Exchange.ofTorch (Exchange.toTorch indices)))

        torchTest "views and uniform tensors arrive as what they show" (fun () ->
            let t = Tensor.normal (Key.OfSeed 2L) DType.Float64 [ 4; 6 ]
            Expect.sameBits (Tensor.transpose t) (Exchange.ofTorch (Exchange.toTorch (Tensor.transpose t)))
            let slice = Tensor.slice 1 2 3 t
            Expect.sameBits slice (Exchange.ofTorch (Exchange.toTorch slice))
            let ones = Tensor.ones DType.Float32 [ 3 ]
            Expect.sameBits ones (Exchange.ofTorch (Exchange.toTorch ones))
            let there = Exchange.toTorch t
            Expect.sameBits (Tensor.transpose t) (Exchange.ofTorch (there.transpose (0L, 1L))))

        torchTest "small floats widen, and whole numbers become Int32" (fun () ->
            let values = torch.tensor [| 1.0f; -2.5f; 0.1f |]
            let brain = values.``to`` (torch.ScalarType.BFloat16)
            let expected = Exchange.ofTorch (brain.``to`` (torch.ScalarType.Float32))
            Expect.equal "the type" DType.Float32 (Exchange.ofTorch brain).DType
            Expect.sameBits expected (Exchange.ofTorch brain)
            Expect.equal "truth" [| 1; 0 |] ((Exchange.ofTorch (torch.tensor [| true; false |])).ToInt32Array())
            Expect.equal "longs" [| -3; 4 |] ((Exchange.ofTorch (torch.tensor [| -3L; 4L |])).ToInt32Array()))

        torchTest "numbers that the library does not have are refused" (fun () ->
            Expect.error<ArgumentRangeException> [ "64 bits" ] (fun () ->
                Exchange.ofTorch (torch.tensor [| 1L <<< 40 |]) |> ignore)

            Expect.error<DTypeException> [ "ComplexFloat64" ] (fun () ->
                Exchange.ofTorch (torch.zeros ([| 2L |], Nullable torch.ScalarType.ComplexFloat64)) |> ignore))

        testCase "any change of a byte changes the checksum" (fun () ->
            let random = Random 5

            for length in [ 0; 1; 31; 32; 64; 127; 128; 129; 1000 ] do
                let bytes = Array.zeroCreate<byte> length
                random.NextBytes bytes
                let before = Checksum.ofBytes (ReadOnlySpan bytes)
                Expect.equal "again" before (Checksum.ofBytes (ReadOnlySpan bytes))

                for at in 0 .. length - 1 do
                    bytes[at] <- bytes[at] ^^^ 64uy
                    Expect.notEqual $"{length} bytes, number {at}" before (Checksum.ofBytes (ReadOnlySpan bytes))
                    bytes[at] <- bytes[at] ^^^ 64uy

            let swapped = Checksum.ofBytes (ReadOnlySpan(Array.append (Array.create 128 1uy) (Array.create 128 2uy)))
            let straight = Checksum.ofBytes (ReadOnlySpan(Array.append (Array.create 128 2uy) (Array.create 128 1uy)))
            Expect.notEqual "order counts" straight swapped)
    ]
