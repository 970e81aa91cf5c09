/// Random numbers against the published vectors of Threefry and of jax.random.
module Curvature.Tests.Unit.Kernels.RandomTests

open System
open Expecto
open Curvature
open Curvature.Kernels
open Curvature.Tests.Unit.Kernels.Support

let private draw<'T when 'T: unmanaged and 'T: (new: unit -> 'T) and 'T: struct and 'T :> ValueType>
    distribution
    (key0, key1)
    counter
    size
    (device: CpuDevice)
    =
    let fill = RandomDescription(dtypeOf<'T>, distribution, key0, key1, counter, int64 size, Place(0, 1L))
    let memory = upload device (Array.zeroCreate<'T>(size + 1))
    run device (device.Random fill) [ memory ]
    Array.tail (download<'T> device (size + 1) memory)

let private everywhere = devices @ teams

let private close tolerance (expected: float[]) (actual: float[]) =
    Array.forall2 (fun x y -> abs (x - y) <= tolerance) expected actual
    |> holds $"expected %A{expected}, got %A{actual}"

/// The 64-bit word of an element.
let private word64 (key0, key1) (i: int64) =
    let struct (x0, x1) = Threefry.Block(key0, key1, uint32 (i >>> 32), uint32 i)
    (uint64 x0 <<< 32) ||| uint64 x1

[<Tests>]
let tests =
    testList "Unit.Kernels.RandomTests" [
        test "blocks are those of the authors' known-answer file" {
            same (struct (0x6b200159u, 0x99ba4efeu)) (Threefry.Block(0u, 0u, 0u, 0u))
            let ones = 0xffffffffu
            same (struct (0x1cb996fcu, 0xbb002be7u)) (Threefry.Block(ones, ones, ones, ones))

            same
                (struct (0xc4923a9cu, 0x483df7a0u))
                (Threefry.Block(0x13198a2eu, 0x03707344u, 0x243f6a88u, 0x85a308d3u))
        }

        test "keys split as those of jax do" {
            same [| struct (1797259609u, 2579123966u); struct (928981903u, 3453687069u) |] (Threefry.Split(0u, 0u, 2))

            same
                [|
                    struct (507451445u, 1853169794u)
                    struct (1948878966u, 4237131848u)
                    struct (2441914641u, 3819641963u)
                |]
                (Threefry.Split(0u, 1u, 3))

            same (Threefry.Block(3u, 4u, 0u, 5u)) (Threefry.FoldIn(3u, 4u, 5u))
            same (Threefry.Block(3u, 4u, 1u, 2u)) (Threefry.Child(3u, 4u, (1L <<< 32) + 2L))
        }

        // jax.random.bits(key, (n,)) in the partitionable mode.
        test "bits are those of jax" {
            for device in everywhere do
                draw<int> Distribution.Bits (0u, 0u) 0L 8 device
                |> Array.map uint32
                |> same [|
                    4070199207u
                    4202968722u
                    1427181096u
                    2012915765u
                    2447653815u
                    710830403u
                    1332275837u
                    2961296638u
                |]

                draw<int> Distribution.Bits (0u, 10u) 0L 4 device
                |> Array.map uint32
                |> same [| 169096361u; 1572511259u; 2689743692u; 2228103506u |]
        }

        // jax.random.uniform(key, (n,)) and jax.random.normal(key, (n,)).
        test "uniform and normal numbers are those of jax" {
            for device in everywhere do
                draw<float32> Distribution.Uniform (0u, 0u) 0L 3 device
                |> Array.map float
                |> close 5e-8 [| 0.947667; 0.9785799; 0.33229148 |]

                draw<float32> Distribution.Uniform (0u, 51u) 0L 4 device
                |> Array.map float
                |> close 5e-8 [| 0.471269; 0.12344253; 0.17550635; 0.5663593 |]

                draw<float32> Distribution.Normal (0u, 0u) 0L 16 device
                |> Array.map float
                |> close 3e-7 [|
                    1.6226422
                    2.0252647
                    -0.43359444
                    -0.07861735
                    0.1760909
                    -0.97208923
                    -0.49529874
                    0.4943786
                    0.6643493
                    -0.9501635
                    2.1795304
                    -1.9551506
                    0.35857072
                    0.15779513
                    1.2770847
                    1.5104648
                |]
        }

        test "numbers follow from their words" {
            let key = 17u, 4u
            let n = 3000

            for counter in [ 0L; 5L; (1L <<< 32) - 7L; (1L <<< 40) + 3L ] do
                let words = Array.init n (fun i -> word64 key (counter + int64 i))
                let words32 = words |> Array.map (fun word -> uint32 (word >>> 32) ^^^ uint32 word)
                let unit = words |> Array.map (fun word -> float (word >>> 12) / float (1L <<< 52))
                let unit32 = words32 |> Array.map (fun word -> float32 (word >>> 9) / float32 (1 <<< 23))

                for device in everywhere do
                    draw<int> Distribution.Bits key counter n device |> same (Array.map int words32)
                    draw<float> Distribution.Uniform key counter n device |> same unit
                    draw<float32> Distribution.Uniform key counter n device |> same unit32

                    draw<float> Distribution.Rademacher key counter n device
                    |> same (unit |> Array.map (fun u -> if u < 0.5 then 1.0 else -1.0))

                    draw<float32> Distribution.Rademacher key counter n device
                    |> same (unit32 |> Array.map (fun u -> if u < 0.5f then 1f else -1f))
        }

        test "an element depends on the key and its counter alone" {
            for distribution in [ Distribution.Uniform; Distribution.Normal; Distribution.Rademacher ] do
                let whole = draw<float32> distribution (1u, 2u) 100L 40000 CpuDevice.Shared

                for device in everywhere do
                    for start, size in [ 0, 1; 1, 15; 3, 1000; 17, 30000; 39999, 1 ] do
                        draw<float32> distribution (1u, 2u) (100L + int64 start) size device
                        |> same whole[start .. start + size - 1]
        }

        test "moments are within five standard errors" {
            let n = 1_000_000
            let mean power values = values |> Array.averageBy (fun x -> pown x power)

            let within name expected variance actual =
                holds $"{name}: {actual} for {expected}" (abs (actual - expected) <= 5.0 * sqrt (variance / float n))

            let check name (values: float[]) (moments: (int * float * float) list) =
                for power, expected, variance in moments do
                    within $"{name}, moment {power}" expected variance (mean power values)

            // E xᵏ and Var xᵏ.
            let normal = [ 1, 0.0, 1.0; 2, 1.0, 2.0; 3, 0.0, 15.0; 4, 3.0, 96.0; 6, 15.0, 10170.0 ]
            let uniform = [ 1, 1.0 / 2.0, 1.0 / 12.0; 2, 1.0 / 3.0, 4.0 / 45.0; 3, 1.0 / 4.0, 9.0 / 112.0 ]
            let device = CpuDevice.Shared
            check "normal" (draw<float> Distribution.Normal (5u, 6u) 0L n device) normal
            check "normal, single" (draw<float32> Distribution.Normal (7u, 6u) 0L n device |> Array.map float) normal
            check "uniform" (draw<float> Distribution.Uniform (5u, 7u) 0L n device) uniform
            check "uniform, single" (draw<float32> Distribution.Uniform (5u, 8u) 0L n device |> Array.map float) uniform
            check "Rademacher" (draw<float> Distribution.Rademacher (5u, 9u) 0L n device) [ 1, 0.0, 1.0 ]
            let signs = draw<float32> Distribution.Rademacher (5u, 10u) 0L n device |> Array.map float
            check "Rademacher, single" signs [ 1, 0.0, 1.0 ]
            check "neighbours" (Array.pairwise signs |> Array.map (fun (a, b) -> a * b)) [ 1, 0.0, 1.0 ]
        }

        test "a malformed fill is refused with the name of what is wrong" {
            let make (dtype, distribution, size, slot) =
                RandomDescription(dtype, distribution, 0u, 0u, 0L, size, Place(slot, 0L))

            for argument, fill in
                [
                    "DType", make (DType.Int32, Distribution.Normal, 1L, 0)
                    "DType", make (DType.Float32, Distribution.Bits, 1L, 0)
                    "Distribution", make (DType.Float32, enum 9, 1L, 0)
                    "Count", make (DType.Float32, Distribution.Normal, -1L, 0)
                    "Target", make (DType.Float32, Distribution.Normal, 1L, -1)
                ] do
                refuses argument (fun () -> devices.Head.Random fill |> ignore)
        }
    ]
