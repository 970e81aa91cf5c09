/// What every result prints, in F# Interactive and elsewhere, beside approved texts. With the environment variable
/// CURVATURE_APPROVE_TEXTS set to 1, the texts at hand become the approved ones, in approved.txt beside this file;
/// look at the difference before committing it.
module Curvature.Tests.Unit.ApprovedTextTests

open System
open System.Collections.Generic
open System.Diagnostics
open System.IO
open System.Reflection
open System.Text
open Microsoft.FSharp.Reflection
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private assemblies =
    [ typeof<Tensor>; typeof<LabelledData>; typeof<Chart>; typeof<LinearOperator>; typeof<LawCheck> ]
    |> List.map _.Assembly

let private isOfLibrary (t: Type) = (string t.Namespace).StartsWith("Curvature", StringComparison.Ordinal)

/// The types of the library that a type is made of; those of results for a function.
let rec private parts (t: Type) : Type list =
    if t.HasElementType then
        parts (t.GetElementType())
    elif t.IsGenericParameter then
        []
    elif FSharpType.IsFunction t then
        parts (snd (FSharpType.GetFunctionElements t))
    elif t.IsGenericType then
        let inside = t.GetGenericArguments() |> List.ofArray |> List.collect parts
        let definition = t.GetGenericTypeDefinition()
        if isOfLibrary definition then definition :: inside else inside
    elif isOfLibrary t then
        [ t ]
    else
        []

let private members = BindingFlags.Public ||| BindingFlags.Static ||| BindingFlags.Instance

/// Every public type that a public function, method or property returns.
let private resultTypes: Type list =
    [
        for assembly in assemblies do
            for declaring in assembly.GetExportedTypes() do
                for one in declaring.GetMethods(members ||| BindingFlags.DeclaredOnly) do
                    yield! parts one.ReturnType
    ]
    |> List.distinct
    |> List.filter (fun t -> not (t.IsEnum || t.IsInterface || typeof<exn>.IsAssignableFrom t))

let private definition (t: Type) = if t.IsGenericType then t.GetGenericTypeDefinition() else t

let private isOf (result: Type) (example: obj) =
    let rec bases (t: Type) = t :: (if isNull t.BaseType then [] else bases t.BaseType)
    bases (example.GetType()) |> List.exists (fun t -> definition t = result)

/// The union that a case belongs to, where the compiler makes a class of the case.
let private nameOf (example: obj) =
    let t = example.GetType()

    let t =
        if FSharpType.IsUnion(t, true) then
            let cases = FSharpType.GetUnionCases(t, true)
            cases[0].DeclaringType
        else
            t

    t.Name.Split('`')[0]

let private text: string =
    let all = StringBuilder()

    for example in PrintedExamples.all do
        let indented = (string example).ReplaceLineEndings "\n    "
        all.Append($"{nameOf example}\n    {indented}\n") |> ignore

    string all

let private approvedFile = Path.Combine(SharedData.repositoryRoot.Value, "tests/Unit/Printing/approved.txt")

let private variable = "CURVATURE_APPROVE_TEXTS"

[<Tests>]
let tests =
    testList "Unit.ApprovedTextTests" [
        test "every result type has an example whose text is approved" {
            let missing =
                [
                    for result in resultTypes do
                        if not (PrintedExamples.all |> List.exists (isOf result)) then result.FullName
                ]

            Expect.isGreaterThan "resultTypes.Length" (resultTypes.Length, 70)
            Expect.equal "add them to PrintedExamples" [] missing
        }

        test "results print as approved" {
            if Environment.GetEnvironmentVariable variable = "1" then
                File.WriteAllText(approvedFile, text)

            let approved = File.ReadAllText(approvedFile).ReplaceLineEndings "\n"
            Expect.equal $"set {variable}=1 to approve what is printed now" approved text
        }

        test "F# Interactive and debuggers show the text, and no properties" {
            for example in PrintedExamples.all do
                let t = example.GetType()
                Expect.equal "sprintf \"%A\" example" (string example) (sprintf "%A" example)
                let shows = t.IsDefined(typeof<DebuggerDisplayAttribute>, true)
                Expect.isTrue $"{nameOf example} has no DebuggerDisplay" shows

                if assemblies |> List.contains t.Assembly then
                    let structured = t.IsDefined(typeof<StructuredFormatDisplayAttribute>, true)
                    Expect.isTrue $"{nameOf example} has no StructuredFormatDisplay" structured
        }

        test "texts are short, and have no names that belong to the compiler" {
            for example in PrintedExamples.all do
                let lines = (string example).Split '\n'
                Expect.isLessThan (nameOf example) (lines.Length, 20)

                for line in lines do
                    Expect.isLessThan line (line.Length, 250)
                    Expect.isNotMatch "line" @"`|@|System\.|Curvature\.|FSharp|Microsoft" line
        }

        test "a number and its error are rounded to the second digit of the error" {
            let check (expected: string) (value: float) (error: float) =
                Expect.equal "Numbers.withError error value" expected (Numbers.withError error value)

            check "12.5 ± 1.3" 12.4837 1.3123
            check "4.011 ± 0.045" 4.01123 0.0449
            check "-1234 ± 56" -1234.4 56.2
            check "123500 ± 4600" 123456.7 4567.8
            check "0.0000123 ± 0.0000045" 1.234e-5 4.5e-6
            check "3.8871506 ± 1.7e-14" 3.887150593238455 1.7e-14
            check "2.5 ± unknown" 2.5 infinity
            check "(1.234 ± 0.045)e-12" 1.234e-12 4.5e-14
            check "(1.2346 ± 0.0046)e+12" 1.23456e12 4.567e9
            // An error that rounds up to the next power of ten has two digits still.
            check "1.23 ± 0.10" 1.234 0.0996
            check "0 ± 12" -0.3 12.0
            check "0 ± 0" 0.0 0.0
            Expect.equal "Numbers.within 1.3123 12.4837" "12.5" (Numbers.within 1.3123 12.4837)
            Expect.equal "Numbers.within 0.0 2.5" "2.5" (Numbers.within 0.0 2.5)
            Expect.equal "Numbers.error 0.0123456" "0.012" (Numbers.error 0.0123456)
            Expect.equal "Numbers.show -3.61886e-5" "-3.61886e-05" (Numbers.show -3.61886e-5)
        }

        test "typeset numbers have a true minus and powers of ten" {
            Expect.equal "Numbers.typeset \"-3.61886e-05\"" "−3.61886×10⁻⁵" (Numbers.typeset "-3.61886e-05")
            Expect.equal "Numbers.typeset \"(1.23 ± 0.45)e…" "(1.23 ± 0.45)×10¹²" (Numbers.typeset "(1.23 ± 0.45)e+12")
            Expect.equal "Numbers.typeset \"ResNet-20, [-1…" "ResNet-20, [−1, 2]" (Numbers.typeset "ResNet-20, [-1, 2]")
        }

        test "an estimate takes formats of numbers" {
            let estimate = Exact.trace (LinearOperator.ofDiagonal (tensor [ 1.5; 2.25 ]))
            Expect.equal "$\"{estimate:F1}\"" "3.8 ± 0.0" $"{estimate:F1}"

            Expect.equal
                "estimate.ToString(\"F2\", Globali…"
                "3,75 ± 0,00"
                (estimate.ToString("F2", Globalization.CultureInfo "de-DE"))

            Expect.equal
                "(estimate :> IFormattable).ToSt…"
                (string estimate)
                ((estimate :> IFormattable).ToString(null, null))
        }
    ]
