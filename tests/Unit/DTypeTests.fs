namespace Curvature.Tests.Unit

open System
open NUnit.Framework
open Curvature

[<TestFixture>]
type DTypeTests() =

    [<Test>]
    member _.``element types are numbered from zero, so that they can index a table``() =
        let numbers = [ for dtype in Enum.GetValues<DType>() -> dtype, int dtype ]
        Assert.That((numbers = [ DType.Float32, 0; DType.Float64, 1; DType.Int32, 2 ]), $"{numbers}")
