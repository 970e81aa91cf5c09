/// The tests of kernels on a machine without the widest vector instructions.
module Curvature.Tests.Unit.InstructionSetTests

open System.Reflection
open Expecto
open Curvature.Tests

/// Filters cannot have spaces.
let private kernels = "FullyQualifiedName~Unit.Kernels|Name~switches"

[<Tests>]
let tests =
    testList "Unit.InstructionSetTests" [
        test "the switches of vector instructions took effect" { WithoutInstructions.check () }

        for switch in [ "DOTNET_EnableAVX512"; "DOTNET_EnableAVX2" ] do
            test $"kernels compute the same without vector instructions ({switch})" {
                WithoutInstructions.run switch (Assembly.GetExecutingAssembly()) kernels "took effect" 50
            }
    ]
