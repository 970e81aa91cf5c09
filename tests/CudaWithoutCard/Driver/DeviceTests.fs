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

/// What a kernel leaves in an array, on the processor and through the device.
let private sameOnBoth<'T when 'T: unmanaged and 'T: (new: unit -> 'T) and 'T: struct and 'T :> ValueType>
    what
    (card: CudaDevice, launches: Launches)
    (make: Device -> Kernel)
    (arrays: (Device -> DeviceMemory) list)
    slot
    =
    let after (target: Device) =
        let memory = [ for upload in arrays -> upload target ]
        run target (make target) memory
        launches.Check()
        download<'T> target (int memory[slot].Bytes / sizeof<'T>) memory[slot]

    sameBits what (after device) (after card)

let private numbers size = Array.init size (fun i -> float ((i * 37) % 19 - 9))

[<Tests>]
let tests =
    testSequenced
    <| testList "CudaWithoutCard.DeviceTests" [
        test "kernels of every sort through the device agree with the processor" {
            let card, launches = computing ()
            use card = card
            let on = card, launches
            let values size (device: Device) = upload device (numbers size)
            let blank size (device: Device) = upload device (Array.create<float> size nan)
            let integers (items: int list) (device: Device) = upload device (Array.ofList items)
            let dense (shape: int[]) slot = (denseLayout shape).Operand slot

            let copy =
                CopyDescription(
                    DType.Float64,
                    DType.Int32,
                    [| 30; 5 |],
                    Operand(0, 0L, [| 1; 30 |]),
                    dense [| 30; 5 |] 1
                )

            sameOnBoth<int>
                "copy"
                on
                (fun d -> d.Copy copy)
                [ values 150; (fun d -> upload d (Array.zeroCreate<int> 150)) ]
                1

            let tape =
                TapeDescription(
                    DType.Float64,
                    [| 40; 6 |],
                    [| dense [| 40; 6 |] 0 |],
                    [| 0.5 |],
                    [| Instruction(OpCode.Multiply, 0, 1); Instruction(OpCode.Sigmoid, 2) |],
                    [| TapeOutput(3, dense [| 40; 6 |] 1) |]
                )

            sameOnBoth<float> "tape" on (fun d -> d.Map tape) [ values 240; blank 240 ] 1

            let reduction =
                ReductionDescription(
                    DType.Float64,
                    ReductionKind.Sum,
                    [| 20; 300 |],
                    [| 1 |],
                    dense [| 20; 300 |] 0,
                    dense [| 20 |] 1
                )

            sameOnBoth<float> "sum" on (fun d -> d.Reduce reduction) [ values 6000; blank 20 ] 1

            let indexing =
                IndexingDescription(
                    DType.Float64,
                    IndexingSizes(1, 2, 7, 4, 3),
                    Place(0, 0L),
                    Place(1, 0L),
                    Place(2, 0L)
                )

            sameOnBoth<float>
                "gather"
                on
                (fun d -> d.Gather indexing)
                [ values 42; integers [ 6; 0; 3; 3 ]; blank 24 ]
                2

            sameOnBoth<float>
                "scatter"
                on
                (fun d -> d.ScatterAdd indexing)
                [ values 24; integers [ 6; 0; 3; 3 ]; blank 42 ]
                2

            let sum = CumulativeSumDescription(DType.Float64, 2, 9, 3, true, Place(0, 0L), Place(1, 0L))
            sameOnBoth<float> "cumulative" on (fun d -> d.CumulativeSum sum) [ values 54; blank 54 ] 1
            let sort = ArgSortDescription(DType.Float64, 3, 8, true, Place(0, 2L), Place(1, 1L))
            sameOnBoth<int> "sort" on (fun d -> d.ArgSort sort) [ values 26; integers (List.replicate 25 7) ] 1
            let windows = WindowSizes(2, WindowAxis(4, 2, 2), WindowAxis(4, 2, 2), 3)
            let sums = WindowSumDescription(DType.Float64, windows, false, Place(0, 0L), Place(1, 0L))
            sameOnBoth<float> "windows" on (fun d -> d.SumWindows sums) [ values 96; blank 24 ] 1
            let largest = WindowMaximumDescription(DType.Float64, windows, Place(0, 0L), Place(1, 0L))

            sameOnBoth<int>
                "largest"
                on
                (fun d -> d.MaximumOfWindows largest)
                [ values 96; integers (List.replicate 24 0) ]
                1

            let fill = RandomDescription(DType.Float64, Distribution.Normal, 1u, 2u, 3L, 500L, Place(0, 0L))
            sameOnBoth<float> "random" on (fun d -> d.Random fill) [ blank 500 ] 0

            // Several axes of a kind take the table of places; few results of long sums are split.
            let axis role size a b c = ContractionAxis(role, size, a, b, c)

            let tables =
                ContractionDescription(
                    DType.Float64,
                    [| axis AxisRole.Left 3 4 0 10; axis AxisRole.Left 2 30 0 40; axis AxisRole.Inner 4 1 1 0 |],
                    Place(0, 0L),
                    Place(1, 0L),
                    Place(2, 0L)
                )

            sameOnBoth<float> "tables" on (fun d -> d.Contract tables) [ values 100; values 4; blank 100 ] 2

            let long =
                ContractionDescription(
                    DType.Float64,
                    [| axis AxisRole.Inner 900 1 1 0 |],
                    Place(0, 0L),
                    Place(1, 0L),
                    Place(2, 0L)
                )

            sameOnBoth<float> "split" on (fun d -> d.Contract long) [ values 900; values 900; blank 1 ] 2
            Expect.isTrue "the table" (launches.Names |> Set.exists _.StartsWith("table_product"))
            Expect.isTrue "splits" (launches.Names.Contains "add_splits_f64")
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
