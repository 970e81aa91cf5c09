/// Keys against the vectors of Random123 and the documentation of jax.random.
module Curvature.Tests.Unit.KeyTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Kernels
open Curvature.Tests

let private words (key: Key) = key.Word0, key.Word1

[<Tests>]
let tests =
    testList "Unit.KeyTests" [
        for key0, key1, counter0, counter1, expected0, expected1 in
            [
                0u, 0u, 0u, 0u, 0x6b200159u, 0x99ba4efeu
                0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu, 0x1cb996fcu, 0xbb002be7u
                0x13198a2eu, 0x03707344u, 0x243f6a88u, 0x85a308d3u, 0xc4923a9cu, 0x483df7a0u
            ] do
            test $"threefry2x32 with 20 rounds gives Random123's known answers ({key0}, {key1}, {counter0})" {
                let struct (x0, x1) = Threefry.Block(key0, key1, counter0, counter1)
                Expect.equal "x0, x1" (expected0, expected1) (x0, x1)
            }

        test "splitting the key of seed 0 gives JAX's keys" {
            let children = Key.OfSeed(0L).Split 2 |> Array.map words
            Expect.equal "children" [| 1797259609u, 2579123966u; 928981903u, 3453687069u |] children
        }

        test "more children begin with the same ones" {
            let key = Key.OfSeed 42L
            Expect.equal "key.Split(5)[..2]" (key.Split 3) (key.Split(5)[..2])
            Expect.equal "key.Split 0" [||] (key.Split 0)
        }

        test "folding a number in is the child of that number" {
            let key = Key.OfSeed 0L
            Expect.equal "words (key.FoldIn 1u)" (928981903u, 3453687069u) (words (key.FoldIn 1u))
            Expect.equal "key.FoldIn 4u" (key.Split(5)[4]) (key.FoldIn 4u)
        }

        test "a seed's halves are the key's words" {
            Expect.equal "words (Key.OfSeed 0x00000005000…" (5u, 7u) (words (Key.OfSeed 0x0000000500000007L))
            Expect.equal "words (Key.OfSeed -1L)" (0xffffffffu, 0xffffffffu) (words (Key.OfSeed -1L))
        }

        test "a negative number of keys is refused" {
            Expect.error<ArgumentRangeException> [ "split"; "-3" ] (fun () -> (Key.OfSeed 0L).Split -3 |> ignore)
        }

        test "random tensors are a function of key and place alone" {
            let key = Key.OfSeed 9L

            for draw in [ Tensor.uniform; Tensor.normal; Tensor.rademacher ] do
                for dtype in [ DType.Float32; DType.Float64 ] do
                    let few, many = draw key dtype [ 7 ], draw key dtype [ 5; 11 ]
                    Expect.sameBits few (many |> Tensor.flatten |> Tensor.slice 0 0 7)
                    Expect.sameBits many (draw key dtype [ 5; 11 ])

                    Expect.isTrue
                        "another key, other numbers"
                        ((draw (key.FoldIn 1u) dtype [ 7 ]).ToArray() <> few.ToArray())

                    Expect.equal "(draw key dtype [ 0; 3 ]).Shape" [| 0; 3 |] (draw key dtype [ 0; 3 ]).Shape
        }

        test "random tensors have the moments of their distributions" {
            // Five standard errors each: fails by chance less than once in a million keys, and the key is fixed.
            let count = 100_000
            let key = Key.OfSeed 2024L

            let check draw mean variance fourth =
                for dtype in [ DType.Float32; DType.Float64 ] do
                    let values: float[] = (draw key dtype [ count ]: Tensor).ToArray()
                    let average = Array.average values
                    let square = values |> Array.averageBy (fun x -> (x - mean) * (x - mean))
                    Expect.within $"{key}" (5.0 * sqrt (variance / float count)) mean average

                    Expect.within
                        $"{key}"
                        (5.0 * sqrt ((fourth - variance * variance) / float count) + 1e-12)
                        variance
                        square

            check Tensor.uniform 0.5 (1.0 / 12.0) (1.0 / 80.0)
            check Tensor.normal 0.0 1.0 3.0
            check Tensor.rademacher 0.0 1.0 1.0
        }

        test "random tensors are numbers" {
            Expect.raises<DTypeException> [ "Int32" ] (fun () -> Tensor.uniform (Key.OfSeed 0L) DType.Int32 [ 2 ])

            Expect.raises<ShapeException> [ "negative"; "[-2]" ] (fun () ->
                Tensor.normal (Key.OfSeed 0L) DType.Float64 [ -2 ])
        }
    ]
