/// Functions with checkpoints in them: what they keep, compute again, and refuse.
module Curvature.Tests.Unit.CheckpointedFunctionTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private width = 12
let private depth = 6
let private inputs dtype = Tensor.normal (Key.OfSeed 1L) dtype [ 9; width ]
let private theta dtype = Tensor.normal (Key.OfSeed 2L) dtype [ depth * width * width ] * 0.3

/// Dense layers with tanh between; the layers are cut into segments of so many, each run in some way.
let private chain (perSegment: int) (segment: (Tensor -> Tensor) -> Tensor -> Tensor) (theta: Tensor) : Tensor =
    let layer (weight: Tensor) x = Tensor.tanh (Tensor.matmul x (Tensor.reshape [ width; width ] weight))

    Tensor.split 0 (List.replicate depth (width * width)) theta
    |> List.chunkBySize perSegment
    |> List.fold
        (fun x weights -> segment (fun x -> (x, weights) ||> List.fold (fun x weight -> layer weight x)) x)
        (inputs theta.DType)
    |> Tensor.square
    |> Tensor.sum

let private plain theta = chain 2 id theta
let private checkpointed theta = chain 2 Tensor.checkpoint theta

let private nested theta = chain 3 (fun f -> Tensor.checkpoint (fun x -> Tensor.checkpoint Tensor.sin x |> f)) theta

let private nestedPlain theta = chain 3 (fun f x -> f (Tensor.sin x)) theta

let private products (loss: Tensor -> Tensor) : Tensor -> CompiledMap =
    Compile.family (fun theta ->
        let (value, gradient), product = Linearized.gradient loss theta
        [ value; gradient ], product)

let private forms (loss: Tensor -> Tensor) : Tensor -> CompiledMap =
    Compile.family (fun theta ->
        let value, form = Linearized.quadraticForm loss theta
        [ value ], form)

[<Tests>]
let tests =
    testList "Unit.CheckpointedFunctionTests" [
        for dtype in [ DType.Float32; DType.Float64 ] do
            test $"a checkpoint changes no bit of value, gradient and derivative along a vector ({dtype})" {
                let theta = theta dtype
                let v = Tensor.normal (Key.OfSeed 3L) dtype [ theta.Size ]

                for plain, checkpointed in [ plain, checkpointed; nestedPlain, nested ] do
                    Expect.sameBits (plain theta) (checkpointed theta)
                    Expect.sameBits (grad plain theta) (grad checkpointed theta)
                    Expect.sameBits (gradv plain theta v) (gradv checkpointed theta v)
            }

        test "third derivatives go through checkpoints" {
            let f (x: Tensor) = Tensor.checkpoint (fun x -> x * x * Tensor.checkpoint (fun x -> x * x) x) x
            let x = Tensor.scalar DType.Float64 1.5
            Expect.scalar 1e-12 (24.0 * 1.5) (diffn 3 f x)
            Expect.scalar 1e-12 24.0 (diffn 4 f x)
            Expect.scalar 1e-12 0.0 (diffn 5 f x)
        }

        test "a derivative of order seven goes through a checkpoint" {
            let x = Tensor.scalar DType.Float64 0.3
            Expect.scalar 1e-6 ((diffn 7 Tensor.tanh x).ToScalar()) (diffn 7 (Tensor.checkpoint Tensor.tanh) x)
        }

        test "indices, what is captured and what is constant go through a checkpoint" {
            let tokens = Tensor.ofIndices [ 4 ] [| 2; 0; 2; 1 |]
            let table = Tensor.normal (Key.OfSeed 4L) DType.Float64 [ 3; 5 ]
            let look (table: Tensor) (tokens: Tensor) = Tensor.sin (Tensor.take 0 tokens table)
            let loss through (table: Tensor) = Tensor.sum (Tensor.square (through (look table) tokens: Tensor))
            Expect.sameBits (grad (loss id) table) (grad (loss Tensor.checkpoint) table)
            Expect.tensorsClose 1e-12 (hessianv (loss id) table table) (hessianv (loss Tensor.checkpoint) table table)

            Expect.sameBits
                (Tensor.zerosLike table)
                (grad (fun x -> Tensor.sum (Tensor.checkpoint (fun _ -> table) x)) table)

            Expect.sameBits
                (Tensor.onesLike table)
                (grad (fun x -> Tensor.sum (Tensor.checkpoint (fun _ -> x) x)) table)

            Expect.sameBits tokens (Tensor.checkpoint id tokens)
        }

        test "a checkpoint of several tensors has several results" {
            let f (x: Tensor) =
                match
                    Tensor.checkpointOf
                        (function
                        | [ a; b ] -> [ a * sin b; b; a ]
                        | other -> other)
                        [ x; cos x ]
                with
                | [ product; _; a ] -> Tensor.sum (product * a)
                | _ -> x

            let x = tensor [ 0.2; 0.5; -1.0 ]
            Expect.tensorsClose 1e-12 (grad (fun (x: Tensor) -> Tensor.sum (x * sin (cos x) * x)) x) (grad f x)
        }

        test "a compiled product computes its checkpoints again, in every run" {
            let theta = theta DType.Float64
            let v = Tensor.normal (Key.OfSeed 3L) DType.Float64 [ theta.Size ]
            use plainMap = products plain theta
            use map = products checkpointed theta
            Expect.tensorsClose 1e-11 (plainMap.Apply v) (map.Apply v)
            Expect.sameBits (map.Apply v) (map.Apply v)
            // A layer has six products in a plan that keeps all, and about eleven where it is computed again: once for
            // tangents on the way forward, and once for what goes backward.
            Expect.isTrue $"{map.Flops} and {plainMap.Flops}" (map.Flops > 1.5 * plainMap.Flops)
            use plainForm = forms plain theta
            use form = forms checkpointed theta
            Expect.tensorsClose 1e-11 (plainForm.Apply v) (form.Apply v)
            Expect.isTrue $"{form.Flops} and {plainForm.Flops}" (form.Flops > 1.5 * plainForm.Flops)
        }

        test "a function in a checkpoint may not ask for values" {
            Expect.raises<AbstractValueException> [ "being recorded" ] (fun () ->
                Tensor.checkpoint (fun x -> x * x.ToArray()[0]) (tensor [ 1.0 ]))
        }

        test "what is kept from inside a checkpoint is refused" {
            let mutable kept = tensor [ 0.0 ]

            Tensor.checkpoint
                (fun x ->
                    kept <- sin x
                    kept)
                (tensor [ 1.0 ])
            |> ignore

            Expect.raises<DifferentiationException> [ "escaped" ] (fun () -> kept * 2.0)
        }

        test "a checkpoint of nothing is refused" {
            Expect.error<ShapeException> [ "no tensors" ] (fun () -> Tensor.checkpointOf id [] |> ignore)
        }

        test "NaN is found within a checkpoint" {
            let f (x: Tensor) = Tensor.checkpoint (fun x -> Tensor.sum (sqrt (x - 1.0))) x
            Expect.stringContains "where" "Sqrt" (Finite.trace f (tensor [ 0.0; 2.0 ]))
        }
    ]
