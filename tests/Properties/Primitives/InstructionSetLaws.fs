/// Laws of primitives and of plans on a machine without the widest vector instructions.
module Curvature.Tests.Properties.InstructionSetLaws

open System.Reflection
open Expecto
open Curvature.Tests

/// Words of the names of laws: filters cannot have spaces.
let private laws = "Name~switches|Name~float32|Name~differences|Name~compiled"

[<Tests>]
let tests =
    testList "Properties.InstructionSetLaws" [
        test "the switches of vector instructions took effect" { WithoutInstructions.check () }

        for switch in [ "DOTNET_EnableAVX512"; "DOTNET_EnableAVX2" ] do
            test $"primitives and plans compute the same without vector instructions ({switch})" {
                WithoutInstructions.run switch (Assembly.GetExecutingAssembly()) laws "took effect" 100
            }
    ]
