namespace Expecto.TestAdapter

open System
open System.Reflection
open Expecto
open Expecto.Impl
open Microsoft.VisualStudio.TestPlatform.ObjectModel

/// Which tests an assembly has, and what the test platform is told of them.
module internal Discovery =

    [<Literal>]
    let Executor = "executor://expecto/v1"

    /// The labels of lists that lead to a test, and its own; unique in an assembly.
    let path (test: FlatTest) : string = String.concat "." test.name

    /// The labels but for the first, which names the list that the attribute [<Tests>] marks.
    let private shortName (test: FlatTest) =
        match test.name with
        | [ single ] -> single
        | labels -> String.concat "." labels.Tail

    /// The tests of all values with the attribute [<Tests>]. Fails where two have the same name.
    let load (source: string) : Assembly * FlatTest list =
        let assembly = Assembly.LoadFrom source
        let refersToExpecto = assembly.GetReferencedAssemblies() |> Array.exists (fun name -> name.Name = "Expecto")

        let tests =
            (if refersToExpecto then testFromAssembly assembly else None)
            |> Option.map Test.toTestCodeList
            |> Option.defaultValue []

        match tests |> List.countBy path |> List.filter (fun (_, count) -> count > 1) with
        | [] -> assembly, tests
        | (name, count) :: _ -> raise (InvalidOperationException $"{count} tests have the name '{name}'.")

    /// Whether the assembly asks for one test after the other, by
    /// [<assembly: AssemblyMetadata("Expecto.Sequenced", "true")>].
    let isSequenced (assembly: Assembly) : bool =
        assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        |> Seq.exists (fun data -> data.Key = "Expecto.Sequenced" && data.Value = "true")

    /// The platform's description of a test: its path is the full name, its label in the list the name.
    let describe (source: string) (assembly: Assembly) (test: FlatTest) : TestCase =
        let case = TestCase(path test, Uri Executor, source, DisplayName = shortName test)
        let location = getLocation assembly test.test

        if location.sourcePath <> "" then
            case.CodeFilePath <- location.sourcePath
            case.LineNumber <- location.lineNumber

        case

    /// The properties that a filter may speak of.
    let filterable = [ "FullyQualifiedName"; "DisplayName"; "Name" ]

    /// The platform's property of a name that `filterable` has.
    let property (name: string) : TestProperty =
        match name with
        | "FullyQualifiedName" -> TestCaseProperties.FullyQualifiedName
        | "DisplayName"
        | "Name" -> TestCaseProperties.DisplayName
        | _ -> null
