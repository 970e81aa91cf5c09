/// The public members of the package are those of a list, as for the other packages in tests/Facade.
module Curvature.Tests.Torch.PublicApiTests

open System
open System.IO
open Expecto
open Expecto.Flip
open PublicApiGenerator
open Curvature.TorchSharp

let private unlisted =
    [|
        for name in
            [
                "AbstractClass"
                "CompilationMapping"
                "NoComparison"
                "NoEquality"
                "Sealed"
                "StructuredFormatDisplay"
            ] do
            $"Microsoft.FSharp.Core.{name}Attribute"
        "Microsoft.FSharp.Core.CompilationArgumentCountsAttribute"
        "System.Diagnostics.DebuggerDisplayAttribute"
    |]

let rec private root (folder: string) =
    if File.Exists(Path.Combine(folder, "Curvature.sln")) then
        folder
    else
        root (Path.GetFullPath(Path.Combine(folder, "..")))

[<Tests>]
let tests =
    testList "Torch.PublicApiTests" [
        testCase "ThePublicMembers of the package are those of its list" (fun () ->
            let options = ApiGeneratorOptions(IncludeAssemblyAttributes = false, ExcludeAttributes = unlisted)
            let found = typeof<TorchCurvature>.Assembly.GeneratePublicApi(options).Replace("\r", "").TrimEnd() + "\n"
            let file = Path.Combine(root AppContext.BaseDirectory, "tests", "PublicApi", "Curvature.TorchSharp.txt")

            if Environment.GetEnvironmentVariable "CURVATURE_ACCEPT_API" = "1" then
                File.WriteAllText(file, found)

            Expect.equal
                "the members changed; where that is meant, run this with CURVATURE_ACCEPT_API=1, and commit the list"
                (File.ReadAllText file)
                found)
    ]
