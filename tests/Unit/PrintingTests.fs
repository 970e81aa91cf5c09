/// What people read in F# Interactive.
module Curvature.Tests.Unit.PrintingTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp

let private prints (expected: string) (t: Tensor) =
    Expect.equal "t.ToString()" expected (t.ToString())
    // F# Interactive prints structured values by the same text.
    Expect.equal "sprintf \"%A\" t" expected (sprintf "%A" t)

[<Tests>]
let tests =
    testList "Unit.PrintingTests" [
        test "scalars" {
            prints "tensor(1.5, float64)" (tensor 1.5)
            prints "tensor(-0.333333, float64)" (tensor (-1.0 / 3.0))
            prints "tensor(0.1, float32)" (tensor 0.1f)
            prints "tensor(7, int32)" (tensor 7)
            prints "tensor(1.23457E+20, float64)" (tensor 123456789e12)
        }

        test "vectors, with aligned columns" {
            prints "tensor([1, 2, 3], float64)" (tensor [ 1.0; 2.0; 3.0 ])
            prints "tensor([   1, -2.5,  100], float32)" (tensor [ 1.0f; -2.5f; 100.0f ])
            prints "tensor([-1,  2], int32)" (tensor [ -1; 2 ])
        }

        test "matrices and stacks of them, a row a line, with the shape" {
            prints
                "tensor([[ 1,  2],\n        [-3,  4]], float64, shape [2; 2])"
                (tensor [ [ 1.0; 2.0 ]; [ -3.0; 4.0 ] ])

            prints
                "tensor([[[0, 1]],\n        [[2, 3]]], float64, shape [2; 1; 2])"
                (Tensor.arange DType.Float64 4 |> Tensor.reshape [ 2; 1; 2 ])
        }

        test "views print their own elements" {
            let t = tensor [ [ 1.0; 2.0 ]; [ 3.0; 4.0 ] ]
            prints "tensor([[1, 3],\n        [2, 4]], float64, shape [2; 2])" (Tensor.transpose t)
            prints "tensor([2, 1], float64)" (Tensor.item 0 0 t |> Tensor.reverse 0)
            prints "tensor([5, 5], float64)" (Tensor.full DType.Float64 [ 2 ] 5.0)
        }

        test "axes longer than 12 show four entries at each end" {
            prints "tensor([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11], int32)" (Tensor.arange DType.Int32 12)
            prints "tensor([ 0,  1,  2,  3, …, 16, 17, 18, 19], float64, shape [20])" (Tensor.arange DType.Float64 20)

            let tall = Tensor.ones DType.Float32 [ 13; 1 ]

            prints
                ("tensor([[1],\n        [1],\n        [1],\n        [1],\n        …,\n        [1],\n        "
                 + "[1],\n        [1],\n        [1]], float32, shape [13; 1])")
                tall
        }

        test "nothing, infinity and NaN" {
            prints "tensor([], float64)" (Tensor.zeros DType.Float64 [ 0 ])
            prints "tensor([], float64, shape [0; 3])" (Tensor.zeros DType.Float64 [ 0; 3 ])
            prints "tensor([Infinity,      NaN], float64)" (tensor [ Double.PositiveInfinity; Double.NaN ])
        }

        testCase "stand-ins print what they are" (fun () ->
            let inside (transform: (Tensor -> Tensor) -> unit) =
                let mutable text = ""

                transform (fun x ->
                    text <- x.ToString()
                    x)

                text

            let point = tensor [ 1.0; 2.0 ]

            Expect.equal
                "inside (fun f -> vmap f point |…"
                "tensor(batched, float64, shape [])"
                (inside (fun f -> vmap f point |> ignore))

            Expect.equal
                "inside (fun f -> jacobianv f po…"
                "tensor with a tangent: tensor([1, 2], float64)"
                (inside (fun f -> jacobianv f point point |> ignore))

            Expect.equal
                "inside (fun f -> quadraticForm…"
                "tensor on a tape: tensor([1, 2], float64)"
                (inside (fun f -> quadraticForm (f >> Tensor.sum) point point |> ignore))

            Expect.equal
                "inside (fun f -> Compile.func f…"
                "tensor(recorded, float64, shape [2])"
                (inside (fun f -> Compile.func f point |> ignore)))

        test "a linear program prints as its equations" {
            let _, program = linearize (fun x -> Tensor.sum (3.0 * x)) (tensor [ 1.0; 2.0 ])

            let expected =
                "inputs v0: Float64[2]\n  v1: Float64[2] = Multiply (3, v0)\n  v2: Float64[] = Sum [0] (v1)\noutputs v2"

            Expect.equal "program.ToString()" expected (program.ToString())
        }

        test "a key prints the words that make it again" {
            let key = Key.OfSeed(0L).Split(2)[0]
            Expect.equal "key.ToString()" "Key(1797259609, 2579123966)" (key.ToString())
            Expect.equal "Key.OfWords(1797259609u, 257912…" key (Key.OfWords(1797259609u, 2579123966u))
        }
    ]
