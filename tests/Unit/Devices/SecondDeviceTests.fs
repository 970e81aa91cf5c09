/// Everything runs where θ is: on a device that refuses the memory of all others, with the bits of the first device.
module Curvature.Tests.Unit.Devices.SecondDeviceTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Kernels
open Curvature.Tests
open Curvature.Tests.Unit.Devices.SecondDeviceInputs

let private names = SecondDeviceCases.all |> Seq.map fst

[<Tests>]
let tests =
    testList "Unit.Devices.SecondDeviceTests" [
        for name in names do
            test $"everything runs on a second device, with the bits of the first ({name})" {
                let run = SecondDeviceCases.all |> List.find (fst >> (=) name) |> snd
                let second = GuardedDevice "second"
                let on = Tensor.toDevice second
                let expected = run id
                let actual = run on
                Expect.equal "actual.Length" expected.Length actual.Length
                Expect.isFalse "expected.IsEmpty" expected.IsEmpty

                List.iter2
                    (fun (e: float) (a: float) ->
                        if not (e.Equals a) then
                            failtest $"{name}: {a:R} on the second device, {e:R} on the first")
                    expected
                    actual
            }

        test "a second device refuses the memory of the first" {
            let second = GuardedDevice "second"
            let firstMemory = CpuDevice.Shared.Allocate 64L

            let copy =
                CopyDescription(DType.Float64, DType.Float64, [| 4 |], Operand(0, 0L, [| 1 |]), Operand(1, 0L, [| 1 |]))

            let secondMemory = second.Allocate 64L
            second.Copy(copy).Run([| secondMemory.Address; secondMemory.Address + 32n |], 1)

            Expect.error<ForeignMemoryException> [ "second" ] (fun () ->
                second.Copy(copy).Run([| firstMemory.Address; secondMemory.Address |], 1))
        }

        test "tensors on two devices are refused, and the message names both" {
            let second = GuardedDevice "the second device"
            let x = normal 50 [ 4 ]
            let far = Tensor.toDevice second x
            let names = [ CpuDevice.Shared.Name; "the second device" ]
            let refused f = Expect.raises<DeviceException> names f
            refused (fun () -> x + far)
            refused (fun () -> Tensor.matmul (Tensor.ones DType.Float64 [ 2; 4 ]) far)
            refused (fun () -> grad (fun t -> Tensor.dot t x) far)
            refused (fun () -> hessianv (fun t -> Tensor.sum (t * t * t)) far x)
            refused (fun () -> Loss.meanSquaredError Reduction.Mean x far)
            refused (fun () -> Tensor.where x far far)
            refused (fun () -> (LinearOperator.ofDiagonal far).Apply x)
            refused (fun () -> (Hessian.at (fun t -> Tensor.sum (t * t * t)) far).Apply x)
            refused (fun () -> Network.forward mlp (theta (Tensor.toDevice second)) inputs)
            refused (fun () -> Compile.func (fun t -> t * x) far)
            refused (fun () -> vmap (fun t -> t * x) (Tensor.unsqueeze 0 far))

            refused (fun () ->
                (ConjugateGradients.solve SolverOptions.Default (LinearOperator.ofDiagonal (Tensor.exp far)) x).Value)
        }
    ]
