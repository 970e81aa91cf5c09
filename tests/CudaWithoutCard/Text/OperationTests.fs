/// Every operation of tapes as text, against the processor, bit for bit.
module Curvature.Tests.CudaWithoutCard.OperationTests

open Expecto
open Curvature.Tests.CudaWithoutCard.TapeRuns

[<Tests>]
let tests =
    testList "CudaWithoutCard.OperationTests" [
        for op in OperationCases.operations do
            test $"{op} in Float64 has the bits of the processor, or is within 2 units of the C library" {
                OperationCases.check64 device (runText true) op
            }

            test $"{op} in Float32 has the bits of the processor, or is within a unit of the C library" {
                OperationCases.check32 device (runText true) op
            }
    ]
