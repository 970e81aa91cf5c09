namespace Curvature.FSharp

open System
open System.Globalization
open System.IO
open Curvature

/// The entries of a matrix in a file, mirrored ones included.
[<NoEquality; NoComparison>]
type internal MatrixEntries =
    {
        Rows: int
        Columns: int
        /// Row, column, value.
        Items: ResizeArray<struct (int * int * float)>
        /// Takes account of the memory of one entry.
        Count: unit -> unit
        IsSymmetric: bool
    }

/// Reads and writes the Matrix Market's exchange format (Boisvert, Pozo & Remington 1996): coordinate or array; real,
/// integer or pattern; general, symmetric or skew-symmetric.
module internal MatrixMarketFile =

    [<NoEquality; NoComparison>]
    type private Header = { IsCoordinate: bool; IsPattern: bool; IsInteger: bool; Mirror: float voption }

    let private fail name line what = Fail.data $"{name}, line {line}: {what}"

    let private header name (line: string | null) : Header =
        let words =
            match line with
            | null -> [||]
            | line -> line.ToLowerInvariant().Split([| ' '; '\t' |], StringSplitOptions.RemoveEmptyEntries)

        match words with
        | [| "%%matrixmarket"; "matrix"; layout; field; symmetry |] ->
            let oneOf what allowed word =
                if not (List.contains word allowed) then
                    let list = String.Join(", ", allowed)
                    fail name 1 $"the {what} is \"{word}\", and can be one of {list}"

            oneOf "layout" [ "coordinate"; "array" ] layout
            oneOf "field" [ "real"; "integer"; "pattern" ] field
            oneOf "symmetry" [ "general"; "symmetric"; "skew-symmetric" ] symmetry

            if layout = "array" && field = "pattern" then
                fail name 1 "an array cannot be a pattern"

            {
                IsCoordinate = (layout = "coordinate")
                IsPattern = (field = "pattern")
                IsInteger = (field = "integer")
                Mirror =
                    match symmetry with
                    | "symmetric" -> ValueSome 1.0
                    | "skew-symmetric" -> ValueSome -1.0
                    | _ -> ValueNone
            }
        | _ -> fail name 1 "a file begins with %%MatrixMarket matrix, layout, field and symmetry"

    /// Lines of words, without comments and empty ones.
    let private lines (reader: LineReader) =
        // The sequence continues from the place of the reader, also when it is enumerated again.
        Seq.unfold
            (fun () ->
                match reader.Next() with
                | null -> None
                | line -> Some(struct (reader.Number, line.Trim()), ()))
            ()
        |> Seq.filter (fun struct (_, line) -> line <> "" && not (line.StartsWith '%'))
        |> Seq.map (fun struct (number, line) ->
            struct (number, line.Split([| ' '; '\t' |], StringSplitOptions.RemoveEmptyEntries)))

    let private whole name line (text: string) =
        match Int32.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) with
        | true, value when value >= 0 -> value
        | _ -> fail name line $"a whole number from 0 is needed, and \"{text}\" is there"

    let private number name (header: Header) line (text: string) =
        let style = if header.IsInteger then NumberStyles.AllowLeadingSign else NumberStyles.Float

        match Double.TryParse(text, style, CultureInfo.InvariantCulture) with
        | true, value when Double.IsFinite value -> value
        | _ -> fail name line $"a finite number is needed, and \"{text}\" is there"

    let private add name (header: Header) line (entries: MatrixEntries) (struct (row, column, value)) =
        if row < 0 || row >= entries.Rows || column < 0 || column >= entries.Columns then
            fail
                name
                line
                $"entry ({row + 1}, {column + 1}) is outside of a matrix of {entries.Rows} by {entries.Columns}"

        entries.Count()
        entries.Items.Add(struct (row, column, value))

        match header.Mirror with
        | ValueSome _ when column > row ->
            fail name line "an entry above the diagonal, where only those below are given"
        | ValueSome sign when row <> column -> entries.Items.Add(struct (column, row, sign * value))
        | ValueSome -1.0 when value <> 0.0 -> fail name line "an entry on the diagonal of a skew-symmetric matrix"
        | _ -> ()

    /// The bytes that an entry takes while it is read, its mirror image included.
    let private bytesOfEntry = 64L

    let private empty (reading: Reading) line (header: Header) rows columns =
        let name = reading.Name

        if header.Mirror.IsSome && rows <> columns then
            fail name line $"a matrix that equals its mirror image must be square, and it is {rows} by {columns}"

        {
            Rows = rows
            Columns = columns
            Items = ResizeArray()
            Count = fun () -> reading.Keep("the list of its entries", bytesOfEntry)
            IsSymmetric = (header.Mirror = ValueSome 1.0)
        }

    let private coordinates (reading: Reading) header (rest: seq<struct (int * string[])>) line (words: string[]) =
        let name = reading.Name

        if words.Length <> 3 then
            fail name line "rows, columns and the number of entries are needed"

        let count = whole name line words[2]
        reading.Announce($"the list of its {count} entries", bytesOfEntry * int64 count)
        let entries = empty reading line header (whole name line words[0]) (whole name line words[1])
        let seen = Collections.Generic.HashSet<struct (int * int)>()

        for struct (line, words) in rest do
            if words.Length <> (if header.IsPattern then 2 else 3) then
                let needed = if header.IsPattern then "row and column" else "row, column and value"
                fail name line $"{needed} are needed"

            let row, column = whole name line words[0] - 1, whole name line words[1] - 1
            let value = if header.IsPattern then 1.0 else number name header line words[2]

            if not (seen.Add(struct (row, column))) then
                fail name line $"entry ({row + 1}, {column + 1}) is there twice"

            add name header line entries (struct (row, column, value))

        if seen.Count <> count then
            Fail.data $"{name}: {count} entries were announced, and {seen.Count} are there"

        entries

    /// How many entries an array lists.
    let private needed (entries: MatrixEntries) (header: Header) : int64 =
        let rows, columns = int64 entries.Rows, int64 entries.Columns

        match header.Mirror with
        | ValueSome 1.0 -> rows * (rows + 1L) / 2L
        | ValueSome _ -> rows * (rows - 1L) / 2L
        | ValueNone -> rows * columns

    let private arrays (reading: Reading) header (rest: seq<struct (int * string[])>) line (words: string[]) =
        let name = reading.Name
        if words.Length <> 2 then fail name line "rows and columns are needed"

        let entries = empty reading line header (whole name line words[0]) (whole name line words[1])

        // A symmetric array lists the lower triangle: the first row of each column.
        let first column =
            match header.Mirror with
            | ValueSome 1.0 -> column
            | ValueSome _ -> column + 1
            | ValueNone -> 0

        // A file may state more entries than fit into memory: places are counted, not listed.
        let mutable row, column, count = first 0, (if entries.Rows = 0 then entries.Columns else 0), 0L

        let skipFullColumns () =
            while column < entries.Columns && row >= entries.Rows do
                column <- column + 1
                row <- first column

        skipFullColumns ()

        for struct (line, words) in rest do
            for word in words do
                if column >= entries.Columns then fail name line $"more than {count} entries"

                add name header line entries (struct (row, column, number name header line word))
                count <- count + 1L
                row <- row + 1
                skipFullColumns ()

        if column < entries.Columns then
            Fail.data $"{name}: {needed entries header} entries are needed, and {count} are there"

        entries

    let parse (reading: Reading) (stream: Stream) : MatrixEntries =
        use reader = new LineReader(reading, stream)
        let name = reading.Name
        let header = header name (reader.Next())
        let all = lines reader

        match Seq.tryHead all with
        | None -> Fail.data $"{name}: the line of sizes is missing"
        | Some(struct (line, words)) ->
            (if header.IsCoordinate then coordinates else arrays) reading header all line words

    /// Writes the coordinates of a real matrix; of a symmetric one these are of the lower triangle. Numbers have the
    /// digits that give them back.
    let write (stream: Stream) (rows: int, columns: int) (isSymmetric: bool) (items: struct (int * int * float)[]) =
        use writer = new StreamWriter(stream, Text.UTF8Encoding false, 1 <<< 16, leaveOpen = true)
        writer.NewLine <- "\n"
        let symmetry = if isSymmetric then "symmetric" else "general"
        writer.WriteLine $"%%%%MatrixMarket matrix coordinate real {symmetry}"
        writer.WriteLine $"{rows} {columns} {items.Length}"

        for struct (row, column, value) in items do
            let number = value.ToString("R", CultureInfo.InvariantCulture)
            writer.WriteLine $"{row + 1} {column + 1} {number}"
