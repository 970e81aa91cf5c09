namespace Curvature.Tests.Properties

open System
open NUnit.Framework
open Curvature
open Curvature.FSharp
open Curvature.Kernels
open Curvature.Tests

/// Compilation multiplies the constant factors of a product once. What it computes are the bits of the kernels.
[<TestFixture>]
type ConstantFoldingLaws() =

    static let constants = [| 0.1; 0.3; 0.7; 1.1; 3.0; 1e-3; 1.0 / 3.0; 16777217.0; Math.PI; -0.9 |]

    /// x times up to four constants, negated here and there. With a power of two for x no order of the factors x·a·b
    /// changes the rounding; all rounding is that of the constants' products.
    static let scaled (random: Random) (x: Tensor) : Tensor =
        Seq.init (1 + random.Next 4) ignore
        |> Seq.fold
            (fun product () ->
                let product: Tensor = if random.Next 3 = 0 then -product else product
                product * constants[random.Next constants.Length])
            x

    static let sameNumbers (expected: Tensor) (actual: Tensor) =
        // All NaN are one number here: which of them an operation gives depends on the processor.
        let numbers (t: Tensor) =
            t.ToArray() |> Array.map (fun x -> if Double.IsNaN x then nan else x) |> Tensor.ofArray [ t.Size ]

        Expect.sameBits (numbers expected) (numbers actual)

    static member Functions: OpCode[] = Enum.GetValues<OpCode>()

    [<TestCaseSource("Functions")>]
    member _.``functions of scalars whose constant factors are gathered have the bits of the kernels``(op: OpCode) =
        for dtype in Generators.floating do
            for case in 1..60 do
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
                with :? AssertionException as error ->
                    Expect.fail $"seed {seed}, {dtype}: {error.Message}"
