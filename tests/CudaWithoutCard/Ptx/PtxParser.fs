namespace Curvature.Tests.CudaWithoutCard

open System
open System.Globalization
open System.Text.RegularExpressions
open Expecto

/// What stands in an operand's place. Every register and every number of a text has a place in one array of 64-bit
/// words; numbers are there before the text runs.
type PtxOperand =
    /// A place in the array.
    | Value of place: int
    /// An address: a place, or the name of a parameter, and bytes from there.
    | Address of origin: string * place: int * bytes: int64
    /// Several registers.
    | Vector of places: int[]
    /// A label, a table, or a number that the card knows.
    | Symbol of name: string

/// An instruction as it stands in the text.
type PtxLine =
    {
        Text: string
        /// The place of the condition on which it runs, or −1; and whether the condition must not hold.
        Guard: int
        Negated: bool
        Operation: string
        Operands: PtxOperand[]
    }

/// A module with one kernel.
type PtxModule =
    {
        Kernel: string
        Parameters: string[]
        Lines: PtxLine[]
        /// The number of the line that a label stands before.
        Labels: Map<string, int>
        Tables: Map<string, uint64[]>
        Shared: Map<string, int>
        /// The array of words before the text runs.
        Initial: uint64[]
    }

/// Reads the PTX that the library writes. Fails at whatever it does not know, at registers that are not declared, and
/// at those that are read before anything was written to them.
[<RequireQualifiedAccess>]
module PtxParser =

    let private (|Matches|_|) pattern text =
        let found = Regex.Match(text, pattern)

        if found.Success then
            Some [ for group in found.Groups -> group.Value ]
        else
            None

    let private number (text: string) =
        let parsed, value =
            if text.StartsWith "0x" then
                UInt64.TryParse(text[2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture)
            elif text.StartsWith "-" then
                let parsed, value = Int64.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture)
                parsed, uint64 value
            else
                UInt64.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture)

        if parsed then Some value else None

    /// Operands, divided at the commas that are not inside braces.
    let private split (text: string) = [ for part in Regex.Split(text, @",(?![^{]*\})") -> part.Trim() ]

    /// Operations whose first operand is not written.
    let private onlyReads (operation: string) =
        operation.StartsWith "st." || operation = "bra" || operation = "bar.sync"

    type private Places(counts: Map<char, int>) =
        let values = ResizeArray<uint64>()
        let names = Collections.Generic.Dictionary<string, int>()
        let written = Collections.Generic.HashSet<int>()

        let place name initial =
            match names.TryGetValue name with
            | true, found -> found
            | _ ->
                names[name] <- values.Count
                values.Add initial
                values.Count - 1

        member _.Initial = values.ToArray()

        member _.Register (line: string) isWritten (name: string) =
            match name with
            | Matches @"^%([vwp])(\d+)$" [ _; kind; index ] ->
                match Map.tryFind kind[0] counts with
                | Some count when int index < count -> ()
                | _ -> failtest $"{name} is not declared: {line}"

                let place = place name 0UL

                if isWritten then
                    written.Add place |> ignore
                elif not (written.Contains place) then
                    failtest $"{name} is read before it is written: {line}"

                Some place
            | _ -> None

        member _.Number(value: uint64) = place $"#{value}" value

    let private operand (places: Places) line isWritten (text: string) =
        match text with
        | Matches @"^\[(%\w+)(?:\+(-?\d+))?\]$" [ _; name; bytes ] ->
            let place = (places.Register line false name).Value
            Address("", place, (if bytes = "" then 0L else int64 bytes))
        | Matches @"^\[(\w+)\]$" [ _; name ] -> Address(name, -1, 0L)
        | Matches @"^\{(.*)\}$" [ _; inner ] ->
            Vector [| for name in split inner -> (places.Register line isWritten name).Value |]
        | _ ->
            match places.Register line isWritten text, number text with
            | Some place, _ -> Value place
            | None, Some value -> Value(places.Number value)
            | None, None -> Symbol text

    let private instruction (places: Places) (line: string) =
        let guard, negated, rest =
            match line with
            | Matches @"^@(!?)(%p\d+)\s+(.*)$" [ _; negation; name; rest ] ->
                (places.Register line false name).Value, negation = "!", rest
            | _ -> -1, false, line

        let words = rest.Split([| ' ' |], 2)
        let operation = words[0]
        let operands = if words.Length = 1 then [] else split words[1]

        // What is read is looked at before what is written.
        let sources = operands |> List.skip (min 1 operands.Length) |> List.map (operand places line false)

        let first = operands |> List.truncate 1 |> List.map (operand places line (not (onlyReads operation)))

        {
            Text = line
            Guard = guard
            Negated = negated
            Operation = operation
            Operands = Array.ofList (first @ sources)
        }

    let parse (text: string) : PtxModule =
        let lines = text.Split('\n') |> Array.map _.Trim() |> Array.filter ((<>) "")

        let declared =
            Map [
                for line in lines do
                    match line with
                    | Matches @"^\.reg \.\w+ %([vwp])<(\d+)>;$" [ _; kind; count ] -> kind[0], int count
                    | _ -> ()
            ]

        let places = Places declared
        let instructions = ResizeArray<PtxLine>()
        let mutable labels = Map.empty
        let mutable tables = Map.empty
        let mutable shared = Map.empty
        let mutable kernel = "", [||]

        for line in lines do
            match line with
            | "{"
            | "}"
            | ".version 7.0"
            | ".target sm_80"
            | ".address_size 64" -> ()
            | Matches @"^\.reg " _ -> ()
            | Matches @"^\.const \.align 8 \.b64 (\w+)\[(\d+)\] = \{(.*)\};$" [ _; name; size; values ] ->
                let words = [| for value in split values -> (number value).Value |]
                if words.Length <> int size then failtest $"{name} has {words.Length} words"
                tables <- Map.add name words tables
            | Matches @"^\.shared \.align 8 \.b8 (\w+)\[(\d+)\];$" [ _; name; size ] ->
                shared <- Map.add name (int size) shared
            | Matches @"^\.visible \.entry (\w+)\((.*)\)$" [ _; name; parameters ] ->
                kernel <- name, [| for parameter in split parameters -> parameter.Split(' ')[2] |]
            | Matches @"^(\w+):$" [ _; label ] -> labels <- Map.add label instructions.Count labels
            | _ when line.EndsWith ';' -> instructions.Add(instruction places (line.TrimEnd ';'))
            | _ -> failtest $"Not PTX that the library writes: {line}"

        {
            Kernel = fst kernel
            Parameters = snd kernel
            Lines = instructions.ToArray()
            Labels = labels
            Tables = tables
            Shared = shared
            Initial = places.Initial
        }
