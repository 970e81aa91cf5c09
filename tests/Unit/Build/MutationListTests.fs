/// The list of faults that the tests have to notice.
module Curvature.Tests.Unit.MutationListTests

open System
open System.IO
open System.Text.RegularExpressions
open Expecto
open Expecto.Flip
open Curvature.Tests

let private root = lazy SharedData.repositoryRoot.Value

/// The value of a field of a block, if it has one.
let private field (name: string) (block: string) =
    let found = Regex.Match(block, $"^{name}: (.*)$", RegexOptions.Multiline)
    if found.Success then Some found.Groups[1].Value else None

[<Tests>]
let tests =
    testList "Unit.MutationListTests" [
        test "every fault stands once in its file, and changes it" {
            let text =
                File.ReadAllText(Path.Combine(root.Value, "build/mutations/mutations.txt")).ReplaceLineEndings "\n"

            let blocks = Regex.Split(text, "\n\\s*\n") |> Array.filter (fun block -> (field "file" block).IsSome)
            Expect.isGreaterThan "faults" (blocks.Length, 40)

            for block in blocks do
                let value name = Option.get (field name block)
                let source = File.ReadAllText(Path.Combine(root.Value, value "file"))
                let count = source.Split(value "find").Length - 1
                Expect.equal $"""{value "name"}: {value "find"} in {value "file"}""" 1 count
                Expect.notEqual (value "name") (value "find") (value "put")
                Expect.isSome (value "name") (field "tests" block)
        }
    ]
