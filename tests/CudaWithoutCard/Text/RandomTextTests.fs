/// Random numbers as text, against the processor, bit for bit.
module Curvature.Tests.CudaWithoutCard.RandomTextTests

open System
open Expecto
open Curvature
open Curvature.Kernels
open Curvature.Cuda
open Curvature.Tests.CudaWithoutCard.TapeRuns
open Curvature.Tests.Unit.Kernels.Support

let private both<'T when 'T: unmanaged and 'T: (new: unit -> 'T) and 'T: struct and 'T :> ValueType>
    distribution
    (key0: uint32, key1: uint32)
    (counter: int64)
    size
    =
    let fill = RandomDescription(dtypeOf<'T>, distribution, key0, key1, counter, int64 size, Place(0, 0L))
    let expected = upload device (Array.zeroCreate<'T> size)
    run device (device.Random fill) [ expected ]
    let actual = upload device (Array.zeroCreate<'T> size)
    let parameters = [| uint64 key0; uint64 key1; uint64 counter; uint64 size; uint64 actual.Address |]
    let blocks = KernelText.BlocksFor(int64 size)

    PtxInterpreter(RandomText.Of(dtypeOf<'T>, distribution))
        .Run(blocks, KernelText.Threads, parameters, [ actual.Address, actual.Bytes ])

    sameBits
        $"{distribution} {dtypeOf<'T>}, counter {counter}"
        (download<'T> device size expected)
        (download<'T> device size actual)

[<Tests>]
let tests =
    testList "CudaWithoutCard.RandomTextTests" [
        test "every distribution has the bits of the processor" {
            for key in [ 0u, 0u; 0xFFFFFFFFu, 1u; 123456789u, 987654321u ] do
                for counter in [ 0L; 77L; 0xFFFFFF00L; 0x7FFFFFFFFFFFF000L ] do
                    both<int> Distribution.Bits key counter 1000

                    for distribution in [ Distribution.Uniform; Distribution.Normal; Distribution.Rademacher ] do
                        both<float32> distribution key counter 1000
                        both<float> distribution key counter 1000
        }

        test "the numbers of elements need not fill a block" {
            for size in [ 1; 255; 256; 257 ] do
                both<float32> Distribution.Uniform (1u, 2u) 5L size
        }
    ]
