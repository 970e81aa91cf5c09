/// Compilation multiplies the constant factors of a product once. What it computes are the bits of the kernels.
module Curvature.Tests.Properties.ConstantFoldingLaws

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Kernels
open Curvature.Tests

let private constants = [| 0.1; 0.3; 0.7; 1.1; 3.0; 1e-3; 1.0 / 3.0; 16777217.0; Math.PI; -0.9 |]

/// x times up to four constants, negated here and there. With a power of two for x no order of the factors x·a·b
/// changes the rounding; all rounding is that of the constants' products.
let private scaled (random: Random) (x: Tensor) : Tensor =
    Seq.init (1 + random.Next 4) ignore
    |> Seq.fold
        (fun product () ->
            let product: Tensor = if random.Next 3 = 0 then -product else product
            product * constants[random.Next constants.Length])
        x

let private sameNumbers (expected: Tensor) (actual: Tensor) =
    // All NaN are one number here: which of them an operation gives depends on the processor.
    let numbers (t: Tensor) =
        t.ToArray() |> Array.map (fun x -> if Double.IsNaN x then nan else x) |> Tensor.ofArray [ t.Size ]

    Expect.sameBits (numbers expected) (numbers actual)

let private functions = Enum.GetValues<OpCode>()

[<Tests>]
let tests =
    testList "Properties.ConstantFoldingLaws" [
        for op in functions do
            test $"functions of scalars whose constant factors are gathered have the bits of the kernels ({op})" {
                for dtype in Generators.floating do
                    for _ in 1..60 do
                        let seed = Random.Shared.Next()
                        let powers = Random(seed + 1)

                        let points =
                            Array.init (ScalarFunction.arity op) (fun _ -> Math.ScaleB(1.0, powers.Next(-3, 4)))
                            |> Array.map (Tensor.scalar dtype)

                        let f (xs: Tensor[]) =
                            let random = Random seed
                            [| Tensor.Apply(op, xs |> Array.map (scaled random)) |]

                        try
                            let compiled, memory = Compile.functionOf f
                            Array.iter2 sameNumbers (f points) (compiled points)
                            memory.Dispose()
                        with :? AssertException as error ->
                            failtest $"seed {seed}, {dtype}: {error.Message}"
            }
    ]
