/// What is noticed of packages whose bytes are not those recorded.
module Curvature.Tests.Unit.PackageHashTests

open System
open System.IO
open Expecto
open Expecto.Flip
open Build
open Curvature.Tests

let private cache = TemporaryFolder.create "curvature-packages-"

let private lock =
    "STORAGE: NONE\nNUGET\n  remote: %NUGET_FEED%\n    Argu (6.1.1)\n      FSharp.Core (>= 4.3.2)\n"
    + "    CsvHelper (34.0) - restriction: >= net8\n"

let private tools = "{\"version\":1,\"tools\":{\"Paket\":{\"version\":\"12.0.0\",\"commands\":[\"paket\"]}}}"
let private wanted = PackageHashes.ofLock lock @ PackageHashes.ofTools tools

let private path name version = Path.Combine(cache, name, version, $"{name}.{version}.nupkg")

let private put (name: string) (version: string) (bytes: byte[]) =
    let path = path name version
    Directory.CreateDirectory(Path.GetDirectoryName path) |> ignore
    File.WriteAllBytes(path, bytes)

let private problems records = PackageHashes.problems records wanted cache

let private oneProblem (fragments: string list) records =
    let problems: string list = problems records

    Expect.isTrue
        $"%A{problems}"
        (problems.Length = 1 && fragments |> List.forall (fun part -> problems.Head.Contains part))

let private beforeEach () =
    put "argu" "6.1.1" [| 1uy; 2uy |]
    put "csvhelper" "34.0.0" [| 3uy |]
    put "paket" "12.0.0" [| 4uy |]

[<Tests>]
let tests =
    testList "Unit.PackageHashTests" [
        test "packages that are tampered with, missing, new or left over are noticed" {
            beforeEach ()
            let records = PackageHashes.record wanted cache |> PackageHashes.parse
            Expect.equal "records.Count" 3 records.Count
            Expect.equal "problems records" [] (problems records)
            put "csvhelper" "34.0.0" [| 2uy |]
            oneProblem [ "csvhelper 34.0.0"; "other bytes" ] records
            put "csvhelper" "34.0.0" [| 3uy |]
            File.Delete(path "argu" "6.1.1")
            oneProblem [ "argu 6.1.1"; "not there" ] records
            put "argu" "6.1.1" [| 1uy; 2uy |]
            oneProblem [ "paket 12.0.0"; "not recorded" ] (records.Remove { Name = "paket"; Version = "12.0.0" })
            oneProblem [ "nunit 4.6.0"; "neither locked" ] (records.Add({ Name = "nunit"; Version = "4.6.0" }, "hash"))

            Expect.equal
                "records[{ Name = \"csvhelper\"; V…"
                (Convert.ToBase64String(Security.Cryptography.SHA512.HashData [| 3uy |]))
                records[{ Name = "csvhelper"; Version = "34.0.0" }]

            Expect.error<InvalidDataException> [ "a b" ] (fun () -> PackageHashes.parse "a b" |> ignore)
        }
    ]
