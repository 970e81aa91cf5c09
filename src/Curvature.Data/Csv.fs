namespace Curvature

open System.Diagnostics

/// A column of a table.
[<RequireQualifiedAccess>]
type internal TableColumn =
    | At of int
    | Named of string

/// How to read a table of comma-separated values. Immutable; begin with Default.
[<DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type CsvOptions =
    internal
        {
            Separator: char
            Header: bool option
            Label: TableColumn
            Targets: TableColumn list
            Limits: ReadLimits
        }

    /// Commas; a first row that is half text is a header; the last column is the label, or the target of a regression;
    /// the default limits.
    static member Default =
        {
            Separator = ','
            Header = None
            Label = TableColumn.At -1
            Targets = [ TableColumn.At -1 ]
            Limits = ReadLimits.Default
        }

    /// The character between cells, such as ';' or a tab. Raises ArgumentRangeException unless it is an ASCII character
    /// that cannot be part of a number, a quote or the end of a line.
    member options.WithSeparator(separator: char) =
        if
            not (System.Char.IsAscii separator)
            || System.Char.IsLetterOrDigit separator
            || "\"\r\n+-.\000".Contains separator
        then
            Fail.range $"separator: '{separator}' (character {int separator}) cannot separate cells"

        { options with Separator = separator }

    /// The same options for tables with or without a header; otherwise the reader decides by the first row.
    member options.WithHeader(present: bool) = { options with Header = Some present }

    /// The column of the label by its number, from 0; −1 is the last one.
    member options.WithLabelColumn(index: int) = { options with Label = TableColumn.At index }

    /// The column of the label by its name in the header.
    member options.WithLabelColumn(name: string) = { options with Label = TableColumn.Named name }

    member private options.WithTargets(columns: TableColumn list) =
        if columns.IsEmpty then
            Fail.range "targets: at least one column of targets is needed, and there is none"

        { options with Targets = columns }

    /// The columns of the targets of a regression by their numbers, from 0; −1 is the last one. Raises
    /// ArgumentRangeException for no column.
    member options.WithTargetColumns([<System.ParamArray>] indices: int[]) =
        System.ArgumentNullException.ThrowIfNull(indices, nameof indices)
        options.WithTargets [ for index in indices -> TableColumn.At index ]

    /// The columns of the targets of a regression by their names in the header. Raises ArgumentRangeException for no
    /// column.
    member options.WithTargetColumns([<System.ParamArray>] names: string[]) =
        System.ArgumentNullException.ThrowIfNull(names, nameof names)
        options.WithTargets [ for name in names -> TableColumn.Named name ]

    /// The same options with other limits of what a reader takes.
    member options.WithLimits(limits: ReadLimits) = { options with Limits = limits }

    override options.ToString() =
        let header =
            match options.Header with
            | None -> "a header where the first row is half text"
            | Some true -> "a header"
            | Some false -> "no header"

        let name (column: TableColumn) =
            match column with
            | TableColumn.At -1 -> "the last column"
            | TableColumn.At index -> $"column {index}"
            | TableColumn.Named name -> $"the column \"{name}\""

        let targets =
            match options.Targets with
            | [ TableColumn.At -1 ] -> ""
            | columns -> ", targets in " + System.String.Join(", ", List.map name columns)

        $"cells between '{options.Separator}', {header}, labels in {name options.Label}{targets}; {options.Limits}"

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open System
open System.Globalization
open System.IO
open CsvHelper
open Curvature

/// Tables of comma-separated values, plain or compressed by gzip.
[<RequireQualifiedAccess>]
module Csv =

    /// A table as it was read: numbers row by row, and the names of the columns if there are any.
    type private Table =
        {
            Width: int
            Names: string[]
            Lines: int[]
            Cells: float[]
        }

        member table.Rows = table.Lines.Length
        member table.At(row, column) = table.Cells[row * table.Width + column]

    let private isNumber (cell: string) = Double.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture) |> fst

    let private isWhole (cell: string) = Int64.TryParse(cell, NumberStyles.None, CultureInfo.InvariantCulture) |> fst

    /// A header is a first row of which at least half is text.
    let private looksLikeHeader (cells: string[]) =
        let filled = cells |> Array.filter (fun cell -> cell <> "")
        let text = filled |> Array.filter (isNumber >> not)
        text.Length > 0 && 2 * text.Length >= filled.Length

    /// Some tables begin with the counts of rows and features, followed by the names of the classes. Such a row differs
    /// in length from the others and does not name columns.
    let private beginsWithCounts (cells: string[]) = cells.Length >= 2 && isWhole cells[0] && isWhole cells[1]

    let private parse (path: string) line column (cell: string) =
        match Double.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture) with
        | true, value when Double.IsFinite value -> value
        | true, _ -> Fail.data $"{path}, line {line}, column {column + 1}: \"{cell}\" is not a finite number"
        | _ when cell = "" -> Fail.data $"{path}, line {line}, column {column + 1}: the cell is empty"
        | _ -> Fail.data $"{path}, line {line}, column {column + 1}: \"{cell}\" is not a number"

    let private readRows (options: CsvOptions) (reading: Reading) (reader: CsvReader) : Table =
        let path = reading.Name
        let cells, lines = ResizeArray<float>(), ResizeArray<int>()
        let mutable names, width, origin = [||], -1, ""

        let add (record: string[]) =
            let line = int reader.LineNumber

            if width < 0 then
                width <- record.Length
                origin <- $"line {line}"

            if record.Length <> width then
                Fail.data $"{path}, line {line}: expected {width} cells as in {origin}, and got {record.Length}"

            // A number of a cell, and of a line for each row.
            reading.Keep("the table", 8L * int64 record.Length + 4L)
            lines.Add line
            record |> Array.iteri (fun column cell -> cells.Add(parse path line column cell))

        let mutable isFirst = true

        while reader.Read() do
            let record = Array.init reader.FieldCount reader.GetString

            if isFirst && options.Header |> Option.defaultWith (fun () -> looksLikeHeader record) then
                if not (beginsWithCounts record) then
                    names <- record
                    width <- record.Length
                    origin <- "the header"
            else
                add record

            isFirst <- false

        if lines.Count = 0 then
            Fail.data (if isFirst then $"{path} is empty" else $"{path} has a header and no rows")

        {
            Width = width
            Names = names
            Lines = lines.ToArray()
            Cells = cells.ToArray()
        }

    let private readTable (options: CsvOptions) (reading: Reading) (stream: Stream) : Table =
        let dialect =
            CsvReaderOptions(
                Separator = Nullable options.Separator,
                HasHeader = false,
                TrimWhitespace = Nullable true,
                TrackLineNumbers = true,
                MalformedData = CsvMalformedDataHandling.Throw,
                // A longer row is an error: a quote may be missing.
                MaxRecordSize = Nullable options.Limits.Line
            )

        try
            use reader = CsvReader.Create(stream, dialect, leaveOpen = true)
            readRows options reading reader
        with :? CsvFormatException as error ->
            raise (DataException($"{reading.Name}, line {error.LineNumber}: {error.Message}", error))

    /// The number of a column, which messages call a `role`.
    let private indexOf (role: string) (path: string) (table: Table) (column: TableColumn) =
        match column with
        | TableColumn.At index ->
            let column = if index < 0 then index + table.Width else index

            if column < 0 || column >= table.Width then
                Fail.range $"{role} column {index} does not exist: {path} has {table.Width} columns"

            column
        | TableColumn.Named name ->
            match Array.IndexOf(table.Names, name) with
            | -1 ->
                let known = if table.Names = [||] then "no header" else String.Join(", ", table.Names)
                Fail.data $"{path} has no column \"{name}\"; it has {known}"
            | found -> found

    let private label (path: string) (table: Table) column row =
        let value = table.At(row, column)

        if value < 0.0 || value > float Int32.MaxValue || value <> floor value then
            Fail.data $"{path}, line {table.Lines[row]}: label {value} is not a whole number of at least 0"

        int value

    /// The values of some columns, Float64 [rows; columns].
    let private valuesOf (table: Table) (columns: int[]) : Tensor =
        [|
            for row in 0 .. table.Rows - 1 do
                for column in columns -> table.At(row, column)
        |]
        |> Tensor.ofArray [ table.Rows; columns.Length ]

    /// The names of some columns, if there are names.
    let private namesOf (table: Table) (columns: int[]) =
        if table.Names = [||] then
            [||]
        else
            columns |> Array.map (Array.get table.Names)

    let private labelled (options: CsvOptions) (path: string) (table: Table) : LabelledData =
        let column = indexOf "label" path table options.Label

        if table.Width < 2 then
            Fail.data $"{path} has one column, and a feature and a label are needed"

        let labels = Array.init table.Rows (label path table column)

        let features = [| 0 .. table.Width - 1 |] |> Array.except [ column ]
        LabelledData(valuesOf table features, Tensor.ofIndices [ table.Rows ] labels, namesOf table features)

    let private regression (options: CsvOptions) (path: string) (table: Table) : RegressionData =
        let targets = options.Targets |> List.map (indexOf "target" path table) |> List.toArray

        match targets |> Array.countBy id |> Array.tryFind (fun (_, uses) -> uses > 1) with
        | Some(column, uses) -> Fail.range $"targets: column {column} of {path} is named {uses} times"
        | None -> ()

        let features = [| 0 .. table.Width - 1 |] |> Array.except targets

        if features.Length = 0 then
            Fail.data $"{path} has no column beside its targets, and a feature is needed"

        RegressionData(valuesOf table features, valuesOf table targets, namesOf table features, namesOf table targets)

    /// The numbers of a table, Float64 [rows; columns].
    /// Raises DataException where the file is missing, empty or ragged, or a cell is not a finite number, naming line
    /// and column.
    let readMatrixWith (options: CsvOptions) (path: string) : Tensor =
        let table = DataFile.read options.Limits path (readTable options)
        Tensor.ofArray [ table.Rows; table.Width ] table.Cells

    /// The numbers of a table, Float64 [rows; columns]. A first row that is at least half text is a header.
    let readMatrix (path: string) : Tensor = readMatrixWith CsvOptions.Default path

    /// A table of which one column is the class of the row: whole numbers from 0 on.
    /// Raises DataException where the file is missing, empty or ragged, a cell is not a finite number or a label not a
    /// whole number of at least 0, naming line and column, and ArgumentRangeException for a label column that is not
    /// there.
    let readWith (options: CsvOptions) (path: string) : LabelledData =
        DataFile.read options.Limits path (readTable options) |> labelled options path

    /// The same from a stream that can seek; the name is for messages.
    let readStream (options: CsvOptions) (name: string) (stream: Stream) : LabelledData =
        let reading = Reading(name, options.Limits)
        DataFile.readStream reading stream (readTable options reading) |> labelled options name

    /// A table whose last column is the class of the row. A first row that is at least half text is a header.
    let read (path: string) : LabelledData = readWith CsvOptions.Default path

    /// A table of which some columns are the targets of a regression: Float64 inputs [rows; features] and targets
    /// [rows; targets], the targets in the order in which the options name them.
    /// Raises DataException where the file is missing, empty or ragged, a cell is not a finite number, or there is no
    /// column beside the targets, naming line and column, and ArgumentRangeException for a target column that is not
    /// there or is named twice.
    let readRegressionWith (options: CsvOptions) (path: string) : RegressionData =
        DataFile.read options.Limits path (readTable options) |> regression options path

    /// The same from a stream that can seek; the name is for messages.
    let readRegressionStream (options: CsvOptions) (name: string) (stream: Stream) : RegressionData =
        let reading = Reading(name, options.Limits)
        DataFile.readStream reading stream (readTable options reading) |> regression options name

    /// A table whose last column is the target of a regression. A first row that is at least half text is a header.
    let readRegression (path: string) : RegressionData = readRegressionWith CsvOptions.Default path
