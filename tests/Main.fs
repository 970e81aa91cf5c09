/// Runs the tests as a program: dotnet run --project PROJECT -c Release -- --help
module Curvature.Tests.Main

open System.Reflection
open Expecto

// One test after the other: the library itself uses all processors, and some tests measure time and memory.
[<assembly: AssemblyMetadata("Expecto.Sequenced", "true")>]
do ()

[<EntryPoint>]
let main arguments = Tests.runTestsInAssemblyWithCLIArgs [ CLIArguments.Sequenced ] arguments
