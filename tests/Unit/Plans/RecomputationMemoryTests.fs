/// The memory of functions with checkpoints, beside that of the functions without.
module Curvature.Tests.Unit.Plans.RecomputationMemoryTests

open System
open System.Diagnostics
open System.Reflection
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// Dense layers with tanh between, in segments of so many layers, each run in some way.
let private chain depth width (inputs: Tensor) perSegment (segment: (Tensor -> Tensor) -> Tensor -> Tensor) theta =
    let layer (weight: Tensor) x = Tensor.tanh (Tensor.matmul x (Tensor.reshape [ width; width ] weight))

    Tensor.split 0 (List.replicate depth (width * width)) theta
    |> List.chunkBySize perSegment
    |> List.fold
        (fun x weights -> segment (fun x -> (x, weights) ||> List.fold (fun x weight -> layer weight x)) x)
        inputs
    |> Tensor.square
    |> Tensor.sum

let private depth, width, rows = 16, 8, 512
let private inputs = Tensor.normal (Key.OfSeed 1L) DType.Float64 [ rows; width ]
let private loss segment theta = chain depth width inputs 4 segment theta
let private theta = { Shape = [| depth * width * width |]; DType = DType.Float64 }

/// The bytes of one layer's activations.
let private layerBytes = int64 (rows * width * 8)

/// The plans of a map at a point: slow and fast.
let private plansOf (at: Tensor -> Tensor -> Tensor) : struct (Partition * Plan) =
    let program =
        Staging.stage inputs.Device [| theta; theta |] (fun xs -> [| at xs[0] xs[1] |])
        |> Simplify.run [| false; true |]

    let parts = Partition.cut 1 0 program
    parts, Plan(parts.Fast, parts.Fast.Inputs - 1)

let private kept (at: Tensor -> Tensor -> Tensor) =
    let struct (parts, plan) = plansOf at
    let residuals = parts.Slow.Outputs |> Array.sumBy (fun output -> (parts.Slow.Signature output).Bytes)
    residuals + plan.PersistentBytes, plan.ScratchBytes

let private gradientPlan segment =
    let program = Staging.stage inputs.Device [| theta |] (fun xs -> [| grad (loss segment) xs[0] |])
    Plan(Simplify.run [| true |] program, 0)

let private peak () = Process.GetCurrentProcess().PeakWorkingSet64 / (1L <<< 20)

/// The memory of gradients of a deep and wide chain, with checkpoints and then without.
let private takesLessMemory () =
    let depth, width = 64, 64
    let key = Key.OfSeed 2L
    let inputs = Tensor.normal key DType.Float32 [ 8192; width ]
    let theta = Tensor.normal key DType.Float32 [ depth * width * width ] * 0.1
    let gradient segment = Compile.func (grad (chain depth width inputs 8 segment))
    // What the runtime takes for compiling such functions is not to count.
    Compile.func
        (grad (chain 2 2 (Tensor.ones DType.Float32 [ 2; 2 ]) 1 Tensor.checkpoint))
        (Tensor.ones DType.Float32 [ 8 ])
    |> ignore

    let before = peak ()
    let withCheckpoints = gradient Tensor.checkpoint theta
    let less = peak () - before
    let without = gradient id theta
    let more = peak () - before
    stdout.WriteLine $"{less} MiB with checkpoints, {more} MiB without"
    Expect.sameBits without withCheckpoints
    // 128 MiB of activations against 16 of what enters the segments, and about 16 more of one of them.
    Expect.isTrue $"{less} MiB with checkpoints, {more} MiB without" (2L * less < more)

[<Tests>]
let tests =
    testList "Unit.Plans.RecomputationMemoryTests" [
        test "a gradient with checkpoints takes the scratch memory of the segments' inputs and of one segment" {
            let without, with' = (gradientPlan id).ScratchBytes, (gradientPlan Tensor.checkpoint).ScratchBytes
            Expect.isTrue $"{without} bytes without" (without >= int64 depth * layerBytes)
            // Four inputs, and of one segment four layers, slopes and the cotangent.
            Expect.isTrue $"{with'} bytes with checkpoints, {without} without" (with' < 16L * layerBytes)
        }

        test "a product keeps of a checkpoint what enters and leaves it, and computes the rest in each run" {
            let product segment theta v = (snd (Linearized.gradient (loss segment) theta)) v
            let without, _ = kept (product id)
            let with', scratch = kept (product Tensor.checkpoint)
            Expect.isTrue $"{without} bytes without" (without > 2L * int64 depth * layerBytes)
            // What enters four segments, the cotangents of what leaves them, and packed copies of these and of weights.
            Expect.isTrue $"{with'} bytes with checkpoints" (with' <= 24L * layerBytes)
            // Of tangents too, what enters the segments, and of one segment all there is.
            Expect.isTrue $"{scratch} bytes of scratch" (scratch < 40L * layerBytes)
        }

        test "a quadratic form keeps of a checkpoint what enters and leaves it" {
            let form segment theta v = (snd (Linearized.quadraticForm (loss segment) theta)) v
            let without, _ = kept (form id)
            let with', _ = kept (form Tensor.checkpoint)
            Expect.isTrue $"{without} bytes without" (without > 2L * int64 depth * layerBytes)
            Expect.isTrue $"{with'} bytes with checkpoints" (with' <= 24L * layerBytes)
        }

        test "gradients with checkpoints take less memory of the process" {
            let filter = "FullyQualifiedName~RecomputationMemoryTests&Name~process"
            ChildRun.alone (Assembly.GetExecutingAssembly()) filter takesLessMemory
        }
    ]
