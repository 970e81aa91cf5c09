/// That the PTX in the repository was made of the source beside it.
module Curvature.Tests.CudaWithoutCard.SourceTests

open System
open System.IO
open System.Security.Cryptography
open System.Text.RegularExpressions
open Expecto
open Expecto.Flip
open Curvature.Cuda

let private files ending =
    let paths = Directory.GetFiles(Pocl.folder, "*" + ending)
    Array.Sort(paths, StringComparer.Ordinal)
    paths

[<Tests>]
let tests =
    testList "CudaWithoutCard.SourceTests" [
        test "each PTX names the source that it was made of" {
            let headers = files ".h" |> Array.collect File.ReadAllBytes

            for source in files ".cl" do
                let hash = SHA256.HashData(Array.append headers (File.ReadAllBytes source))
                let name = Path.GetFileNameWithoutExtension source
                use reader = new StringReader(FixedKernels.Text name)
                let expected = $"// Made by build.sh from sources with SHA-256 {Convert.ToHexStringLower hash}"
                Expect.equal $"{name}: run src/Curvature.Cuda/Kernels/build.sh" expected (reader.ReadLine() |> string)
        }

        test "nothing is added atomically, no thread has memory of its own, and nothing is called" {
            for source in files ".cl" do
                let text = FixedKernels.Text(Path.GetFileNameWithoutExtension source)

                for word in [ @"\batom\b"; @"\bred\."; @"\.local\s+\.align"; @"\bcall\b"; @"\.approx"; @"\.ftz" ] do
                    let found = Regex.Match(text, word)
                    Expect.isFalse $"{source}: {word} at {found.Index}" found.Success
        }

        test "a file of kernels that is not there is an error that says so" {
            let error =
                Curvature.Tests.Expect.caught<Curvature.DeviceException>(fun () -> FixedKernels.Text "none" |> ignore)

            Expect.stringContains "the name" "none" error.Message
        }
    ]
