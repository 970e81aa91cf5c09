namespace Curvature.Tests.Properties

open System.Reflection
open NUnit.Framework
open Curvature.Tests

/// Laws of primitives and of plans on a machine without the widest vector instructions.
[<TestFixture>]
type InstructionSetLaws() =

    /// Words of the names of laws: filters cannot have spaces.
    static let laws = "Name~switches|Name~float32|Name~differences|Name~compiled"

    [<Test>]
    member _.``the switches of vector instructions took effect``() = WithoutInstructions.check ()

    [<TestCase "DOTNET_EnableAVX512">]
    [<TestCase "DOTNET_EnableAVX2">]
    member _.``primitives and plans compute the same without vector instructions``(switch: string) =
        WithoutInstructions.run switch (Assembly.GetExecutingAssembly()) laws "took effect" 100
