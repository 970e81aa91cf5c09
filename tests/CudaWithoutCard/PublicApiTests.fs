/// The public members of the package are those of a list, as for the other packages in tests/Facade.
module Curvature.Tests.CudaWithoutCard.PublicApiTests

open System
open System.IO
open Expecto
open Expecto.Flip
open PublicApiGenerator
open Curvature.Cuda
open Curvature.Tests

[<Tests>]
let tests =
    testList "CudaWithoutCard.PublicApiTests" [
        testCase "ThePublicMembers of the package are those of its list" (fun () ->
            let options = ApiGeneratorOptions(IncludeAssemblyAttributes = false)
            let found = typeof<CudaDevice>.Assembly.GeneratePublicApi(options).Replace("\r", "").TrimEnd() + "\n"
            let file = Path.Combine(SharedData.repositoryRoot.Value, "tests", "PublicApi", "Curvature.Cuda.txt")

            if Environment.GetEnvironmentVariable "CURVATURE_ACCEPT_API" = "1" then
                File.WriteAllText(file, found)

            Expect.equal
                "the members changed; where that is meant, run this with CURVATURE_ACCEPT_API=1, and commit the list"
                (File.ReadAllText file)
                found)
    ]
