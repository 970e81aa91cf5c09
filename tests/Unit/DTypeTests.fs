module Curvature.Tests.Unit.DTypeTests

open System
open Expecto
open Expecto.Flip
open Curvature

[<Tests>]
let tests =
    testList "Unit.DTypeTests" [
        test "element types are numbered from zero, so that they can index a table" {
            let numbers = [ for dtype in Enum.GetValues<DType>() -> dtype, int dtype ]
            Expect.isTrue $"{numbers}" (numbers = [ DType.Float32, 0; DType.Float64, 1; DType.Int32, 2 ])
        }
    ]
