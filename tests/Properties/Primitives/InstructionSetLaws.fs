namespace Curvature.Tests.Properties

open System.Reflection
open NUnit.Framework
open Curvature.Tests

/// Laws of primitives and of plans on a machine without the widest vector instructions.
[<TestFixture>]
type InstructionSetLaws() =

    static let laws =
        [
            "took effect"
            "float32 computes what float64 does"
            "the derivative along a direction agrees"
            "a compiled primitive computes"
        ]
        |> List.map (fun name -> $"Name~{name}")
        |> String.concat "|"

    [<Test>]
    member _.``the switches of vector instructions took effect``() = WithoutInstructions.check ()

    [<TestCase "DOTNET_EnableAVX512">]
    [<TestCase "DOTNET_EnableAVX2">]
    member _.``primitives and plans compute the same without vector instructions``(switch: string) =
        WithoutInstructions.run switch (Assembly.GetExecutingAssembly()) laws "took effect" 100
