// Records the bytes of all packages, or checks that they are those recorded:
//     dotnet fsi build/package-hashes.fsx record|check [CACHE]
// CACHE is the folder of NuGet's packages, by default that of this machine.
#load "PackageHashes.fs"

open System
open System.IO
open Build

let root = Path.GetFullPath(Path.Combine(__SOURCE_DIRECTORY__, ".."))
let records = Path.Combine(root, "build", "package-hashes.txt")
let read (parts: string list) = File.ReadAllText(Path.Combine(Array.ofList (root :: parts)))

let wanted =
    PackageHashes.ofLock (read [ "paket.lock" ]) @ PackageHashes.ofTools (read [ ".config"; "dotnet-tools.json" ])

let ownCache =
    match Environment.GetEnvironmentVariable "NUGET_PACKAGES" with
    | null
    | "" -> Path.Combine(Environment.GetFolderPath Environment.SpecialFolder.UserProfile, ".nuget", "packages")
    | folder -> folder

let check (cache: string) =
    let problems = PackageHashes.problems (PackageHashes.parse (File.ReadAllText records)) wanted cache

    for problem in problems do
        eprintfn "%s" problem

    if problems.IsEmpty then printfn "%d packages are those recorded." wanted.Length

    min problems.Length 1

match List.ofArray (Array.tail fsi.CommandLineArgs) with
| "record" :: cache ->
    File.WriteAllText(records, PackageHashes.record wanted (cache |> List.tryHead |> Option.defaultValue ownCache))
    exit 0
| "check" :: cache -> exit (check (cache |> List.tryHead |> Option.defaultValue ownCache))
| _ ->
    eprintfn "Say record or check."
    exit 2
