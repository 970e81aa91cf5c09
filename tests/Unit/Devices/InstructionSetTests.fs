namespace Curvature.Tests.Unit

open System.Reflection
open NUnit.Framework
open Curvature.Tests

/// The tests of kernels on a machine without the widest vector instructions.
[<TestFixture>]
type InstructionSetTests() =

    /// Filters cannot have spaces.
    static let kernels = "FullyQualifiedName~Unit.Kernels|Name~switches"

    [<Test>]
    member _.``the switches of vector instructions took effect``() = WithoutInstructions.check ()

    [<TestCase "DOTNET_EnableAVX512">]
    [<TestCase "DOTNET_EnableAVX2">]
    member _.``kernels compute the same without vector instructions``(switch: string) =
        WithoutInstructions.run switch (Assembly.GetExecutingAssembly()) kernels "took effect" 50
