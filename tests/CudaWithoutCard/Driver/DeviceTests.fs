/// A whole device on the stub, whose launches compute: kernels through it, then derivatives of a network.
module Curvature.Tests.CudaWithoutCard.DeviceTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.Cuda
open Curvature.FSharp
open Curvature.Kernels
open Curvature.Tests
open Curvature.Tests.CudaWithoutCard.TapeRuns
open Curvature.Tests.Unit.Kernels.Support

/// A device whose launches run here, and what runs them.
let private computing () =
    Pocl.require ()
    Stub.reset ()
    let launches = Launches()
    Stub.listen launches.Listener
    Stub.openDevice (), launches

[<Tests>]
let tests =
    testSequenced
    <| testList "CudaWithoutCard.DeviceTests" [
        test "kernels of every sort through the device agree with the processor" {
            let card, launches = computing ()
            use card = card

            for name, run in KernelCases.all do
                let expected, actual = run device, run card
                launches.Check()
                Expect.equal name expected actual

            Expect.isTrue "the table" (launches.Names |> Set.exists _.StartsWith("table_product"))
            Expect.isTrue "splits" (launches.Names.Contains "add_splits_f64")
            Expect.isTrue "pieces" (launches.Names.Contains "sum_pieces_f64")
            Expect.equal "misuses" 0 (Stub.misuses ())
        }

        test "an index out of range is an error that says where, and the next run has none" {
            let card, launches = computing ()
            use card = card

            let indexing =
                IndexingDescription(
                    DType.Float32,
                    IndexingSizes(1, 1, 5, 3, 2),
                    Place(0, 0L),
                    Place(1, 0L),
                    Place(2, 0L)
                )

            let gather = card.Gather indexing

            let arrays (index: int[]) =
                [ upload card (Array.create 10 1f); upload card index; upload card (Array.create 6 0f) ]

            Expect.error<ArgumentRangeException> [ "position 1" ] (fun () -> run card gather (arrays [| 0; 5; 1 |]))
            run card gather (arrays [| 0; 4; 1 |])
            launches.Check()
        }

        test "a tape whose arrays begin anywhere reads elements one by one" {
            let card, launches = computing ()
            use card = card
            let layout = denseLayout [| 64 |]

            let tape =
                TapeDescription(
                    DType.Float32,
                    [| 64 |],
                    [| layout.Operand 0 |],
                    [||],
                    [| Instruction(OpCode.Exp, 0) |],
                    [| TapeOutput(1, layout.Operand 1) |]
                )

            let kernel = card.Map tape
            let source = upload card (Array.init 65 (fun i -> 0.1f * float32 i))
            let target = upload card (Array.create 65 0f)
            let modules = Stub.live StubKind.Modules
            kernel.Run([| source.Address; target.Address |], 1)
            Expect.equal "no other text" modules (Stub.live StubKind.Modules)
            kernel.Run([| source.Address + 4n; target.Address + 4n |], 1)
            Expect.equal "another text" (modules + 1L) (Stub.live StubKind.Modules)
            launches.Check()
            card.Map tape |> ignore
            Expect.equal "the same text is translated once" (modules + 1L) (Stub.live StubKind.Modules)
            let results = download<float32> card 65 target
            Expect.floatClose "the last" Accuracy.medium (exp 6.4) (float results[64])
            GC.KeepAlive source
        }

        test "running a kernel allocates nothing" {
            Stub.reset ()
            use card = Stub.openDevice ()

            let reduction =
                ReductionDescription(
                    DType.Float32,
                    ReductionKind.Sum,
                    [| 640; 3000 |],
                    [| 0; 1 |],
                    (denseLayout [| 640; 3000 |]).Operand 0,
                    Operand(1, 0L, [||])
                )

            let kernel = card.Reduce reduction
            let slots = [| 4096n; 8192n |]

            let allocated () =
                let before = GC.GetAllocatedBytesForCurrentThread()

                for _ in 1..100 do
                    kernel.Run(slots, 1)

                GC.GetAllocatedBytesForCurrentThread() - before

            Expect.equal "bytes" 0L (Seq.min [ for _ in 1..5 -> allocated () ])
        }

        test "gradients and products with the Hessian of a network, on the device and on the processor" {
            let card, launches = computing ()
            use card = card
            let inputs = Tensor.normal (Key.OfSeed 1L) DType.Float32 [ 12; 5 ]
            let theta = Tensor.normal (Key.OfSeed 2L) DType.Float32 [ 5 * 7 + 7 + 7 * 3 ]
            let v = Tensor.normal (Key.OfSeed 3L) DType.Float32 [ 63 ]

            let loss (inputs: Tensor) (theta: Tensor) =
                let part first count shape = Tensor.reshape shape (Tensor.slice 0 first count theta)
                let hidden = Tensor.tanh (Tensor.matmul inputs (part 0 35 [ 5; 7 ]) + part 35 7 [ 7 ])
                let logits = Tensor.matmul hidden (part 42 21 [ 7; 3 ])
                Tensor.mean (Tensor.logSumExp logits) - Tensor.mean (logits * logits)

            let results (on: Tensor -> Tensor) =
                let f = loss (on inputs)
                let gradient, product = gradhessianv f (on theta) (on v)
                [ gradient.ToArray(); product.ToArray() ]

            let expected = results id
            let actual = results (Tensor.toDevice card)
            launches.Check()
            List.iter2 (Expect.close 1e-5) expected actual
            Expect.isGreaterThan "kernels" (launches.Names.Count, 3)
            Expect.equal "misuses" 0 (Stub.misuses ())
        }
    ]
