namespace Curvature.Tests.Unit

open System
open NUnit.Framework
open Curvature
open Curvature.FSharp

/// What people read in F# Interactive.
[<TestFixture>]
type PrintingTests() =

    let prints (expected: string) (t: Tensor) =
        Assert.That(t.ToString(), Is.EqualTo expected)
        // F# Interactive prints structured values by the same text.
        Assert.That(sprintf "%A" t, Is.EqualTo expected)

    [<Test>]
    member _.``scalars``() =
        prints "tensor(1.5, float64)" (tensor 1.5)
        prints "tensor(-0.333333, float64)" (tensor (-1.0 / 3.0))
        prints "tensor(0.1, float32)" (tensor 0.1f)
        prints "tensor(7, int32)" (tensor 7)
        prints "tensor(1.23457E+20, float64)" (tensor 123456789e12)

    [<Test>]
    member _.``vectors, with aligned columns``() =
        prints "tensor([1, 2, 3], float64)" (tensor [ 1.0; 2.0; 3.0 ])
        prints "tensor([   1, -2.5,  100], float32)" (tensor [ 1.0f; -2.5f; 100.0f ])
        prints "tensor([-1,  2], int32)" (tensor [ -1; 2 ])

    [<Test>]
    member _.``matrices and stacks of them, a row a line, with the shape``() =
        prints "tensor([[ 1,  2],\n        [-3,  4]], float64, shape [2; 2])" (tensor [ [ 1.0; 2.0 ]; [ -3.0; 4.0 ] ])

        prints
            "tensor([[[0, 1]],\n        [[2, 3]]], float64, shape [2; 1; 2])"
            (Tensor.arange DType.Float64 4 |> Tensor.reshape [ 2; 1; 2 ])

    [<Test>]
    member _.``views print their own elements``() =
        let t = tensor [ [ 1.0; 2.0 ]; [ 3.0; 4.0 ] ]
        prints "tensor([[1, 3],\n        [2, 4]], float64, shape [2; 2])" (Tensor.transpose t)
        prints "tensor([2, 1], float64)" (Tensor.item 0 0 t |> Tensor.reverse 0)
        prints "tensor([5, 5], float64)" (Tensor.full DType.Float64 [ 2 ] 5.0)

    [<Test>]
    member _.``axes longer than 12 show four entries at each end``() =
        prints "tensor([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11], int32)" (Tensor.arange DType.Int32 12)
        prints "tensor([ 0,  1,  2,  3, …, 16, 17, 18, 19], float64, shape [20])" (Tensor.arange DType.Float64 20)

        let tall = Tensor.ones DType.Float32 [ 13; 1 ]

        prints
            ("tensor([[1],\n        [1],\n        [1],\n        [1],\n        …,\n        [1],\n        "
             + "[1],\n        [1],\n        [1]], float32, shape [13; 1])")
            tall

    [<Test>]
    member _.``nothing, infinity and NaN``() =
        prints "tensor([], float64)" (Tensor.zeros DType.Float64 [ 0 ])
        prints "tensor([], float64, shape [0; 3])" (Tensor.zeros DType.Float64 [ 0; 3 ])
        prints "tensor([Infinity,      NaN], float64)" (tensor [ Double.PositiveInfinity; Double.NaN ])

    [<Test>]
    member _.``stand-ins print what they are``() =
        let inside (transform: (Tensor -> Tensor) -> unit) =
            let mutable text = ""

            transform (fun x ->
                text <- x.ToString()
                x)

            text

        let point = tensor [ 1.0; 2.0 ]
        Assert.That(inside (fun f -> vmap f point |> ignore), Is.EqualTo "tensor(batched, float64, shape [])")

        Assert.That(
            inside (fun f -> jacobianv f point point |> ignore),
            Is.EqualTo "tensor with a tangent: tensor([1, 2], float64)"
        )

        Assert.That(
            inside (fun f -> quadraticForm (f >> Tensor.sum) point point |> ignore),
            Is.EqualTo "tensor on a tape: tensor([1, 2], float64)"
        )

        Assert.That(inside (fun f -> Compile.func f point |> ignore), Is.EqualTo "tensor(recorded, float64, shape [2])")

    [<Test>]
    member _.``a linear program prints as its equations``() =
        let _, program = linearize (fun x -> Tensor.sum (3.0 * x)) (tensor [ 1.0; 2.0 ])

        let expected =
            "inputs v0: Float64[2]\n  v1: Float64[2] = Multiply (3, v0)\n  v2: Float64[] = Sum [0] (v1)\noutputs v2"

        Assert.That(program.ToString(), Is.EqualTo expected)

    [<Test>]
    member _.``a key prints the words that make it again``() =
        let key = Key.OfSeed(0L).Split(2)[0]
        Assert.That(key.ToString(), Is.EqualTo "Key(1797259609, 2579123966)")
        Assert.That(Key.OfWords(1797259609u, 2579123966u), Is.EqualTo key)
