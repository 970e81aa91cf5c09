/// Runs the tests as a program, or is a rank of a job: dotnet run --project PROJECT -c Release -- --help
module Curvature.Tests.Main

open System.Reflection
open Expecto
open Curvature.Tests

// One test after the other: the library itself uses all processors.
[<assembly: AssemblyMetadata("Expecto.Sequenced", "true")>]
do ()

[<EntryPoint>]
let main arguments =
    match List.ofArray arguments with
    | "spmd" :: rest -> Spmd.run rest
    | _ -> Tests.runTestsInAssemblyWithCLIArgs [ CLIArguments.Sequenced ] arguments
