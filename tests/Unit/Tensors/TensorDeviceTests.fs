/// Functions of tensors on a device of their own.
module Curvature.Tests.Unit.Tensors.TensorDeviceTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Kernels
open Curvature.Tests

[<Tests>]
let tests =
    testList "Unit.Tensors.TensorDeviceTests" [
        test "results and gradients stay on the device of the tensor" {
            let device = CpuDevice(1, InstructionSet.Portable)
            let t = Tensor.normal (Key.OfSeed 1L) DType.Float64 [ 3; 3 ]

            let functions: (string * (Tensor -> Tensor)) list =
                [
                    "index", (fun t -> t[1, 2])
                    "slice", (fun t -> t[1.., 0])
                    "maximum", (fun t -> Tensor.maximum t 0.1)
                    "where", (fun t -> Tensor.where (Tensor.greater t 0.0) t 2.0)
                    "clip", Tensor.clip -0.5 0.5
                    "round", Tensor.round
                    "isFinite", Tensor.isFinite
                    "sinh", Tensor.sinh
                    "atan", Tensor.atan
                    "prodAxes", Tensor.prodAxes [ 0 ]
                    "std", Tensor.std
                    "anyAxes", Tensor.anyAxes [ 1 ]
                    "maxAxes", Tensor.maxAxes [ 0; 1 ]
                    "minAxes", Tensor.minAxes [ 0 ]
                    "median", Tensor.median
                    "sort", Tensor.sort 0
                    "topK", Tensor.topK 2 >> fst
                    "diag", Tensor.diag
                    "trace", Tensor.trace
                    "tril", Tensor.tril 0
                    "triu", Tensor.triu 1
                    "einsumOf", (fun t -> Tensor.einsumOf "ij,jk,kl->il" [ t; t; t ])
                ]

            let there = Tensor.toDevice device t

            for name, f in functions do
                for f in [ f; grad (f >> Tensor.sum) ] do
                    let result = f there
                    Expect.isTrue $"{name} left the device" (obj.ReferenceEquals(device, result.Device))
                    Expect.tensorsClose 1e-14 (f t) (Tensor.toDevice t.Device result)
        }
    ]
